//! The manifest of a small project of every kind.

use std::collections::HashMap;

use marts::artifact::Manifest;
use marts::artifact::manifest::ManifestMetadata;
use marts::graph::DocsBlocks;
use marts::graph::listing::{ListForm, listing};
use marts::graph::manifest::{CompiledCode, ManifestInput, manifest, node_json};
use serde_json::{Value as Json, json};

use super::{Resolved, resolved};
use crate::project::support::Scratch;

fn shop() -> Scratch {
    Scratch::new()
        .file(
            "models/raw.yml",
            "sources:
  - name: raw
    tags: [daily]
    loader: fivetran
    loaded_at_field: at
    freshness: {warn_after: {count: 12, period: hour}}
    tables:
      - name: events
        identifier: events_v1
        columns: [{name: id, data_tests: [not_null]}]
",
        )
        .file(
            "models/stg.sql",
            "{{ config(group='core') }}\nselect * from {{ source('raw', 'events') }}\n",
        )
        .file(
            "models/gold/fct.sql",
            "{{ config(materialized='incremental', unique_key='id', post_hook='analyze') }}
select {{ cents('x') }} from {{ ref('stg') }}",
        )
        .file(
            "models/gold/fct.yml",
            "groups:
  - name: core
    owner: {name: Core}
models:
  - name: fct
    description: \"{{ doc('fct') }}\"
    columns:
      - name: id
        data_type: int
        data_tests: [unique, not_null]
exposures:
  - name: dash
    type: dashboard
    owner: {name: Ann}
    depends_on: [\"ref('fct')\"]
",
        )
        .file("models/docs.md", "{% docs fct %}Facts.{% enddocs %}")
        .file("models/off.sql", "{{ config(enabled=false) }} select 1 as id")
        .file("seeds/codes.csv", "code\n1\n")
        .file("tests/fct_is_right.sql", "select * from {{ ref('fct') }} where false")
        .file("macros/cents.sql", "{% macro cents(c) %}{{ round_of(c) }}{% endmacro %}{% macro round_of(c) %}round({{ c }}){% endmacro %}")
}

fn written(project: &Resolved) -> Json {
    let macros = project.engine.macros();
    let docs = DocsBlocks::new(&project.project);
    let (fct, _) = project
        .graph()
        .nodes()
        .find(|(_, node)| node.name == "fct")
        .expect("fct");
    let compiled = HashMap::from([(
        fct,
        CompiledCode {
            code: "select 1".to_owned(),
            path: "target/compiled/shop/models/gold/fct.sql".to_owned(),
        },
    )]);
    let mut metadata = ManifestMetadata::new("shop", "0198");
    metadata.common.generated_at = "2026-01-02T03:04:05.000000Z".to_owned();
    let input = ManifestInput {
        graph: project.graph(),
        project: &project.project,
        macros: &macros,
        docs: &docs,
        compiled: &compiled,
        metadata,
        created_at: 1.5,
    };
    serde_json::to_value(manifest(&input)).expect("JSON")
}

#[test]
fn the_manifest_has_the_shape_of_dbts() {
    let project = resolved(&shop());
    let mut json = written(&project);
    // Built-in macros and the temporary folder are no part of the case.
    let macros = json["macros"].as_object_mut().expect("macros");
    macros.retain(|id, _| id.starts_with("macro.shop."));
    json["nodes"]["seed.shop.codes"]["root_path"] = "[PROJECT]".into();
    for node in json["nodes"].as_object_mut().expect("nodes").values_mut() {
        // Which built-in macros a test goes through is for the macros to say.
        let macros = node["depends_on"]["macros"].as_array_mut().expect("macros");
        macros.retain(|id| id.as_str().is_some_and(|id| id.starts_with("macro.shop.")));
    }
    insta::assert_json_snapshot!(json);
}

#[test]
fn the_manifest_is_read_back_as_it_was_written() {
    let project = resolved(&shop());
    let json = written(&project);
    let read: Manifest = serde_json::from_value(json.clone()).expect("a manifest");
    assert_eq!(Json::Object(read.nodes), json["nodes"]);
    assert_eq!(read.metadata.project_name.as_deref(), Some("shop"));
    assert_eq!(
        json["child_map"]["model.shop.fct"],
        json!([
            "exposure.shop.dash",
            "test.shop.fct_is_right",
            "test.shop.not_null_fct_id.32930a35e7",
            "test.shop.unique_fct_id.b17ca094e5"
        ])
    );
    assert_eq!(json["group_map"], json!({"core": ["model.shop.stg"]}));
}

#[test]
fn a_node_is_listed_as_json_with_the_keys_of_the_manifest() {
    let project = resolved(&shop());
    let metadata = ManifestMetadata::new("shop", "0198");
    let (docs, compiled) = (DocsBlocks::default(), HashMap::new());
    let input = ManifestInput {
        graph: project.graph(),
        project: &project.project,
        macros: &[],
        docs: &docs,
        compiled: &compiled,
        metadata,
        created_at: 0.0,
    };
    let (stg, _) = project
        .graph()
        .nodes()
        .find(|(_, node)| node.name == "stg")
        .expect("stg");
    let keys = ["name", "config.materialized", "depends_on"].map(str::to_owned);
    let form = ListForm::Json(keys.to_vec());
    let lines = listing(project.graph(), &[stg], &form, |ix| node_json(&input, ix));
    assert_eq!(
        lines,
        [
            r#"{"name": "stg", "config.materialized": "view", "depends_on": {"macros": [], "nodes": ["source.shop.raw.events"]}}"#
        ]
    );
}
