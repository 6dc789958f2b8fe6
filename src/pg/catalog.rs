//! What the catalog says of one relation: its columns. What hangs on a relation and what
//! belongs to it is read where it is published.

use super::connection::{Column, Connection};
use super::error::PgError;
use crate::names::{quote_ident, quote_literal};

/// The columns of a relation, in order; empty if it does not exist. Without a schema it is
/// looked up on the search path, where temporary tables are first.
pub(super) async fn columns(
    connection: &Connection,
    schema: &str,
    name: &str,
) -> Result<Vec<Column>, PgError> {
    let place = if schema.is_empty() {
        let on_path = quote_literal(&quote_ident(name));
        format!("c.oid = pg_catalog.to_regclass({on_path})")
    } else {
        let (schema, name) = (quote_literal(schema), quote_literal(name));
        format!("n.nspname = {schema} and c.relname = {name}")
    };
    let sql = format!(
        "select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
           from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
           join pg_catalog.pg_attribute a on a.attrelid = c.oid
          where {place} and a.attnum > 0 and not a.attisdropped
          order by a.attnum"
    );
    let found = connection.query_untyped(&sql).await?;
    let column = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        Column {
            name: cells.next().unwrap_or_default(),
            data_type: cells.next().unwrap_or_default(),
        }
    };
    Ok(found.rows.into_iter().map(column).collect())
}
