//! The manifest's `unit_tests` section, as dbt writes it.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::ManifestInput;
use crate::graph::unit_test::{Fixture, FixtureRows};
use crate::graph::{Detail, Node, UnitTest};

/// A unit test as its JSON.
pub(super) fn unit_test(input: &ManifestInput<'_>, node: &Node) -> Json {
    let id = |ix| input.graph.node(ix).id.as_str();
    let parents: Vec<&str> = node.parents.iter().map(|ix| id(*ix)).collect();
    let model = node.fqn.iter().rev().nth(1);
    let inner = node.path.split_once('/').map(|(_, inner)| inner);
    let mut map = match json!({
        "model": model,
        "given": [],
        "expect": {"rows": [], "format": "dict", "fixture": null},
        "name": node.name,
        "resource_type": "unit_test",
        "package_name": node.package,
        "path": inner.unwrap_or(&node.path),
        "original_file_path": node.path,
        "unique_id": node.id.as_str(),
        "fqn": node.fqn,
        "description": node.description,
        "overrides": null,
        "depends_on": {"macros": [], "nodes": parents},
        "config": {
            "tags": node.config.tags,
            "meta": node.config.raw.get("meta").cloned().unwrap_or_else(|| json!({})),
            "enabled": node.config.enabled,
            "static_analysis": node.config.raw.get("static_analysis"),
        },
        "checksum": null,
        "schema": null,
        "created_at": input.created_at,
        "versions": null,
        "version": node.model.version.as_ref().map(|version| &version.v),
    }) {
        Json::Object(map) => map,
        _ => Map::new(),
    };
    if let Detail::UnitTest(test) = &node.detail {
        of_detail(input, test, &mut map);
    }
    Json::Object(map)
}

fn of_detail(input: &ManifestInput<'_>, test: &UnitTest, map: &mut Map<String, Json>) {
    let given = test.given.iter().map(|given| {
        let mut json = fixture(&given.fixture);
        let input = ("input".to_owned(), json!(given.input));
        json.insert(input.0, input.1);
        Json::Object(json)
    });
    map.insert("given".to_owned(), given.collect());
    map.insert("expect".to_owned(), Json::Object(fixture(&test.expect)));
    let over = &test.overrides;
    if !(over.macros.is_empty() && over.vars.is_empty() && over.env_vars.is_empty()) {
        let overrides =
            json!({"macros": over.macros, "vars": over.vars, "env_vars": over.env_vars});
        map.insert("overrides".to_owned(), overrides);
    }
    let relation = input.graph.node(test.tested).relation.as_ref();
    map.insert("schema".to_owned(), json!(relation.map(|r| &r.schema)));
    let content: Vec<&Json> = ["given", "expect", "overrides", "model"]
        .iter()
        .filter_map(|key| map.get(*key))
        .collect();
    let text = json!(content).to_string();
    let digest = Sha256::digest(text.as_bytes());
    let checksum = crate::encode::hex(digest);
    map.insert("checksum".to_owned(), json!(checksum));
}

fn fixture(fixture: &Fixture) -> Map<String, Json> {
    let rows = match &fixture.rows {
        FixtureRows::Records { rows, .. } => rows.iter().map(|row| json!(row.values)).collect(),
        FixtureRows::Query { text, .. } => json!(text.as_ref()),
        FixtureRows::SeedFile => Json::Null,
    };
    let mut map = Map::new();
    map.insert("rows".to_owned(), rows);
    map.insert("format".to_owned(), json!(fixture.format.as_str()));
    map.insert("fixture".to_owned(), json!(fixture.file));
    map
}
