//! One relation: its entry, columns and indexes.

use super::super::connection::{Column, Connection};
use super::super::error::PgError;
use super::rows::Cells;
use super::{Entry, Oid, Persistence};
use crate::names::{RelationKind, quote_ident, quote_literal};

/// The fields that [`entry`] reads. Sizes are asked only of unlogged tables: they cost a
/// look at the file system.
pub(super) const FIELDS: &str = "c.oid::pg_catalog.text, n.nspname, c.relname, c.relkind::pg_catalog.text, \
     pg_catalog.pg_get_userbyid(c.relowner), c.relpersistence::pg_catalog.text, \
     case when c.relpersistence = 'u' and c.reltuples > 0 \
          then pg_catalog.pg_relation_size(c.oid) = 0 else false end::pg_catalog.text, \
     pg_catalog.pg_has_role(c.relowner, 'usage')::pg_catalog.text";
pub(super) const TABLES: &str =
    "pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace";
pub(super) const KINDS: &str = "c.relkind in ('r', 'p', 'f', 'v', 'm')";

pub(super) fn entry(cells: &mut Cells) -> Result<Entry, PgError> {
    Ok(Entry {
        oid: cells.oid()?,
        schema: cells.text(),
        name: cells.text(),
        kind: match cells.text().as_str() {
            "v" => RelationKind::View,
            "m" => RelationKind::MaterializedView,
            _ => RelationKind::Table,
        },
        owner: cells.text(),
        persistence: match cells.text().as_str() {
            "u" => Persistence::Unlogged,
            "t" => Persistence::Temporary,
            _ => Persistence::Permanent,
        },
        // A boolean cast to text reads `true`, unlike one that is sent as it is.
        is_emptied: cells.text() == "true",
        is_ours: cells.text() == "true",
    })
}

/// A relation as it is now, if it exists.
pub async fn relation(
    connection: &Connection,
    schema: &str,
    name: &str,
) -> Result<Option<Entry>, PgError> {
    let sql = format!(
        "select {FIELDS} from {TABLES} where n.nspname = {} and c.relname = {} and {KINDS}",
        quote_literal(schema),
        quote_literal(name)
    );
    let found = connection.query_untyped(&sql).await?;
    found
        .rows
        .into_iter()
        .next()
        .map(|row| entry(&mut Cells::new(row)))
        .transpose()
}

/// The columns of a relation, in order; empty if it does not exist. Without a schema it is
/// looked up on the search path, where temporary tables are first.
pub async fn columns(
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
           from {TABLES} join pg_catalog.pg_attribute a on a.attrelid = c.oid
          where {place} and a.attnum > 0 and not a.attisdropped
          order by a.attnum"
    );
    let found = connection.query_untyped(&sql).await?;
    let column = |row| {
        let mut cells = Cells::new(row);
        Column {
            name: cells.text(),
            data_type: cells.text(),
        }
    };
    Ok(found.rows.into_iter().map(column).collect())
}

/// An index of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// `CREATE INDEX …`, with names qualified.
    pub definition: String,
    /// Whether keys are unique.
    pub is_unique: bool,
    /// Whether it is the primary key.
    pub is_primary: bool,
    /// Whether it can be relied on.
    pub is_valid: bool,
    /// Whether it covers all rows by plain columns: no predicate, no expression.
    pub is_plain: bool,
    /// Key columns in order; empty names stand for expressions.
    pub columns: Vec<String>,
}

/// A table's indexes, by name.
pub async fn indexes(connection: &Connection, table: Oid) -> Result<Vec<Index>, PgError> {
    let sql = format!(
        "select i.relname, pg_catalog.pg_get_indexdef(i.oid), x.indisunique, x.indisprimary,
                x.indisvalid and x.indisready and x.indimmediate,
                x.indpred is null and x.indexprs is null,
                pg_catalog.array_to_json(array(
                  select coalesce(a.attname, '')
                    from pg_catalog.generate_series(0, x.indnkeyatts - 1) k
                    left join pg_catalog.pg_attribute a
                      on a.attrelid = x.indrelid and a.attnum = x.indkey[k] and a.attnum > 0
                   order by k))
           from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid
          where x.indrelid = {table}
          order by i.relname"
    );
    let found = connection.query_untyped(&sql).await?;
    let index = |row| {
        let mut cells = Cells::new(row);
        Ok(Index {
            name: cells.text(),
            definition: cells.text(),
            is_unique: cells.flag(),
            is_primary: cells.flag(),
            is_valid: cells.flag(),
            is_plain: cells.flag(),
            columns: cells.list()?,
        })
    };
    found.rows.into_iter().map(index).collect()
}
