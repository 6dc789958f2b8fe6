//! dbt's defaults for the config of each kind of node: what is shown and selected by under
//! what was configured.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::{Node, ResourceKind};

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

/// Defaults that `config.get` gives to templates; the others are none or empty.
const FOR_TEMPLATES: [&str; 5] = [
    "materialized",
    "enabled",
    "tags",
    "meta",
    "on_schema_change",
];

impl Node {
    /// The config that templates read: what was configured, with dbt's defaults under it.
    pub fn config_for_templates(&self) -> IndexMap<String, Json> {
        let mut config = self.config.raw.clone();
        let defaults = defaults(self.kind);
        for key in FOR_TEMPLATES {
            if let Some(value) = defaults.get(key).filter(|_| !config.contains_key(key)) {
                config.insert(key.to_owned(), value.clone());
            }
        }
        config
    }
}

pub(super) fn defaults(kind: ResourceKind) -> &'static Map<String, Json> {
    match kind {
        ResourceKind::Seed => &SEED,
        ResourceKind::Snapshot => &SNAPSHOT,
        ResourceKind::Test => &TEST,
        ResourceKind::Source => &SOURCE,
        ResourceKind::Model => &MODEL,
        ResourceKind::Exposure => &EXPOSURE,
        ResourceKind::Function => &FUNCTION,
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

static FUNCTION: LazyLock<Map<String, Json>> = LazyLock::new(|| {
    let mut map = node("function");
    map.insert("type".to_owned(), json!("scalar"));
    for key in ["volatility", "runtime_version", "entry_point"] {
        map.insert(key.to_owned(), Json::Null);
    }
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
    map.insert("dbt_valid_to_current".to_owned(), Json::Null);
    map
});

static TEST: LazyLock<Map<String, Json>> = LazyLock::new(|| {
    object(json!({
        "enabled": true, "alias": null, "schema": "dbt_test__audit", "database": null,
        "tags": [], "meta": {}, "group": null, "static_analysis": null, "materialized": "test", "severity": "ERROR",
        "store_failures": null, "store_failures_as": null, "where": null, "limit": null,
        "fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0",
    }))
});

static EXPOSURE: LazyLock<Map<String, Json>> =
    LazyLock::new(|| object(json!({ "enabled": true, "tags": [], "meta": {} })));

static SOURCE: LazyLock<Map<String, Json>> = LazyLock::new(|| {
    object(json!({
        "enabled": true, "event_time": null, "freshness": null, "loaded_at_field": null,
        "loaded_at_query": null, "meta": {}, "tags": [], "static_analysis": null,
    }))
});

fn node(materialized: &str) -> Map<String, Json> {
    object(json!({
        "enabled": true, "alias": null, "schema": null, "database": null, "tags": [],
        "meta": {}, "group": null, "static_analysis": null, "materialized": materialized, "incremental_strategy": null,
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
