//! Rows of a fixture as a query that stands in for a relation: every column that the relation is
//! known to have, those that a row does not name as NULL.

use serde_json::Value as Json;

use super::types::{cast_type, guess, text_of};
use crate::graph::unit_test::Record;
use crate::names::{quote_ident, quote_literal};
use crate::project::FixtureFormat;

/// What is known of a relation before its fixture is looked at.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Columns with their types as the catalog has them; empty when the relation does not exist.
    pub catalog: Vec<(String, String)>,
    /// Columns that a property file describes, with their types where it gives them.
    pub declared: Vec<(String, Option<String>)>,
    /// The model's SQL, in which columns may be named that nothing else knows.
    pub sql: String,
}

/// How the type of a column became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The relation exists.
    Catalog,
    /// A property file says it.
    Declared,
    /// From the values.
    Guessed,
    /// All values are null and nothing says what they would be.
    Unknown,
}

/// A column of a stand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedColumn {
    /// The name, unquoted.
    pub name: String,
    /// Its type as it is cast to.
    pub data_type: String,
    /// Who says so.
    pub origin: Origin,
}

/// A query that stands in for a relation.
#[derive(Clone, Debug)]
pub struct StandIn {
    /// The query.
    pub sql: String,
    /// Its columns; empty for a fixture that is a query itself.
    pub columns: Vec<TypedColumn>,
}

/// A column that a row names and nothing else knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownColumn {
    /// As written.
    pub name: String,
    /// Those that there are.
    pub known: Vec<String>,
}

/// The stand-in for rows. Errors: a column that the relation, its description and the model's
/// SQL do not have.
pub fn stand_in(
    written: &[String],
    rows: &[Record],
    format: FixtureFormat,
    known: &Known,
) -> Result<StandIn, UnknownColumn> {
    let mut columns: Vec<TypedColumn> = Vec::new();
    let mut values: Vec<Option<&str>> = Vec::new();
    for (name, data_type) in &known.catalog {
        columns.push(typed(name, data_type, Origin::Catalog));
        values.push(None);
    }
    for (name, data_type) in &known.declared {
        if find(&columns, name).is_none()
            && let Some(data_type) = data_type
        {
            columns.push(typed(name, data_type, Origin::Declared));
            values.push(None);
        }
    }
    for key in written {
        if let Some(at) = find(&columns, key) {
            values[at] = Some(key);
            continue;
        }
        let described = known.declared.iter().any(|(name, _)| name == key);
        if !known.catalog.is_empty() && !described && !mentions(&known.sql, key) {
            let known = columns.iter().map(|c| c.name.clone()).collect();
            let name = key.clone();
            return Err(UnknownColumn { name, known });
        }
        let of_column: Vec<&Json> = rows.iter().filter_map(|r| r.values.get(key)).collect();
        let (data_type, origin) = match guess(&of_column, format) {
            Some(data_type) => (data_type, Origin::Guessed),
            None => ("text", Origin::Unknown),
        };
        columns.push(typed(&plain_name(key, &known.sql), data_type, origin));
        values.push(Some(key));
    }
    let sql = rows_sql(&columns, &values, rows);
    Ok(StandIn { sql, columns })
}

fn typed(name: &str, data_type: &str, origin: Origin) -> TypedColumn {
    TypedColumn {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        origin,
    }
}

/// A column by its exact name, else by the only one that differs in case alone.
fn find(columns: &[TypedColumn], name: &str) -> Option<usize> {
    let exact = columns.iter().position(|c| c.name == name);
    exact.or_else(|| {
        let lower = name.to_lowercase();
        let mut alike = (0..columns.len()).filter(|at| columns[*at].name.to_lowercase() == lower);
        let first = alike.next()?;
        alike.next().is_none().then_some(first)
    })
}

/// Whether SQL holds a name as a whole word.
fn mentions(sql: &str, name: &str) -> bool {
    let (sql, name) = (sql.to_lowercase(), name.to_lowercase());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    sql.match_indices(&name).any(|(at, found)| {
        let before = sql[..at].chars().next_back();
        let after = sql[at + found.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The name that an unquoted reader means: `Id` is `id`, unless the SQL quotes it.
fn plain_name(name: &str, sql: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain && !sql.contains(&format!("\"{name}\"")) {
        name.to_ascii_lowercase()
    } else {
        name.to_owned()
    }
}

/// A query that gives rows. `keys` are the names under which rows hold a column's value.
pub fn rows_sql(columns: &[TypedColumn], keys: &[Option<&str>], rows: &[Record]) -> String {
    let given: Vec<(usize, &str)> = keys
        .iter()
        .enumerate()
        .filter_map(|(at, key)| key.map(|key| (at, key)))
        .collect();
    let list: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cell = match given.iter().position(|(of, _)| *of == at) {
                Some(place) if !rows.is_empty() => format!("v.c{place}"),
                _ => "null".to_owned(),
            };
            let data_type = cast_type(&column.data_type);
            format!(
                "cast({cell} as {data_type}) as {}",
                quote_ident(&column.name)
            )
        })
        .collect();
    let list = list.join(",\n    ");
    if rows.is_empty() {
        return format!("select\n    {list}\nwhere false");
    }
    let names: Vec<String> = (0..given.len()).map(|place| format!("c{place}")).collect();
    let tuples: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = given
                .iter()
                .map(|(at, key)| cell(row, key, &columns[*at].data_type))
                .collect();
            match cells.is_empty() {
                true => "(null)".to_owned(),
                false => format!("({})", cells.join(", ")),
            }
        })
        .collect();
    let names = match names.is_empty() {
        true => "c0".to_owned(),
        false => names.join(", "),
    };
    format!(
        "select\n    {list}\nfrom (values\n    {}\n) as v ({names})",
        tuples.join(",\n    ")
    )
}

fn cell(row: &Record, key: &str, data_type: &str) -> String {
    let value = row.values.get(key).unwrap_or(&Json::Null);
    match text_of(value, data_type) {
        Some(text) => quote_literal(&text),
        None => "null".to_owned(),
    }
}

/// One query for each value that is not null, by which the one that cannot be cast is found:
/// row, column and query.
pub fn value_checks<'r>(
    columns: &'r [TypedColumn],
    keys: &'r [String],
    rows: &'r [Record],
) -> impl Iterator<Item = (&'r Record, &'r TypedColumn, String)> {
    rows.iter().flat_map(move |row| {
        keys.iter().filter_map(move |key| {
            let column = &columns[find(columns, key)?];
            let value = row.values.get(key).filter(|v| !v.is_null())?;
            let text = quote_literal(&text_of(value, &column.data_type)?);
            let data_type = cast_type(&column.data_type);
            Some((row, column, format!("select cast({text} as {data_type})")))
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diag::{SourceMap, Span};

    fn rows(values: &[Json]) -> (Vec<String>, Vec<Record>) {
        let file = SourceMap::default().add("x", "");
        let span = Span {
            file,
            start: 0,
            end: 0,
        };
        let mut columns = Vec::new();
        let records = values
            .iter()
            .map(|row| {
                let map = row.as_object().expect("a row");
                for key in map.keys() {
                    if !columns.contains(key) {
                        columns.push(key.clone());
                    }
                }
                Record {
                    span,
                    values: map.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
                }
            })
            .collect();
        (columns, records)
    }

    #[test]
    fn the_catalog_goes_before_the_description_and_that_before_a_guess() {
        let known = Known {
            catalog: vec![("id".to_owned(), "bigint".to_owned())],
            declared: vec![
                ("id".to_owned(), Some("text".to_owned())),
                ("at".to_owned(), Some("date".to_owned())),
            ],
            sql: "select id, at, extra from x".to_owned(),
        };
        let (columns, records) = rows(&[json!({"ID": 1, "extra": true})]);
        let made = stand_in(&columns, &records, FixtureFormat::Dict, &known).expect("fits");
        let types: Vec<String> = made
            .columns
            .iter()
            .map(|c| format!("{} {} {:?}", c.name, c.data_type, c.origin))
            .collect();
        assert_eq!(
            types,
            [
                "id bigint Catalog",
                "at date Declared",
                "extra boolean Guessed"
            ]
        );
        assert!(
            made.sql.contains("cast(null as date) as \"at\""),
            "{}",
            made.sql
        );
    }

    #[test]
    fn a_column_that_nothing_knows_is_told_only_where_the_relation_exists() {
        let (columns, records) = rows(&[json!({"idd": 1})]);
        let mut known = Known {
            sql: "select * from x".to_owned(),
            ..Known::default()
        };
        assert!(stand_in(&columns, &records, FixtureFormat::Dict, &known).is_ok());
        known.catalog = vec![("id".to_owned(), "integer".to_owned())];
        let wrong = stand_in(&columns, &records, FixtureFormat::Dict, &known).expect_err("unknown");
        assert_eq!(wrong.name, "idd");
    }

    #[test]
    fn names_fold_as_unquoted_sql_does() {
        assert_eq!(plain_name("OrderId", "select orderid"), "orderid");
        assert_eq!(plain_name("OrderId", "select \"OrderId\""), "OrderId");
        assert_eq!(plain_name("order id", "select 1"), "order id");
    }

    #[test]
    fn no_rows_and_no_columns_are_still_a_query() {
        assert_eq!(rows_sql(&[], &[], &[]), "select\n    \nwhere false");
    }
}
