//! A node's config as dbt shows it: every key that its kind has, with dbt's defaults under
//! what was configured.

use std::sync::LazyLock;

use serde_json::{Map, Value as Json, json};

use super::{Node, ResourceKind};

/// The whole config of a node, keys in dbt's order, its own keys after.
pub fn config_json(node: &Node) -> Map<String, Json> {
    let mut config = defaults(node.kind).clone();
    for (key, value) in &node.config.raw {
        config.insert(dbt_key(key).to_owned(), value.clone());
    }
    if node.kind == ResourceKind::Model {
        config.insert(
            "materialized".to_owned(),
            json!(node.config.materialized.as_str()),
        );
    }
    if node.kind != ResourceKind::Source || !node.config.tags.is_empty() {
        config.insert("tags".to_owned(), json!(node.config.tags));
    }
    config
}

/// One value of a node's config: what was configured, else dbt's default for its kind.
pub(super) fn config_value<'a>(node: &'a Node, key: &str) -> Option<&'a Json> {
    let own = node.config.raw.get(key);
    let own = own.or_else(|| node.config.raw.get(&key.replace('_', "-")));
    own.or_else(|| defaults(node.kind).get(dbt_key(key)))
}

/// dbt writes the two hooks with a hyphen and everything else as it stands.
fn dbt_key(key: &str) -> &str {
    match key {
        "pre_hook" => "pre-hook",
        "post_hook" => "post-hook",
        other => other,
    }
}

pub(super) fn defaults(kind: ResourceKind) -> &'static Map<String, Json> {
    match kind {
        ResourceKind::Seed => &SEED,
        ResourceKind::Snapshot => &SNAPSHOT,
        ResourceKind::Test => &TEST,
        ResourceKind::Source => &SOURCE,
        ResourceKind::Model => &MODEL,
        _ => &NODE,
    }
}

static NODE: LazyLock<Map<String, Json>> = LazyLock::new(|| node("view"));

static MODEL: LazyLock<Map<String, Json>> = LazyLock::new(|| {
    let mut map = node("view");
    map.insert("access".to_owned(), json!("protected"));
    map.insert("freshness".to_owned(), Json::Null);
    map
});

static SEED: LazyLock<Map<String, Json>> = LazyLock::new(|| {
    let mut map = node("seed");
    map.insert("delimiter".to_owned(), json!(","));
    map.insert("quote_columns".to_owned(), Json::Null);
    map
});

static SNAPSHOT: LazyLock<Map<String, Json>> = LazyLock::new(|| {
    let mut map = node("snapshot");
    for key in [
        "strategy",
        "target_schema",
        "target_database",
        "updated_at",
        "check_cols",
        "dbt_valid_to_current",
    ] {
        map.insert(key.to_owned(), Json::Null);
    }
    map.insert(
        "snapshot_meta_column_names".to_owned(),
        json!({
            "dbt_valid_to": null, "dbt_valid_from": null, "dbt_scd_id": null,
            "dbt_updated_at": null, "dbt_is_deleted": null,
        }),
    );
    map
});

static TEST: LazyLock<Map<String, Json>> = LazyLock::new(|| {
    object(json!({
        "enabled": true, "alias": null, "schema": "dbt_test__audit", "database": null,
        "tags": [], "meta": {}, "group": null, "materialized": "test", "severity": "ERROR",
        "store_failures": null, "store_failures_as": null, "where": null, "limit": null,
        "fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0",
    }))
});

static SOURCE: LazyLock<Map<String, Json>> = LazyLock::new(|| {
    object(json!({
        "enabled": true, "event_time": null, "freshness": null, "loaded_at_field": null,
        "loaded_at_query": null, "meta": {}, "tags": [],
    }))
});

fn node(materialized: &str) -> Map<String, Json> {
    object(json!({
        "enabled": true, "alias": null, "schema": null, "database": null, "tags": [],
        "meta": {}, "group": null, "materialized": materialized, "incremental_strategy": null,
        "batch_size": null, "lookback": 1, "begin": null, "persist_docs": {},
        "post-hook": [], "pre-hook": [], "quoting": {}, "column_types": {},
        "full_refresh": null, "unique_key": null, "on_schema_change": "ignore",
        "on_configuration_change": "apply", "grants": {}, "packages": [],
        "docs": {"show": true, "node_color": null},
        "contract": {"enforced": false, "alias_types": true},
        "event_time": null, "concurrent_batches": null,
    }))
}

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
