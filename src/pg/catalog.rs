//! What the database holds, in few narrow queries.

use super::connection::{Column, Connection};
use super::error::PgError;
use crate::names::quote_literal;

/// The columns of a relation, in order; empty if it does not exist.
pub async fn columns(
    connection: &Connection,
    schema: &str,
    identifier: &str,
) -> Result<Vec<Column>, PgError> {
    let sql = format!(
        "select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
           from pg_catalog.pg_attribute a
           join pg_catalog.pg_class c on c.oid = a.attrelid
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where n.nspname = {} and c.relname = {} and a.attnum > 0 and not a.attisdropped
          order by a.attnum",
        quote_literal(schema),
        quote_literal(identifier)
    );
    let found = connection.query_untyped(&sql).await?;
    Ok(found
        .rows
        .into_iter()
        .map(|row| {
            let mut values = row.into_iter().map(Option::unwrap_or_default);
            Column {
                name: values.next().unwrap_or_default(),
                data_type: values.next().unwrap_or_default(),
            }
        })
        .collect())
}
