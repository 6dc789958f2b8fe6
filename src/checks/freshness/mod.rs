//! Freshness of sources: when the newest row was loaded, and whether that is too long ago.
//!
//! A time without a zone is UTC, a date is its first moment; no row at all counts as loaded in
//! the year 1, as dbt has it.

mod criteria;

use jiff::Timestamp;

use crate::diag::{Diagnostic, codes};
use crate::event::{Outcome, Status};
use crate::graph::Node;
use crate::names::Relation;
use crate::session::{Session, SessionError};

pub use criteria::{Criteria, Limit, LoadedAt, Period};

/// Seconds from 1970 back to the year 1, when a source without rows was loaded.
const YEAR_ONE: i64 = -62_135_596_800;

/// How fresh a source is.
#[derive(Clone, Debug, PartialEq)]
pub struct Freshness {
    /// Pass, warn, or fail for dbt's `error`.
    pub status: Status,
    /// When the newest row was loaded.
    pub max_loaded_at: Timestamp,
    /// When that was asked.
    pub snapshotted_at: Timestamp,
    /// From the one to the other, in seconds; below zero for a time to come.
    pub age: f64,
    /// By which it was judged.
    pub criteria: Criteria,
}

/// Asks how fresh a source is.
///
/// Errors: the source does not say where the time of loading is, or the query does not run.
pub async fn check(
    node: &Node,
    criteria: Criteria,
    session: &dyn Session,
) -> Result<Freshness, SessionError> {
    let from = freshness_sql(node, &criteria, session).await?;
    let sql = format!(
        "select extract(epoch from max_loaded_at)::text, pg_typeof(max_loaded_at)::text, \
         extract(epoch from now())::text from (\n{from}\n) as freshness"
    );
    let table = match session.query(&sql).await {
        Err(error) if error.is("42883") => return Err(no_time(node, "text or a number").into()),
        answer => answer?,
    };
    let cell = |at: usize| {
        table
            .rows
            .first()
            .and_then(|row| row.get(at).cloned().flatten())
    };
    let kind = cell(1).unwrap_or_default();
    if !kind.starts_with("timestamp") && kind != "date" {
        return Err(no_time(node, &kind).into());
    }
    let moment = |text: String| seconds(&text).ok_or_else(|| no_time(node, &text));
    let max_loaded_at = match cell(0) {
        Some(text) => moment(text)?,
        None => Timestamp::from_second(YEAR_ONE).unwrap_or(Timestamp::MIN),
    };
    let snapshotted_at = moment(cell(2).unwrap_or_default())?;
    let age = (snapshotted_at - max_loaded_at)
        .total(jiff::Unit::Second)
        .unwrap_or(f64::MAX);
    let beyond = |limit: Option<Limit>| limit.is_some_and(|limit| age > limit.seconds());
    let status = if beyond(criteria.error_after) {
        Status::Fail
    } else if beyond(criteria.warn_after) {
        Status::Warn
    } else {
        Status::Pass
    };
    Ok(Freshness {
        status,
        max_loaded_at,
        snapshotted_at,
        age,
        criteria,
    })
}

/// The query whose one value, `max_loaded_at`, is the time.
async fn freshness_sql(
    node: &Node,
    criteria: &Criteria,
    session: &dyn Session,
) -> Result<String, SessionError> {
    let relation = node.relation.as_ref().map(Relation::to_string);
    let filter = match &criteria.filter {
        Some(filter) => format!("\nwhere {}", session.render(filter, None).await?),
        None => String::new(),
    };
    match &criteria.loaded_at {
        Some(LoadedAt::Field(field)) => Ok(format!(
            "select max({}) as max_loaded_at from {}{filter}",
            session.render(field, None).await?,
            relation.unwrap_or_default()
        )),
        Some(LoadedAt::Query(query)) => {
            let query = session.render(query, None).await?;
            let query = query.trim().trim_end_matches(';');
            Ok(format!("select (\n{query}\n) as max_loaded_at"))
        }
        None => Err(placed(
            node,
            Diagnostic::error(
                codes::FRESHNESS,
                format!(
                    "source `{}` has a freshness but does not say when its rows were loaded",
                    node.label()
                ),
            )
            .hint(
                "add `loaded_at_field`, a timestamp column, or `loaded_at_query`; Postgres keeps \
                 no time of its own for a table",
            ),
        )
        .into()),
    }
}

fn no_time(node: &Node, kind: &str) -> Diagnostic {
    placed(
        node,
        Diagnostic::error(
            codes::FRESHNESS,
            format!(
                "the time at which `{}` was loaded is {kind}, not a timestamp",
                node.label()
            ),
        )
        .hint("cast it in `loaded_at_field`, for example `loaded_at::timestamptz`"),
    )
}

fn placed(node: &Node, problem: Diagnostic) -> Diagnostic {
    match node.span {
        Some(span) => problem.at(span, ""),
        None => problem.in_file(&node.path),
    }
}

/// Seconds since 1970, with a fraction, as a moment.
fn seconds(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let micros: i64 = digits.parse().ok()?;
    let micros = if text.starts_with('-') {
        -micros
    } else {
        micros
    };
    Timestamp::from_microsecond(whole.checked_mul(1_000_000)?.checked_add(micros)?).ok()
}

impl Freshness {
    /// What a report says of it.
    pub fn outcome(&self) -> Outcome {
        let limit = match self.status {
            Status::Fail => self.criteria.error_after.map(|l| ("error", l)),
            Status::Warn => self.criteria.warn_after.map(|l| ("warn", l)),
            _ => None,
        };
        let message = limit.map(|(word, limit)| {
            let loaded = if self.max_loaded_at.as_second() == YEAR_ONE {
                "it has no rows".to_owned()
            } else {
                format!(
                    "last loaded {} ago, at {:.0}",
                    span(self.age),
                    self.max_loaded_at
                )
            };
            format!("{loaded}; {word} after {}", limit.words())
        });
        Outcome {
            message,
            ..Outcome::new(self.status)
        }
    }
}

/// A time span for people, in its two largest units.
fn span(seconds: f64) -> String {
    let minutes = (seconds / 60.0).floor() as i64;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours} h {minutes} min"),
        (days, hours) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_of_postgres_are_a_moment_to_the_microsecond() {
        let text = |given: &str| seconds(given).map(|t| t.to_string());
        assert_eq!(text("0.000000").as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(
            text("1767225600.123456").as_deref(),
            Some("2026-01-01T00:00:00.123456Z")
        );
        assert_eq!(text("-0.5").as_deref(), Some("1969-12-31T23:59:59.5Z"));
        assert_eq!(text("Infinity"), None);
        let first = Timestamp::from_second(YEAR_ONE).unwrap();
        assert_eq!(first.to_string(), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        assert_eq!(span(59.0), "0 min");
        assert_eq!(span(3.0 * 3600.0 + 125.0), "3 h 2 min");
        assert_eq!(span(86_400.0 * 9.0 + 7200.0), "9 d 2 h");
    }
}
