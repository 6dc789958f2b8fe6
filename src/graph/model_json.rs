//! The `model` variable of templates: a node as dbt's manifest has it.

use serde_json::{Map, Value as Json, json};

use super::{Detail, Node, NodeIx, ResourceKind};

/// A node as JSON, under dbt's manifest keys. `name_of` gives the id of a parent.
pub fn model_json(node: &Node, name_of: impl Fn(NodeIx) -> String) -> Json {
    let relation = node.relation.as_ref();
    let mut map = Map::new();
    let mut put = |key: &str, value: Json| {
        map.insert(key.to_owned(), value);
    };
    put("unique_id", json!(node.id.as_str()));
    put("name", json!(node.name));
    put("resource_type", json!(node.kind.as_str()));
    put("package_name", json!(node.package));
    put("path", json!(inner_path(node)));
    put("original_file_path", json!(node.path));
    put("fqn", json!(node.fqn));
    put("database", json!(relation.map(|r| &r.database)));
    put("schema", json!(relation.map(|r| &r.schema)));
    put(
        "alias",
        json!(relation.map_or(&node.name, |r| &r.identifier)),
    );
    put("relation_name", json!(relation.map(ToString::to_string)));
    put("config", json!(node.config.raw));
    put("tags", json!(node.config.tags));
    put(
        "meta",
        node.config
            .raw
            .get("meta")
            .cloned()
            .unwrap_or_else(|| json!({})),
    );
    put("description", json!(node.description));
    put("columns", columns(node));
    if node.kind == ResourceKind::Function {
        put("arguments", super::functions::arguments(node));
        put("returns", super::functions::returns(node));
    }
    if let Some(version) = &node.model.version {
        put("version", version.v.clone());
        put("latest_version", version.latest.clone());
    }
    if node.kind == ResourceKind::Model {
        put("constraints", constraints(node.other.get("constraints")));
    }
    put("raw_code", json!(node.raw_code));
    put("language", json!("sql"));
    put(
        "patch_path",
        json!(
            node.patch_path
                .as_ref()
                .map(|p| format!("{}://{p}", node.package))
        ),
    );
    let parents: Vec<String> = node.parents.iter().map(|p| name_of(*p)).collect();
    put(
        "depends_on",
        json!({"nodes": parents, "macros": node.macros}),
    );
    let refs = node.refs.iter().map(
        |(call, _)| json!({"name": call.name, "package": call.package, "version": call.version}),
    );
    put("refs", refs.collect());
    let sources = node
        .sources
        .iter()
        .map(|(call, _)| json!([call.source, call.table]));
    put("sources", sources.collect());
    if let Detail::GenericTest(test) = &node.detail {
        put("column_name", json!(test.column));
        let attached = name_of(test.attached);
        let is_source = attached.starts_with("source.");
        put(
            "attached_node",
            json!((!attached.is_empty() && !is_source).then_some(attached)),
        );
        put(
            "test_metadata",
            json!({"name": test.test, "namespace": test.namespace, "kwargs": test.arguments}),
        );
    }
    if let Detail::Source {
        source,
        loaded_at_field,
        freshness,
    } = &node.detail
    {
        put("source_name", json!(source));
        put("identifier", json!(relation.map(|r| &r.identifier)));
        put("loaded_at_field", json!(loaded_at_field));
        put("freshness", json!(freshness));
    }
    Json::Object(map)
}

fn inner_path(node: &Node) -> &str {
    match node.kind {
        ResourceKind::Source => &node.path,
        _ => node
            .path
            .split_once('/')
            .map_or(node.path.as_str(), |(_, inner)| inner),
    }
}

fn constraints(written: Option<&Json>) -> Json {
    written
        .filter(|c| c.is_array())
        .cloned()
        .unwrap_or_else(|| json!([]))
}

fn columns(node: &Node) -> Json {
    let entries = node.columns.iter().map(|(name, info)| {
        let value = json!({
            "name": name,
            "description": info.description,
            "data_type": info.data_type,
            "quote": info.quote,
            "meta": info.other.get("meta").cloned().unwrap_or_else(|| json!({})),
            "tags": info.other.get("tags").cloned().unwrap_or_else(|| json!([])),
            "constraints": constraints(info.other.get("constraints")),
        });
        (name.clone(), value)
    });
    Json::Object(entries.collect())
}
