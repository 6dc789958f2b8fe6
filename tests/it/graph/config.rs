//! Which of the places that configure a node wins.

use serde_json::json;

use super::resolve;
use crate::project::support::Scratch;

#[test]
fn the_file_wins_over_the_property_file_which_wins_over_the_tree() {
    let scratch = Scratch::new()
        .file(
            "project.yml",
            "name: shop\nprofile: shop\nmodels:\n  shop:\n    +materialized: view\n    +schema: tree\n    +alias: tree\n    +meta: {a: tree, b: tree}\n",
        )
        .file(
            "models/a.sql",
            "{{ config(alias='file', post_hook='analyze') }} select 1",
        )
        .file(
            "models/a.yml",
            "models:\n  - name: a\n    meta: {b: beside}\n    config: {schema: yaml, alias: yaml, meta: {c: yaml}}\n",
        );
    let resolved = resolve(&scratch).expect("resolves");
    let config = &resolved.node("model.shop.a").config.raw;
    assert_eq!(config["materialized"], json!("view"));
    assert_eq!(config["schema"], json!("yaml"));
    assert_eq!(config["alias"], json!("file"));
    assert_eq!(
        config["meta"],
        json!({"a": "tree", "b": "beside", "c": "yaml"})
    );
    assert_eq!(config["post-hook"], json!(["analyze"]));
}

#[test]
fn the_root_projects_config_wins_over_a_packages_own_file() {
    let scratch = Scratch::new()
        .file(
            "project.yml",
            "name: shop\nprofile: shop\nmodels: {tools: {+materialized: table, +tags: root}}\n",
        )
        .file(
            "dbt_packages/tools/dbt_project.yml",
            "name: tools\nmodels: {tools: {+tags: own}}\n",
        )
        .file(
            "dbt_packages/tools/models/a.sql",
            "{{ config(materialized='view') }} select 1",
        );
    let resolved = resolve(&scratch).expect("resolves");
    let config = &resolved.node("model.tools.a").config.raw;
    assert_eq!(config["materialized"], json!("table"));
    assert_eq!(config["tags"], json!(["own", "root"]));
}
