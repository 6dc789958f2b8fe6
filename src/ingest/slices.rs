//! How a table is cut: by ranges of pages, which needs no key and no sort, or by ranges of the
//! watermark where only new rows are read. What cannot be cut is one slice.

use super::columns::bind;
use super::{Table, source};
use crate::names::{quote_ident, quote_literal};
use crate::pg::{Connection, PgError};

/// A part of a table: `select … from {part} where {predicate}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    /// What it is read from, as SQL.
    pub(super) part: String,
    /// Which rows, as SQL.
    pub(super) predicate: String,
    /// Where the next slice of the part begins: a page, or a watermark; empty for all of it.
    pub(super) upper: String,
}

/// The table and what hangs below it, with what decides how it is cut.
const PARTS: &str = "
with recursive tree(oid) as (
    select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = $2
    union all
    select i.inhrelid from pg_inherits i join tree on i.inhparent = tree.oid
)
select format('%I.%I', n.nspname, c.relname), c.relkind::text,
       (pg_relation_size(c.oid) / current_setting('block_size')::bigint)::text,
       c.relpages::text, c.reltuples::bigint::text,
       (has_table_privilege(c.oid, 'select') and has_schema_privilege(n.oid, 'usage'))::text,
       c.relrowsecurity::text
from tree join pg_class c on c.oid = tree.oid join pg_namespace n on n.oid = c.relnamespace
order by c.oid";

struct Part {
    relation: String,
    pages: u64,
    rows_per_page: Option<f64>,
}

/// Slices of the whole table by pages, from where `done` ends.
pub(super) async fn by_pages(
    connection: &Connection,
    table: &Table,
    done: &[Slice],
) -> Result<Vec<Slice>, PgError> {
    let Some(parts) = parts(connection, table).await? else {
        return Ok(whole(table, done));
    };
    let mut slices = Vec::new();
    for part in parts {
        let from = format!("only {}", part.relation);
        let start = done
            .iter()
            .filter(|slice| slice.part == from)
            .filter_map(|slice| slice.upper.parse().ok())
            .max()
            .unwrap_or(0);
        let per_page = match part.rows_per_page {
            Some(rows) => rows,
            None => sampled(connection, &from).await?,
        };
        let step = pages_of(table.slice_rows, per_page);
        slices.extend(pages(&from, start, part.pages, step));
    }
    Ok(slices)
}

/// One slice of everything, unless it is there.
pub(super) fn whole(table: &Table, done: &[Slice]) -> Vec<Slice> {
    match done.is_empty() {
        false => Vec::new(),
        true => vec![Slice {
            part: source::relation(table),
            predicate: "true".to_owned(),
            upper: String::new(),
        }],
    }
}

fn pages_of(rows: u64, per_page: f64) -> u64 {
    ((rows as f64 / per_page.max(0.01)) as u64).max(1)
}

/// Ranges of pages from `start` to `end`.
fn pages(from: &str, start: u64, end: u64, step: u64) -> Vec<Slice> {
    let mut slices = Vec::new();
    let mut low = start;
    while low < end {
        let high = (low + step).min(end);
        slices.push(Slice {
            part: from.to_owned(),
            predicate: format!("ctid >= '({low},0)' and ctid < '({high},0)'"),
            upper: high.to_string(),
        });
        low = high;
    }
    slices
}

/// The heaps of a table; `None` where it is read as a whole: a view, a foreign table, or parts
/// that the role may read only through their parent.
async fn parts(connection: &Connection, table: &Table) -> Result<Option<Vec<Part>>, PgError> {
    let sql = bind(PARTS, &[&table.schema, &table.name]);
    let rows = connection.query_untyped(&sql).await?.rows;
    let several = rows.len() > 1;
    let mut parts = Vec::new();
    for row in rows {
        let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        let kind = cell(1);
        let through_parent = several && (cell(5) != "true" || cell(6) == "true");
        if through_parent || ["v", "f"].contains(&kind.as_str()) {
            return Ok(None);
        }
        if kind == "p" {
            continue;
        }
        let (pages, tuples): (f64, f64) = (
            cell(3).parse().unwrap_or(0.0),
            cell(4).parse().unwrap_or(-1.0),
        );
        parts.push(Part {
            relation: cell(0),
            pages: cell(2).parse().unwrap_or(0),
            rows_per_page: (pages > 0.0 && tuples > 0.0).then(|| tuples / pages),
        });
    }
    Ok(Some(parts))
}

/// Rows per page of a table without statistics, by its first pages.
async fn sampled(connection: &Connection, from: &str) -> Result<f64, PgError> {
    let sql = format!("select count(*) from {from} where ctid < '(32,0)'");
    let rows = connection.query_untyped(&sql).await?.rows;
    let count = super::columns::first(rows).and_then(|text| text.parse::<f64>().ok());
    Ok(count.unwrap_or(0.0) / 32.0)
}

/// Slices of the rows from a watermark on (inclusive), or behind the last slice of `done`.
pub(super) async fn by_watermark(
    connection: &Connection,
    table: &Table,
    low: &str,
    done: &[Slice],
) -> Result<Vec<Slice>, PgError> {
    let column = quote_ident(table.watermark.as_deref().unwrap_or_default());
    let part = source::relation(table);
    let start = match done.last() {
        Some(last) => format!("{column} > {}", quote_literal(&last.upper)),
        None => format!("{column} >= {low}"),
    };
    let sql = format!(
        "with rows as (select {column} as w, row_number() over (order by {column}) as n from {part} where {start}) \
         select rows.w::text as upper from rows \
         where n % {step} = 0 or n = (select max(n) from rows) group by rows.w order by rows.w",
        step = table.slice_rows.max(1)
    );
    let mut slices = Vec::new();
    let mut from = start;
    for row in connection.query_untyped(&sql).await?.rows {
        let upper = row.into_iter().next().flatten().unwrap_or_default();
        let literal = quote_literal(&upper);
        slices.push(Slice {
            part: part.clone(),
            predicate: format!("{from} and {column} <= {literal}"),
            upper,
        });
        from = format!("{column} > {literal}");
    }
    Ok(slices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_pages_cover_each_page_once() {
        let slices = pages("only t", 3, 10, 3);
        let uppers: Vec<&str> = slices.iter().map(|s| s.upper.as_str()).collect();
        assert_eq!(uppers, ["6", "9", "10"]);
        assert_eq!(slices[0].predicate, "ctid >= '(3,0)' and ctid < '(6,0)'");
        assert!(pages("only t", 10, 10, 3).is_empty());
    }
}
