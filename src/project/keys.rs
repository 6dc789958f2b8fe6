//! The keys that each kind of YAML knows, for unknown-key messages and for telling config
//! from folders.

/// Top level of a project file, beyond what is read by name.
pub(crate) const PROJECT: &[&str] = &[
    "name",
    "version",
    "config-version",
    "profile",
    "model-paths",
    "seed-paths",
    "test-paths",
    "snapshot-paths",
    "analysis-paths",
    "macro-paths",
    "docs-paths",
    "asset-paths",
    "function-paths",
    "target-path",
    "log-path",
    "packages-install-path",
    "clean-targets",
    "models",
    "seeds",
    "snapshots",
    "sources",
    "tests",
    "data_tests",
    "unit_tests",
    "exposures",
    "groups",
    "metrics",
    "semantic-models",
    "saved-queries",
    "functions",
    "analyses",
    "vars",
    "quoting",
    "dispatch",
    "on-run-start",
    "on-run-end",
    "query-comment",
    "ledger",
    "sensitive_columns",
    "flags",
    "require-dbt-version",
    "restrict-access",
    "dbt-cloud",
    "publish",
];

/// Config trees that are only kept.
pub(crate) const OTHER_TREES: &[&str] = &[
    "exposures",
    "metrics",
    "semantic-models",
    "saved-queries",
    "groups",
    "analyses",
];

/// Keys of `quoting`.
pub(crate) const QUOTING: &[&str] = &["database", "schema", "identifier", "snowflake_ignore_case"];

/// Config that every kind of node may have.
pub(crate) const CONFIG_COMMON: &[&str] = &[
    "enabled",
    "tags",
    "meta",
    "group",
    "schema",
    "database",
    "project",
    "alias",
    "pre-hook",
    "post-hook",
    "pre_hook",
    "post_hook",
    "persist_docs",
    "quoting",
    "full_refresh",
    "grants",
    "docs",
    "contract",
    "event_time",
    "transient",
    "packages",
    "column_types",
    "sql_header",
    "static_analysis",
    "description",
];

/// Config of models, on top of the common.
pub(crate) const CONFIG_MODEL: &[&str] = &[
    "materialized",
    "unique_key",
    "incremental_strategy",
    "incremental_predicates",
    "predicates",
    "on_schema_change",
    "on_configuration_change",
    "merge_update_columns",
    "merge_exclude_columns",
    "indexes",
    "unlogged",
    "access",
    "batch_size",
    "begin",
    "lookback",
    "concurrent_batches",
    "freshness",
    "latest_version_pointer",
    "publish",
    "publish_method",
    "require_audit",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "retries",
    "latest_version",
    "bind",
    "dist",
    "sort",
];

/// Config of seeds, on top of the common.
pub(crate) const CONFIG_SEED: &[&str] = &[
    "materialized",
    "quote_columns",
    "delimiter",
    "indexes",
    "unlogged",
    "access",
    "publish",
    "publish_method",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "retries",
];

/// Config of snapshots, on top of the common.
pub(crate) const CONFIG_SNAPSHOT: &[&str] = &[
    "materialized",
    "strategy",
    "unique_key",
    "updated_at",
    "check_cols",
    "target_schema",
    "target_database",
    "hard_deletes",
    "invalidate_hard_deletes",
    "dbt_valid_to_current",
    "snapshot_meta_column_names",
    "relation",
    "indexes",
    "unlogged",
    "access",
    "publish",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "retries",
];

/// Config of data tests.
pub(crate) const CONFIG_TEST: &[&str] = &[
    "enabled",
    "severity",
    "warn_if",
    "error_if",
    "where",
    "limit",
    "fail_calc",
    "store_failures",
    "store_failures_as",
    "tags",
    "meta",
    "group",
    "schema",
    "database",
    "project",
    "alias",
    "materialized",
    "quoting",
    "sql_header",
    "static_analysis",
    "description",
    "full_refresh",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "retries",
];

/// Config of sources.
pub(crate) const CONFIG_SOURCE: &[&str] = &[
    "enabled",
    "event_time",
    "meta",
    "tags",
    "freshness",
    "loaded_at_field",
    "loaded_at_query",
    "schema",
    "database",
    "quoting",
    "static_analysis",
];

/// Config of unit tests.
pub(crate) const CONFIG_UNIT_TEST: &[&str] = &["enabled", "tags", "meta", "static_analysis"];

/// Config of functions, on top of the common.
pub(crate) const CONFIG_FUNCTION: &[&str] = &[
    "materialized",
    "type",
    "volatility",
    "entry_point",
    "runtime_version",
    "access",
    "publish",
    "statement_timeout",
    "lock_timeout",
    "retries",
];

/// Keys of a function that are kept as written.
pub(crate) const FUNCTION: &[&str] = &[
    "name",
    "description",
    "config",
    "columns",
    "arguments",
    "returns",
    "meta",
    "docs",
    "access",
    "group",
    "tags",
];

/// Config of everything else: read, kept, not judged.
pub(crate) const CONFIG_OTHER: &[&str] = &["enabled", "tags", "meta", "group", "docs"];

/// Config whose value is a mapping; without `+` such a key would be a folder.
pub(crate) const CONFIG_MAPPINGS: &[&str] = &[
    "meta",
    "grants",
    "persist_docs",
    "quoting",
    "column_types",
    "docs",
    "contract",
    "freshness",
    "snapshot_meta_column_names",
];

/// The config keys of a tree in a project file, by the tree's name.
pub(crate) fn config_of_tree(tree: &str) -> Vec<&'static str> {
    let (common, own): (&[&str], &[&str]) = match tree {
        "models" => (CONFIG_COMMON, CONFIG_MODEL),
        "seeds" => (CONFIG_COMMON, CONFIG_SEED),
        "snapshots" => (CONFIG_COMMON, CONFIG_SNAPSHOT),
        "functions" => (CONFIG_COMMON, CONFIG_FUNCTION),
        "tests" | "data_tests" => (&[], CONFIG_TEST),
        "sources" => (&[], CONFIG_SOURCE),
        "unit_tests" => (&[], CONFIG_UNIT_TEST),
        _ => (&[], CONFIG_OTHER),
    };
    common.iter().chain(own).copied().collect()
}

/// Top level of a property file.
pub(crate) const PROPERTY_FILE: &[&str] = &[
    "version",
    "models",
    "seeds",
    "snapshots",
    "sources",
    "analyses",
    "macros",
    "data_tests",
    "tests",
    "unit_tests",
    "exposures",
    "groups",
    "metrics",
    "semantic_models",
    "saved_queries",
    "functions",
    "anchors",
];

/// Keys of a model that are kept as written.
pub(crate) const MODEL: &[&str] = &[
    "name",
    "description",
    "config",
    "columns",
    "data_tests",
    "tests",
    "meta",
    "docs",
    "access",
    "group",
    "versions",
    "latest_version",
    "deprecation_date",
    "constraints",
    "time_spine",
    "freshness",
    "grain",
    "tags",
    "original_file_path",
    "docrefs",
    "primary_key",
    "semantic_model",
    "agg_time_dimension",
    "metrics",
    "derived_semantics",
];

/// Keys of a model's version.
pub(crate) const VERSION: &[&str] = &[
    "v",
    "defined_in",
    "description",
    "config",
    "columns",
    "data_tests",
    "tests",
    "access",
    "docs",
    "constraints",
    "deprecation_date",
    "meta",
];

/// Keys of a seed that are kept as written.
pub(crate) const SEED: &[&str] = &[
    "name",
    "description",
    "config",
    "columns",
    "data_tests",
    "tests",
    "meta",
    "docs",
    "group",
];

/// Keys of a snapshot that are kept as written.
pub(crate) const SNAPSHOT: &[&str] = &[
    "name",
    "description",
    "config",
    "columns",
    "data_tests",
    "tests",
    "meta",
    "docs",
    "group",
    "relation",
];

/// Keys of an analysis that are kept as written.
pub(crate) const ANALYSIS: &[&str] = &[
    "name",
    "description",
    "config",
    "columns",
    "meta",
    "docs",
    "tags",
    "group",
];

/// Keys of a macro that are kept as written.
pub(crate) const MACRO: &[&str] = &["name", "description", "arguments", "meta", "docs", "config"];

/// Keys of a singular test that are kept as written.
pub(crate) const SINGULAR_TEST: &[&str] = &["name", "description", "meta", "docs", "config"];

/// Keys of a column that are kept as written.
pub(crate) const COLUMN: &[&str] = &[
    "name",
    "description",
    "data_type",
    "quote",
    "data_tests",
    "tests",
    "meta",
    "tags",
    "constraints",
    "config",
    "docs",
    "policy_tags",
    "granularity",
    "dimension",
    "entity",
];

/// Keys of a unit test.
pub(crate) const UNIT_TEST: &[&str] = &[
    "name",
    "description",
    "model",
    "given",
    "expect",
    "overrides",
    "config",
    "versions",
];

/// Keys of a source.
pub(crate) const SOURCE: &[&str] = &[
    "name",
    "description",
    "database",
    "schema",
    "quoting",
    "config",
    "loader",
    "loaded_at_field",
    "loaded_at_query",
    "freshness",
    "meta",
    "tags",
    "tables",
    "overrides",
    "docs",
];

/// Keys of a source's table.
pub(crate) const SOURCE_TABLE: &[&str] = &[
    "name",
    "description",
    "identifier",
    "quoting",
    "config",
    "loader",
    "loaded_at_field",
    "loaded_at_query",
    "freshness",
    "meta",
    "tags",
    "columns",
    "data_tests",
    "tests",
    "external",
    "docs",
];
