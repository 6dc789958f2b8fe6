//! The built-in macro package `dbt`: SQL text of our own, embedded in the binary, found and
//! overridden like everybody's macros.

/// The files: the path that diagnostics show, and the text.
pub(super) const FILES: &[(&str, &str)] = &[
    ("dbt/names.sql", include_str!("names.sql")),
    ("dbt/statement.sql", include_str!("statement.sql")),
];
