//! The one statement that compares what a model gives with what it should give.
//!
//! Postgres decides what is equal: values of a column, actual and expected alike, are ranked
//! together, so that equal ones (1 and 1.00, NULL and NULL) have equal ranks.

use super::diff::{Difference, Row};
use super::fixture::TypedColumn;
use super::types::cast_type;
use crate::jinja::Table;
use crate::names::quote_ident;

/// The rows that are expected: a query, and the columns that count.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The query.
    pub sql: &'a str,
    /// Columns that are compared, with the model's types.
    pub columns: &'a [TypedColumn],
}

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// The model's query with what stands in for its inputs.
    pub model: &'a str,
    /// What it should give.
    pub expected: &'a Expected<'a>,
    /// Compare text forms: for types that have no order.
    pub by_text: bool,
}

/// Gives the names of a query's columns and no rows.
pub fn describe_columns(query: &str) -> String {
    format!("select * from (\n{query}\n) as marts_model limit 0")
}

/// Gives one row: the types of a query's columns, qualified where they have to be.
pub fn describe_types(query: &str, columns: &[String]) -> String {
    let types: Vec<String> = columns
        .iter()
        .map(|name| format!("pg_catalog.pg_typeof(q.{})::text", quote_ident(name)))
        .collect();
    format!(
        "select {} from (select 1) as marts_one left join (select * from (\n{query}\n) as \
         marts_model limit 0) as q on true",
        types.join(", ")
    )
}

/// Types whose values cannot be put in order.
const UNORDERED: [&str; 8] = [
    "xml", "point", "line", "lseg", "box", "path", "polygon", "circle",
];

fn key(column: &TypedColumn, value: &str, by_text: bool) -> String {
    let name = column.data_type.trim_end_matches("[]");
    if name == "json" {
        let array = &column.data_type[name.len()..];
        return match array {
            "" => format!("{value}::jsonb"),
            _ => format!("{value}::text"),
        };
    }
    match by_text || UNORDERED.contains(&name) {
        true => format!("{value}::text"),
        false => value.to_owned(),
    }
}

/// The statement: for each row its side, then each column's rank, then each column's text.
pub fn comparison(of: Comparison<'_>) -> String {
    let columns = of.expected.columns;
    let at: Vec<usize> = (0..columns.len()).collect();
    let list = |cells: Vec<String>| cells.join(", ");
    let side = |side: &str, from: &str| {
        let mut cells = vec![format!("'{side}' as side")];
        for (i, column) in columns.iter().enumerate() {
            let name = quote_ident(&column.name);
            let value = match side {
                "actual" => name,
                _ => format!("cast({name} as {})", cast_type(&column.data_type)),
            };
            cells.push(format!("{} as k{i}", key(column, &value, of.by_text)));
            cells.push(format!("{value}::text as t{i}"));
        }
        format!("    select {}\n    from {from}", list(cells))
    };
    let ranks = at
        .iter()
        .map(|i| format!("dense_rank() over (order by k{i}) as r{i}"));
    let texts = at.iter().map(|i| format!("t{i}"));
    let cells: Vec<String> = std::iter::once("side".to_owned())
        .chain(ranks)
        .chain(texts)
        .collect();
    format!(
        "with marts_actual as (\n{}\n),\nmarts_expected as (\n{}\n)\nselect {}\nfrom (\n{}\n    union \
         all\n{}\n) as both_sides",
        of.model,
        of.expected.sql,
        list(cells),
        side("actual", "marts_actual"),
        side("expected", "marts_expected"),
    )
}

/// The answer of [`comparison`].
pub fn read(table: Table, columns: &[TypedColumn]) -> Difference {
    let width = columns.len();
    let (mut actual, mut expected) = (Vec::new(), Vec::new());
    for mut cells in table.rows {
        let texts = cells.split_off((1 + width).min(cells.len()));
        let is_actual = cells.first().and_then(Option::as_deref) == Some("actual");
        let rank = |cell: &Option<String>| cell.as_deref().and_then(|t| t.parse().ok());
        let row = Row {
            ranks: cells.iter().skip(1).map(|c| rank(c).unwrap_or(0)).collect(),
            cells: texts,
        };
        match is_actual {
            true => actual.push(row),
            false => expected.push(row),
        }
    }
    let names = columns.iter().map(|c| c.name.clone()).collect();
    Difference::new(names, actual, expected)
}
