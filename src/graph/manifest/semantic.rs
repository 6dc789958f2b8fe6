//! The manifest's `semantic_models`, `metrics` and `saved_queries`.

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::ManifestInput;
use crate::graph::{Detail, Node, ResourceKind};

/// All nodes of a kind.
pub(super) fn section(input: &ManifestInput<'_>, kind: ResourceKind) -> IndexMap<String, Json> {
    let nodes = input.graph.nodes().map(|(_, node)| node);
    nodes
        .filter(|node| node.kind == kind)
        .map(|node| (node.id.as_str().to_owned(), one(input, node)))
        .collect()
}

/// One of them as its JSON.
pub(super) fn one(input: &ManifestInput<'_>, node: &Node) -> Json {
    let Detail::Semantic(semantic) = &node.detail else {
        return Json::Null;
    };
    let mut packages = input.project.packages.iter();
    let bases = packages.find(|p| p.name == node.package);
    let bases = bases.map_or(&[][..], |p| &p.file.paths.models);
    let parents: Vec<&str> = node
        .parents
        .iter()
        .map(|ix| input.graph.node(*ix).id.as_str())
        .collect();
    let mut map = semantic.manifest.clone();
    let mut put = |key: &str, value: Json| {
        map.insert(key.to_owned(), value);
    };
    put("name", json!(node.name));
    put("resource_type", json!(node.kind.as_str()));
    put("package_name", json!(node.package));
    put("path", json!(super::resources::inner(&node.path, bases)));
    put("original_file_path", json!(node.path));
    put("unique_id", json!(node.id.as_str()));
    put("fqn", json!(node.fqn));
    put("depends_on", json!({"macros": [], "nodes": parents}));
    let refs = serde_json::to_value(super::calls::refs(node));
    put("refs", refs.unwrap_or_default());
    put("created_at", json!(input.created_at));
    put("metadata", Json::Null);
    put("group", json!(node.config.group));
    put("unrendered_config", json!(node.unrendered_config()));
    if node.kind == ResourceKind::Metric || !node.description.is_empty() {
        put("description", json!(node.description));
    }
    if node.kind == ResourceKind::SemanticModel {
        put("node_relation", relation(input, node));
    }
    Json::Object(map)
}

/// The relation of a semantic model's model.
fn relation(input: &ManifestInput<'_>, node: &Node) -> Json {
    let model = node.parents.first().map(|ix| input.graph.node(*ix));
    let relation = model.and_then(|model| model.relation.as_ref());
    relation.map_or(Json::Null, |relation| {
        json!({
            "alias": relation.identifier, "schema_name": relation.schema,
            "database": relation.database, "relation_name": relation.to_string(),
        })
    })
}
