//! `materialized: logistic_regression`: the model's SQL is the input query, and the table is its
//! rows with a chance and the reasons for it.
//!
//! The input has a boolean `label` (null: not known), a boolean `is_train`, and features whose
//! names begin with `f_` (numbers or booleans, null: not known). Rows of `is_train` with a label
//! are learned from; every row gets `probability` and `reasons`. All other columns go through.

use serde_json::{Map, Value as Json};

use super::{Built, Candidate, Spec, table};
use crate::jinja::Table;
use crate::names::{quote_ident, quote_literal};
use crate::session::{Embedded, Session, SessionError};
use crate::stats::logistic::{Model, Row};

/// The penalty on each weight of a standardised feature: as much as one row knows.
const RIDGE: f64 = 1.0;
/// How many features a row names as its reasons.
const REASONS: usize = 3;

/// Builds and publishes the table.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    let query = query(spec, session).await?;
    table::build_from(spec, &query, session).await
}

/// Builds the table as a candidate.
pub(super) async fn candidate(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let query = query(spec, session).await?;
    table::candidate(spec, &query, session).await
}

/// The made rows as a query, so that the table is made like any other.
async fn query(spec: Spec<'_>, session: &dyn Session) -> Result<String, SessionError> {
    let input = session
        .query_embedded(Embedded {
            text: spec.sql,
            compiled_at: Some(0),
        })
        .await?;
    let columns = Columns::of(&input)?;
    let rows = made(&input, &columns);
    let types = types(spec, &input, &columns, session).await?;
    Ok(format!(
        "select * from json_to_recordset({}::json) as made ({}, probability numeric, reasons text)",
        quote_literal(&Json::Array(rows).to_string()),
        types.join(", ")
    ))
}

/// The columns that go through, each with its type, which rows as text do not tell.
async fn types(
    spec: Spec<'_>,
    input: &Table,
    columns: &Columns,
    session: &dyn Session,
) -> Result<Vec<String>, SessionError> {
    let names = columns.kept.iter();
    let names: Vec<String> = names
        .map(|at| quote_ident(&input.columns[*at].name))
        .collect();
    let asked: Vec<String> = names
        .iter()
        .map(|name| format!("pg_typeof(input.{name})::text"))
        .collect();
    // A null has a type too, so no row has to be made again.
    let sql = format!(
        "select {} from (select 1) as one left join (select * from (\n{}\n) as made where false) as \
         input on true",
        asked.join(", "),
        spec.sql
    );
    let told = session.query(&sql).await?;
    let types = told.rows.first().into_iter().flatten();
    let typed = |(name, of): (&String, &Option<String>)| {
        format!("{name} {}", of.as_deref().unwrap_or("text"))
    };
    Ok(names.iter().zip(types).map(typed).collect())
}

/// Which column of the input is what.
struct Columns {
    label: usize,
    is_train: usize,
    features: Vec<usize>,
    kept: Vec<usize>,
}

impl Columns {
    fn of(input: &Table) -> Result<Self, SessionError> {
        let named = |name: &str| input.columns.iter().position(|c| c.name == name);
        let needed = |name: &str| {
            named(name).ok_or_else(|| {
                SessionError::materialization(format!(
                    "a logistic regression needs a column `{name}` in its query: a boolean; its \
                     features are the columns whose names begin with `f_`"
                ))
            })
        };
        let (features, kept): (Vec<usize>, Vec<usize>) =
            (0..input.columns.len()).partition(|at| input.columns[*at].name.starts_with("f_"));
        Ok(Self {
            label: needed("label")?,
            is_train: needed("is_train")?,
            features,
            kept,
        })
    }
}

fn made(input: &Table, columns: &Columns) -> Vec<Json> {
    let features: Vec<Vec<Option<f64>>> = input
        .rows
        .iter()
        .map(|row| {
            columns
                .features
                .iter()
                .map(|at| number(&row[*at]))
                .collect()
        })
        .collect();
    let is = |row: &Vec<Option<String>>, at: usize| row[at].as_deref().map(|text| text == "t");
    let mut rows: Vec<&Row> = Vec::new();
    let mut labels = Vec::new();
    for (row, features) in input.rows.iter().zip(&features) {
        if let (Some(true), Some(label)) = (is(row, columns.is_train), is(row, columns.label)) {
            rows.push(features);
            labels.push(label);
        }
    }
    // Without anything to learn from a chance is not known.
    let model = (!rows.is_empty()).then(|| Model::fit(&rows, &labels, RIDGE));
    let told = |(row, features): (&Vec<Option<String>>, &Vec<Option<f64>>)| {
        let mut made = Map::new();
        for at in &columns.kept {
            let value = row[*at].clone().map_or(Json::Null, Json::String);
            made.insert(input.columns[*at].name.clone(), value);
        }
        if let Some(model) = &model {
            let probability = format!("{:.6}", model.probability(features));
            made.insert("probability".to_owned(), Json::String(probability));
            let reasons = reasons(input, columns, &model.parts(features));
            made.insert("reasons".to_owned(), Json::String(reasons));
        }
        Json::Object(made)
    };
    input.rows.iter().zip(&features).map(told).collect()
}

/// The features that raise a row's chance most, with what each adds to the log odds.
fn reasons(input: &Table, columns: &Columns, parts: &[f64]) -> String {
    let mut named: Vec<(&str, f64)> = columns
        .features
        .iter()
        .zip(parts)
        .map(|(at, part)| (input.columns[*at].name.trim_start_matches("f_"), *part))
        .filter(|(_, part)| *part >= 0.05)
        .collect();
    named.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    let told = named.iter().take(REASONS);
    let told: Vec<String> = told
        .map(|(name, part)| format!("{name} +{part:.2}"))
        .collect();
    told.join("; ")
}

/// A cell as a number: booleans are 0 and 1; what is no number is not known.
fn number(cell: &Option<String>) -> Option<f64> {
    match cell.as_deref()? {
        "t" => Some(1.0),
        "f" => Some(0.0),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}
