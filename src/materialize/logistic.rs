//! `materialized: logistic_regression`: the model's SQL is the input query, and the table is its
//! rows with a chance and the reasons for it.
//!
//! The input has a boolean `label` (null: not known), a boolean `is_train`, and features whose
//! names begin with `f_` (numbers or booleans, null: not known). Rows of `is_train` with a label
//! are learned from; every row gets `probability` and `reasons`. All other columns go through,
//! and never leave the server: labels and features come by COPY, chances go back by COPY.

mod scores;
mod tuples;

use self::scores::Scores;
use self::tuples::Tuples;
use super::seed::CopyFormat;
use super::{Built, Candidate, Spec, table};
use crate::jinja::Column;
use crate::names::{Relation, quote_ident};
use crate::session::{Embedded, Session, SessionError};
use crate::stats::logistic::{Matrix, Model};

/// The penalty on each weight of a standardised feature: as much as one row knows.
const RIDGE: f64 = 1.0;
/// The input's rows, numbered in their order, and what was found for each number.
const INPUT: &str = "marts_regression_input";
const SCORES: &str = "marts_regression_scores";
const NUMBER: &str = "marts_row";
/// Types that a feature may have.
const NUMBERS: [&str; 6] = [
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric",
];

/// Builds and publishes the table.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    let query = query(spec, session).await?;
    let built = table::build_from(spec, &query, session).await?;
    session.execute((&forget()).into()).await?;
    Ok(built)
}

/// Builds the table as a candidate.
pub(super) async fn candidate(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let query = query(spec, session).await?;
    let made = table::candidate(spec, &query, session).await?;
    session.execute((&forget()).into()).await?;
    Ok(made)
}

/// Scores the input in this session's temporary tables; the query that reads the result, so that
/// the table is made like any other, its contract included.
async fn query(spec: Spec<'_>, session: &dyn Session) -> Result<String, SessionError> {
    // What an earlier attempt on this connection left.
    session.execute((&forget()).into()).await?;
    let create = format!(
        "create temporary table {INPUT} as select row_number() over () as {NUMBER}, made.* from (\n"
    );
    let text = format!("{create}{}\n) as made", spec.sql);
    session
        .execute(Embedded {
            text: &text,
            compiled_at: Some(create.len()),
        })
        .await?;
    let columns = session.columns(&Relation::new("", "", INPUT)).await?;
    let features = features(&columns)?;
    let (labels, rows) = read(&features, session).await?;
    let fit = tokio::task::spawn_blocking(move || (Model::fit(&rows, &labels, RIDGE), rows)).await;
    let (model, rows) = fit.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()));
    let create = format!(
        "create temporary table {SCORES} ({NUMBER} bigint, probability numeric, reasons text)"
    );
    session.execute((&create).into()).await?;
    // Without anything to learn from a chance is not known.
    if let Some(model) = model {
        let names = features.iter().map(|f| f.name.clone()).collect();
        let copy = format!("copy {SCORES} from stdin {}", CopyFormat::Binary.options());
        let scores = Scores::new(model, rows, names);
        session.copy_in(&copy, Box::new(scores)).await?;
    }
    Ok(joined(&columns))
}

fn forget() -> String {
    format!("drop table if exists pg_temp.{INPUT}, pg_temp.{SCORES}")
}

/// The columns that go through, then what was found, in the input's order.
fn joined(columns: &[Column]) -> String {
    let kept = columns
        .iter()
        .filter(|c| c.name != NUMBER && !is_feature(c));
    let kept: Vec<String> = kept
        .map(|c| format!("input.{}", quote_ident(&c.name)))
        .collect();
    format!(
        "select {}, scores.probability, scores.reasons from pg_temp.{INPUT} as input left join \
         pg_temp.{SCORES} as scores on scores.{NUMBER} = input.{NUMBER} order by input.{NUMBER}",
        kept.join(", ")
    )
}

fn is_feature(column: &Column) -> bool {
    column.name.starts_with("f_")
}

/// The features; an error where the input has not the columns and types that it needs.
fn features(columns: &[Column]) -> Result<Vec<&Column>, SessionError> {
    for name in ["label", "is_train"] {
        let Some(column) = columns.iter().find(|c| c.name == name) else {
            return Err(SessionError::materialization(format!(
                "a logistic regression needs a column `{name}` in its query: a boolean; its \
                 features are the columns whose names begin with `f_`"
            )));
        };
        if column.data_type != "boolean" {
            return Err(SessionError::materialization(format!(
                "the column `{name}` of a logistic regression is of type {}: make it a boolean",
                column.data_type
            )));
        }
    }
    let features: Vec<&Column> = columns.iter().filter(|c| is_feature(c)).collect();
    let odd = |c: &&&Column| c.data_type != "boolean" && !NUMBERS.contains(&bare(c));
    match features.iter().find(odd) {
        Some(odd) => Err(SessionError::materialization(format!(
            "the feature `{}` of a logistic regression is of type {}: a feature is a number or a \
             boolean, cast it",
            odd.name, odd.data_type
        ))),
        None => Ok(features),
    }
}

/// A type without its precision.
fn bare(column: &Column) -> &str {
    let name = column.data_type.split('(').next();
    name.unwrap_or_default().trim_end()
}

/// Labels of the rows to learn from, and the features of all, in the input's order.
async fn read(
    features: &[&Column],
    session: &dyn Session,
) -> Result<(Vec<Option<bool>>, Matrix), SessionError> {
    let number = |column: &&Column| {
        let name = quote_ident(&column.name);
        match bare(column) {
            "boolean" => format!("{name}::integer::float8"),
            // Beyond a double's range it is not known.
            "numeric" => format!("case when abs({name}) < 1e300 then {name}::float8 end"),
            _ => format!("{name}::float8"),
        }
    };
    let mut cells = vec!["case when is_train then label end".to_owned()];
    cells.extend(features.iter().map(number));
    let copy = format!(
        "copy (select {} from pg_temp.{INPUT} order by {NUMBER}) to stdout {}",
        cells.join(", "),
        CopyFormat::Binary.options()
    );
    let (mut labels, mut rows) = (Vec::new(), Matrix::new(features.len()));
    let mut tuples = Tuples::default();
    let mut take = |piece: &[u8]| {
        tuples.feed(piece, |mut cells| {
            labels.push(cells.next().and_then(tuples::boolean));
            rows.push(cells.map(tuples::double));
        })
    };
    session.copy_out((&copy).into(), &mut take).await?;
    tuples.finish()?;
    Ok((labels, rows))
}
