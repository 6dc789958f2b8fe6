//! The built-in macro package `dbt`: SQL text of our own, embedded in the binary, found and
//! overridden like everybody's macros.

/// The files: the path that diagnostics show, and the text.
pub(super) const FILES: &[(&str, &str)] = &[
    ("dbt/columns.sql", include_str!("columns.sql")),
    ("dbt/create.sql", include_str!("create.sql")),
    ("dbt/dates.sql", include_str!("dates.sql")),
    ("dbt/docs_grants.sql", include_str!("docs_grants.sql")),
    ("dbt/functions.sql", include_str!("functions.sql")),
    ("dbt/generic_tests.sql", include_str!("generic_tests.sql")),
    ("dbt/hooks.sql", include_str!("hooks.sql")),
    ("dbt/incremental.sql", include_str!("incremental.sql")),
    ("dbt/ingest.sql", include_str!("ingest.sql")),
    (
        "dbt/materializations.sql",
        include_str!("materializations.sql"),
    ),
    ("dbt/metadata.sql", include_str!("metadata.sql")),
    ("dbt/money.sql", include_str!("money.sql")),
    ("dbt/names.sql", include_str!("names.sql")),
    ("dbt/overlay.sql", include_str!("overlay.sql")),
    ("dbt/reconciles.sql", include_str!("reconciles.sql")),
    ("dbt/relations.sql", include_str!("relations.sql")),
    ("dbt/snapshot.sql", include_str!("snapshot.sql")),
    ("dbt/statement.sql", include_str!("statement.sql")),
    ("dbt/test_sql.sql", include_str!("test_sql.sql")),
    ("dbt/user_functions.sql", include_str!("user_functions.sql")),
    ("dbt/types.sql", include_str!("types.sql")),
];
