//! Config from every place, merged and typed.

use marts::project::{
    CheckColumns, ConfigMap, ConfigOrigin, HardDeletes, Hook, Index, NodeConfig, OnSchemaChange,
    Publish, TestSeverity,
};
use serde_json::{Value as Json, json};

use super::support::Scratch;

fn map(value: Json) -> ConfigMap {
    match value {
        Json::Object(map) => map.into_iter().collect(),
        _ => panic!("a mapping is needed"),
    }
}

fn typed(value: Json) -> (NodeConfig, Vec<String>) {
    let origin = ConfigOrigin {
        what: "model `a`",
        place: &|_| None,
        file: None,
    };
    let (config, diagnostics) = NodeConfig::new(map(value), "view", &origin);
    (config, diagnostics.into_iter().map(|d| d.message).collect())
}

#[test]
fn nothing_configured_is_dbts_default() {
    let (config, wrong) = typed(json!({}));
    assert_eq!(config, NodeConfig::default());
    assert!(wrong.is_empty());
}

#[test]
fn values_become_types() {
    let (config, wrong) = typed(json!({
        "materialized": "incremental",
        "unique_key": "id",
        "on_schema_change": "Append_New_Columns",
        "tags": ["a", "b", "a"],
        "pre-hook": ["analyze x", {"sql": "vacuum x", "transaction": false}],
        "indexes": [{"columns": ["a", "b"], "unique": true, "type": "btree"}],
        "publish": "audited",
        "severity": "WARN",
        "error_if": ">10",
        "check_cols": "all",
        "invalidate_hard_deletes": true,
        "delimiter": ";",
        "grants": {"select": "reader"},
        "schema": 2024,
        "statement_timeout": "30s",
        "lock_timeout": 1500,
        "retries": 5,
    }));
    assert!(wrong.is_empty(), "{wrong:?}");
    let limits = config
        .limits
        .iter()
        .map(|l| (l.setting, l.limit.as_millis()));
    assert_eq!(
        limits.collect::<Vec<_>>(),
        [("statement_timeout", 30_000), ("lock_timeout", 1_500)]
    );
    assert_eq!(config.retries, Some(5));
    assert_eq!(config.unique_key, ["id"]);
    assert_eq!(config.on_schema_change, OnSchemaChange::AppendNewColumns);
    assert_eq!(config.tags, ["a", "b"]);
    let hook = |sql: &str, transaction| Hook {
        sql: sql.to_owned(),
        transaction,
        calls_work: false,
    };
    assert_eq!(
        config.pre_hook,
        [hook("analyze x", true), hook("vacuum x", false)]
    );
    let index = Index {
        columns: vec!["a".to_owned(), "b".to_owned()],
        unique: true,
        kind: Some("btree".to_owned()),
    };
    assert_eq!(config.indexes, [index]);
    assert_eq!(config.publish, Some(Publish::Audited));
    assert_eq!(config.severity, TestSeverity::Warn);
    assert_eq!(config.check_cols, Some(CheckColumns::All));
    assert_eq!(config.hard_deletes, HardDeletes::Invalidate);
    assert_eq!(config.delimiter, ";");
    assert_eq!(config.grants.unwrap()["select"], ["reader"]);
    assert_eq!(config.schema.as_deref(), Some("2024"));
}

#[test]
fn each_wrong_value_is_told_and_its_default_taken() {
    let (config, wrong) = typed(json!({
        "enabled": "sometimes",
        "limit": -1,
        "warn_if": "10",
        "indexes": [{"column": "a"}],
        "column_types": {"a": ["text"]},
    }));
    assert!(config.enabled);
    assert_eq!(
        wrong,
        [
            "config `enabled` of model `a` is the text \"sometimes\"",
            "config `indexes` of model `a` is a list with the unknown key `column`",
            "config `column_types` of model `a` is a list for `a`",
            "config `warn_if` of model `a` is the text \"10\"",
            "config `limit` of model `a` is the number -1",
        ]
    );
}

#[test]
fn hooks_in_yaml_keep_their_jinja() {
    let scratch = Scratch::new().file(
        "project.yml",
        "name: shop\nprofile: shop\non-run-start: \"{{ log(target.name) }}\"\nmodels:\n  +post-hook:\n    - \"grant select on {{ this }} to x\"\n",
    );
    let file = &scratch.read().packages[0].file;
    assert_eq!(file.on_run_start[0].value, "{{ log(target.name) }}");
    let config = file.configs.models.resolve(&["shop"]);
    assert_eq!(
        config["post-hook"],
        json!(["grant select on {{ this }} to x"])
    );
}

#[test]
fn a_version_says_what_it_changes() {
    let scratch = Scratch::new().file(
        "models/a.yml",
        r#"
models:
  - name: a
    latest_version: 2
    columns: [{name: id}, {name: old}]
    versions:
      - v: 1
        defined_in: a_old
      - v: 2
        config: {materialized: table}
        columns:
          - include: all
            exclude: [old]
          - name: new
            data_tests: [not_null]
"#,
    );
    let project = scratch.read();
    let models = &project.root_package().properties.models;
    let files: Vec<&str> = models
        .iter()
        .filter_map(|m| Some(m.version.as_ref()?.file.as_str()))
        .collect();
    assert_eq!(files, ["a_old", "a"], "the latest needs no suffix");
    let columns = |at: usize| -> Vec<&str> {
        let columns = models[at].columns.iter();
        columns.map(|c| c.name.value.as_str()).collect()
    };
    assert_eq!(columns(0), ["id", "old"]);
    assert_eq!(columns(1), ["id", "new"]);
    assert_eq!(models[1].columns[1].tests.len(), 1);
    assert!(models[1].config.contains_key("materialized"));
    assert!(!models[0].config.contains_key("materialized"));
}
