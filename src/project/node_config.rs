//! A node's config with types: built once from the merged [`ConfigMap`], each wrong value a
//! diagnostic that says what was found and what is expected.
//!
//! [`NodeConfig::raw`] keeps the whole map, for templates and for keys of the user's own.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::diag::{Diagnostic, Span};

use super::config_reader::Reader;
use super::declarations::ConfigMap;
use super::node_values::{
    Access, CheckColumns, Contract, HardDeletes, Hook, Index, OnConfigurationChange,
    OnSchemaChange, PersistDocs, Publish, PublishMethod, StoreFailuresAs, TestSeverity, TimeLimit,
};

/// What a node is configured to be. Absent keys have dbt's defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// `enabled`, default true.
    pub enabled: bool,
    /// `materialized`; the caller's default for the kind of node.
    pub materialized: String,
    /// `schema`, the custom one, before `generate_schema_name`.
    pub schema: Option<String>,
    /// `database`.
    pub database: Option<String>,
    /// `alias`.
    pub alias: Option<String>,
    /// `group`.
    pub group: Option<String>,
    /// `access`, default protected.
    pub access: Access,
    /// `tags`, each once, in order.
    pub tags: Vec<String>,
    /// `meta`.
    pub meta: Map<String, Json>,
    /// `pre-hook`.
    pub pre_hook: Vec<Hook>,
    /// `post-hook`.
    pub post_hook: Vec<Hook>,
    /// `full_refresh`; wins over `--full-refresh` where it is set.
    pub full_refresh: Option<bool>,
    /// `unique_key`, one or several columns or expressions.
    pub unique_key: Vec<String>,
    /// `incremental_strategy`; a custom one is allowed.
    pub incremental_strategy: Option<String>,
    /// `incremental_predicates` (or `predicates`).
    pub incremental_predicates: Vec<String>,
    /// `merge_update_columns`.
    pub merge_update_columns: Vec<String>,
    /// `merge_exclude_columns`.
    pub merge_exclude_columns: Vec<String>,
    /// `on_schema_change`, default ignore.
    pub on_schema_change: OnSchemaChange,
    /// `on_configuration_change`, default apply.
    pub on_configuration_change: OnConfigurationChange,
    /// `event_time`.
    pub event_time: Option<String>,
    /// `begin`, of microbatch models.
    pub begin: Option<String>,
    /// `batch_size`: hour, day, month or year.
    pub batch_size: Option<String>,
    /// `lookback`, default 1.
    pub lookback: u64,
    /// `concurrent_batches`.
    pub concurrent_batches: Option<bool>,
    /// `indexes`.
    pub indexes: Vec<Index>,
    /// `unlogged`, default false.
    pub unlogged: bool,
    /// `grants`: privilege to roles. `None` when not configured: grants stay as they are.
    pub grants: Option<IndexMap<String, Vec<String>>>,
    /// `persist_docs`.
    pub persist_docs: PersistDocs,
    /// `quoting`: database, schema, identifier.
    pub quoting: IndexMap<String, bool>,
    /// `contract`.
    pub contract: Contract,
    /// `column_types` of seeds.
    pub column_types: IndexMap<String, String>,
    /// `quote_columns` of seeds.
    pub quote_columns: Option<bool>,
    /// `delimiter` of seeds, default a comma; that it is one ASCII character is checked when the file is read.
    pub delimiter: String,
    /// `strategy` of snapshots: timestamp, check, or a custom one.
    pub strategy: Option<String>,
    /// `updated_at` of snapshots.
    pub updated_at: Option<String>,
    /// `check_cols` of snapshots.
    pub check_cols: Option<CheckColumns>,
    /// `target_schema` of snapshots.
    pub target_schema: Option<String>,
    /// `target_database` of snapshots.
    pub target_database: Option<String>,
    /// `hard_deletes` of snapshots; `invalidate_hard_deletes: true` is `invalidate`.
    pub hard_deletes: HardDeletes,
    /// `dbt_valid_to_current` of snapshots, an SQL expression.
    pub dbt_valid_to_current: Option<String>,
    /// `snapshot_meta_column_names`: dbt's column name to the wanted one.
    pub snapshot_meta_column_names: IndexMap<String, String>,
    /// `severity` of tests, default error.
    pub severity: TestSeverity,
    /// `warn_if` of tests, default `!= 0`.
    pub warn_if: String,
    /// `error_if` of tests, default `!= 0`.
    pub error_if: String,
    /// `where` of tests.
    pub where_: Option<String>,
    /// `limit` of tests.
    pub limit: Option<u64>,
    /// `fail_calc` of tests, default `count(*)`.
    pub fail_calc: String,
    /// `store_failures` of tests.
    pub store_failures: Option<bool>,
    /// `store_failures_as` of tests.
    pub store_failures_as: Option<StoreFailuresAs>,
    /// `publish`; `None` means the project's default.
    pub publish: Option<Publish>,
    /// `publish_method`, default swap.
    pub publish_method: PublishMethod,
    /// `require_audit`, default false.
    pub require_audit: bool,
    /// `statement_timeout`, `lock_timeout` and `idle_in_transaction_session_timeout`, each once
    /// at most.
    pub limits: Vec<TimeLimit>,
    /// `retries`: further attempts after a transient failure; `None` means the target's.
    pub retries: Option<u32>,
    /// `sql_header`.
    pub sql_header: Option<String>,
    /// `docs.show`, default true.
    pub docs_show: bool,
    /// `docs.node_color`.
    pub docs_color: Option<String>,
    /// Every key, as merged.
    pub raw: ConfigMap,
}

/// Whose config it is and where its values were written, for messages.
pub struct ConfigOrigin<'a> {
    /// The node, for example ``model `mart_revenue` ``.
    pub what: &'a str,
    /// The place of a key's value, where it came from YAML.
    pub place: &'a dyn Fn(&str) -> Option<Span>,
    /// The node's file, named where no place is known.
    pub file: Option<&'a str>,
}

impl NodeConfig {
    /// Types a merged config. `materialized` is the default for this kind of node.
    ///
    /// Wrong values are reported and replaced by their defaults, so that reading goes on.
    pub fn new(
        raw: ConfigMap,
        materialized: &str,
        origin: &ConfigOrigin<'_>,
    ) -> (Self, Vec<Diagnostic>) {
        let (mut config, diagnostics) = Reader::new(&raw, origin).read(materialized);
        config.raw = raw;
        (config, diagnostics)
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            materialized: "view".to_owned(),
            schema: None,
            database: None,
            alias: None,
            group: None,
            access: Access::Protected,
            tags: Vec::new(),
            meta: Map::new(),
            pre_hook: Vec::new(),
            post_hook: Vec::new(),
            full_refresh: None,
            unique_key: Vec::new(),
            incremental_strategy: None,
            incremental_predicates: Vec::new(),
            merge_update_columns: Vec::new(),
            merge_exclude_columns: Vec::new(),
            on_schema_change: OnSchemaChange::Ignore,
            on_configuration_change: OnConfigurationChange::Apply,
            event_time: None,
            begin: None,
            batch_size: None,
            lookback: 1,
            concurrent_batches: None,
            indexes: Vec::new(),
            unlogged: false,
            grants: None,
            persist_docs: PersistDocs::default(),
            quoting: IndexMap::new(),
            contract: Contract::default(),
            column_types: IndexMap::new(),
            quote_columns: None,
            delimiter: ",".to_owned(),
            strategy: None,
            updated_at: None,
            check_cols: None,
            target_schema: None,
            target_database: None,
            hard_deletes: HardDeletes::Ignore,
            dbt_valid_to_current: None,
            snapshot_meta_column_names: IndexMap::new(),
            severity: TestSeverity::Error,
            warn_if: "!= 0".to_owned(),
            error_if: "!= 0".to_owned(),
            where_: None,
            limit: None,
            fail_calc: "count(*)".to_owned(),
            store_failures: None,
            store_failures_as: None,
            publish: None,
            publish_method: PublishMethod::Swap,
            require_audit: false,
            limits: Vec::new(),
            retries: None,
            sql_header: None,
            docs_show: true,
            docs_color: None,
            raw: ConfigMap::new(),
        }
    }
}
