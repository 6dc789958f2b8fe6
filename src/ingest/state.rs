//! What the target's schema remembers: `marts_ingest` (a row a loaded table), `marts_ingest_slices`
//! (a row a committed slice of a load that is not done) and `dq_reconciliation` (what was compared).

use super::slices::Slice;
use super::{Sum, Table};
use crate::names::{quote_ident, quote_literal};
use crate::pg::{Connection, PgError};

/// Tables of the schema that are not anybody's to load into.
pub(super) const OWN: [&str; 3] = ["marts_ingest", "marts_ingest_slices", "dq_reconciliation"];

const COLUMNS: [&str; 3] = [
    "table_name text primary key, source_relation text not null, watermark text, \
     load_id text not null, loaded_at timestamptz not null",
    "table_name text, slice integer, fingerprint text not null, part text not null, \
     predicate text not null, upper text not null, xid text not null, source_rows bigint not null, \
     source_checksum numeric not null, primary key (table_name, slice)",
    "table_name text not null, slice integer, source_relation text not null, source_rows bigint not null, \
     target_rows bigint not null, source_checksum numeric not null, target_checksum numeric not null, \
     matches boolean not null, is_current boolean not null, load_id text not null, \
     checked_at timestamptz not null default now()",
];

/// A committed slice of a load that is not done.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) number: u32,
    pub(super) slice: Slice,
    /// The transaction that wrote its rows, by which they are found in the staging table.
    pub(super) xid: String,
    pub(super) source: Sum,
}

/// A table that was loaded before.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) watermark: Option<String>,
}

/// Makes the schema and our tables in it, where they are missing: a role that may not create
/// schemas or tables can use what is there.
pub(super) async fn prepare(target: &Connection, schema: &str) -> Result<(), PgError> {
    let asked = format!(
        "select (to_regnamespace({}) is null)::text",
        quote_literal(&quote_ident(schema))
    );
    let is_new = one(target, &asked).await?.as_deref() == Some("true");
    let mut sql = String::from(
        "begin; select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('marts ingest', 0)); ",
    );
    if is_new {
        sql += &format!("create schema if not exists {}; ", quote_ident(schema));
    }
    target.execute(&sql).await?;
    for (name, columns) in OWN.iter().zip(COLUMNS) {
        let relation = own(schema, name);
        let asked = format!("select to_regclass({})::text", quote_literal(&relation));
        if one(target, &asked).await?.is_none() {
            let create = format!("create table {relation} ({columns})");
            target.execute(&create).await?;
        }
    }
    target.execute("commit").await.map(|_| ())
}

fn own(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_ident(schema), quote_ident(name))
}

/// The first cell.
pub(super) async fn one(target: &Connection, sql: &str) -> Result<Option<String>, PgError> {
    Ok(super::columns::first(target.query_untyped(sql).await?.rows))
}

/// What is known of a table, if it was loaded before.
pub(super) async fn known(
    target: &Connection,
    schema: &str,
    to: &str,
) -> Result<Option<Known>, PgError> {
    let sql = format!(
        "select watermark from {} where table_name = {}",
        own(schema, OWN[0]),
        quote_literal(to)
    );
    let rows = target.query_untyped(&sql).await?.rows;
    Ok(rows.into_iter().next().map(|row| Known {
        watermark: row.into_iter().next().flatten(),
    }))
}

/// The committed slices of an earlier load of the same form.
pub(super) async fn done(
    target: &Connection,
    schema: &str,
    to: &str,
    fingerprint: &str,
) -> Result<Vec<Done>, PgError> {
    let sql = format!(
        "select slice, part, predicate, upper, xid, source_rows, source_checksum from {} \
         where table_name = {} and fingerprint = {} order by slice",
        own(schema, OWN[1]),
        quote_literal(to),
        quote_literal(fingerprint)
    );
    let rows = target.query_untyped(&sql).await?.rows;
    let read = |row: Vec<Option<String>>| {
        let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        Done {
            number: cell(0).parse().unwrap_or_default(),
            slice: Slice {
                part: cell(1),
                predicate: cell(2),
                upper: cell(3),
            },
            xid: cell(4),
            source: super::checksum::read(&row[5..]),
        }
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Forgets the slices of a table; SQL.
pub(super) fn forget_sql(schema: &str, to: &str) -> String {
    format!(
        "delete from {} where table_name = {}",
        own(schema, OWN[1]),
        quote_literal(to)
    )
}

/// Notes a slice in the transaction that wrote its rows; SQL that gives the transaction's id.
pub(super) fn note_sql(
    schema: &str,
    to: &str,
    fingerprint: &str,
    (number, slice, source): (u32, &Slice, &Sum),
) -> String {
    format!(
        "insert into {} values ({}, {number}, {}, {}, {}, {}, pg_catalog.pg_current_xact_id()::xid::text, {}, {}) \
         on conflict (table_name, slice) do update set xid = excluded.xid, predicate = excluded.predicate, \
         source_rows = excluded.source_rows, source_checksum = excluded.source_checksum returning xid",
        own(schema, OWN[1]),
        quote_literal(to),
        quote_literal(fingerprint),
        quote_literal(&slice.part),
        quote_literal(&slice.predicate),
        quote_literal(&slice.upper),
        source.rows,
        source.checksum
    )
}

/// Notes a finished load; SQL.
pub(super) fn loaded_sql(
    schema: &str,
    table: &Table,
    watermark: Option<&str>,
    load_id: &str,
) -> String {
    let watermark = watermark.map_or_else(|| "null".to_owned(), quote_literal);
    format!(
        "insert into {} values ({}, {}, {watermark}, {}, now()) on conflict (table_name) do update set \
         source_relation = excluded.source_relation, load_id = excluded.load_id, loaded_at = excluded.loaded_at, \
         watermark = excluded.watermark",
        own(schema, OWN[0]),
        quote_literal(&table.to),
        quote_literal(&super::source::source_name(table)),
        quote_literal(load_id),
    )
}

/// One comparison.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    /// The slice; `None` for the whole table.
    pub(super) slice: Option<u32>,
    pub(super) source: Sum,
    pub(super) target: Sum,
}

/// Writes comparisons of a load down. Earlier ones of the table are no longer current, and
/// those of single slices go.
pub(super) fn compared_sql(
    schema: &str,
    table: &Table,
    load_id: &str,
    compared: &[Compared],
) -> String {
    let relation = own(schema, OWN[2]);
    let name = quote_literal(&table.to);
    let id = quote_literal(load_id);
    let mut sql = format!(
        "delete from {relation} where table_name = {name} and slice is not null and load_id <> {id}; \
         update {relation} set is_current = false where table_name = {name} and is_current and load_id <> {id}"
    );
    let source_name = quote_literal(&super::source::source_name(table));
    let rows: Vec<String> = compared
        .iter()
        .map(|one| {
            let slice = one
                .slice
                .map_or_else(|| "null".to_owned(), |n| n.to_string());
            format!(
                "({name}, {slice}, {source_name}, {}, {}, {}, {}, {}, true, {id})",
                one.source.rows,
                one.target.rows,
                one.source.checksum,
                one.target.checksum,
                one.source == one.target
            )
        })
        .collect();
    if !rows.is_empty() {
        sql += &format!(
            "; insert into {relation} (table_name, slice, source_relation, source_rows, target_rows, \
             source_checksum, target_checksum, matches, is_current, load_id) values {}",
            rows.join(", ")
        );
    }
    sql
}
