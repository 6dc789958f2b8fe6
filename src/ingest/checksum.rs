//! Counts and order-independent checksums: the sum of each row's 64-bit hash, so that order does
//! not matter and a row that is there twice counts twice.

use super::Sum;
use crate::names::quote_ident;
use crate::pg::{Connection, PgError};

/// How rows are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// By Postgres' own hash of the row's text.
    Text,
    /// By MD5 of its UTF-8 bytes, where the databases have different encodings.
    Utf8,
}

/// `sum(...)` over rows whose columns are given by these expressions.
pub(super) fn sum_sql(expressions: &[String], hash: Hash) -> String {
    let row = format!("row({})::text", expressions.join(", "));
    match hash {
        Hash::Text => {
            format!("sum(pg_catalog.hashtextextended({row} collate pg_catalog.\"C\", 0))")
        }
        Hash::Utf8 => format!(
            "sum(('x' || substr(pg_catalog.md5(pg_catalog.convert_to({row}, 'UTF8')), 1, 16))::bit(64)::bigint)"
        ),
    }
}

/// The columns of a target, as expressions.
pub(super) fn plain(names: &[String]) -> Vec<String> {
    names.iter().map(|name| quote_ident(name)).collect()
}

/// Counts and sums what a `from` clause gives.
pub(super) async fn of(connection: &Connection, from: &str, sum: &str) -> Result<Sum, PgError> {
    let sql = format!("select count(*), coalesce({sum}, 0) from {from}");
    let rows = connection.query_untyped(&sql).await?;
    Ok(rows.rows.first().map(|row| read(row)).unwrap_or_default())
}

/// Reads a count and a sum.
pub(super) fn read(row: &[Option<String>]) -> Sum {
    let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    Sum {
        rows: cell(0).parse().unwrap_or_default(),
        checksum: cell(1).parse().unwrap_or_default(),
    }
}
