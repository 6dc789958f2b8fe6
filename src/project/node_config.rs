//! STUB replaced by the project reader's typed config.
#![allow(missing_docs)]
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::ConfigMap;

#[derive(Clone, Debug, Default)]
pub struct Hook {
    pub sql: String,
    pub transaction: bool,
}

#[derive(Clone, Debug, Default)]
pub struct NodeConfig {
    pub enabled: bool,
    pub materialized: String,
    pub tags: Vec<String>,
    pub pre_hook: Vec<Hook>,
    pub post_hook: Vec<Hook>,
    pub full_refresh: Option<bool>,
    pub unique_key: Vec<String>,
    pub incremental_strategy: Option<String>,
    pub on_schema_change: String,
    pub incremental_predicates: Vec<String>,
    pub indexes: Vec<Json>,
    pub unlogged: bool,
    pub grants: IndexMap<String, Vec<String>>,
    pub raw: ConfigMap,
}
