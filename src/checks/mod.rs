//! Data tests: ask, judge by severity and thresholds, and say what was found.

mod expected;
pub mod freshness;
pub mod money;
mod reconcile;

use crate::event::{Sample, Status};
use crate::graph::Node;
use crate::jinja::{Arg, Table};
use crate::project::TestSeverity;
use crate::session::{Embedded, Session, SessionError};
use serde_json::Value as Json;

pub use expected::expected;
pub use reconcile::{Reconciled, is_reconciliation, run_reconciliation};

/// How many failing rows a report shows.
pub const SAMPLE_ROWS: usize = 5;

/// What a test found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Pass, warn or fail.
    pub status: Status,
    /// `fail_calc` over the failing rows, normally their number.
    pub failures: u64,
    /// Some of them, unless it passed.
    pub sample: Option<Sample>,
}

/// Runs a test whose compiled SQL selects the failing rows.
///
/// Errors: the SQL does not run, or `fail_calc` gives no whole number.
pub async fn run_test(
    node: &Node,
    compiled: &str,
    session: &dyn Session,
) -> Result<Verdict, SessionError> {
    let config = &node.config;
    let text = |value: &str| Arg::Json(Json::String(value.to_owned()));
    let sql = session
        .call_macro(
            "get_test_sql",
            &[
                ("main_sql", text(compiled)),
                ("fail_calc", text(&config.fail_calc)),
                ("warn_if", text(&config.warn_if)),
                ("error_if", text(&config.error_if)),
                (
                    "limit",
                    Arg::Json(config.limit.map_or(Json::Null, Json::from)),
                ),
            ],
        )
        .await?;
    let compiled_at = sql.find(compiled);
    let table = session
        .query_embedded(Embedded {
            text: &sql,
            compiled_at,
        })
        .await?;
    let answer = read_answer(node, &table)?;
    let status = match answer {
        Answer {
            should_error: true, ..
        } if config.severity == TestSeverity::Error => Status::Fail,
        Answer {
            should_error,
            should_warn,
            ..
        } if should_warn || should_error => Status::Warn,
        _ => Status::Pass,
    };
    let sample = match status {
        Status::Pass => None,
        _ => sample(compiled, session).await,
    };
    Ok(Verdict {
        status,
        failures: answer.failures,
        sample,
    })
}

struct Answer {
    failures: u64,
    should_warn: bool,
    should_error: bool,
}

fn read_answer(node: &Node, table: &Table) -> Result<Answer, SessionError> {
    let cell = |name: &str| {
        let at = table.columns.iter().position(|c| c.name == name)?;
        table.rows.first()?.get(at)?.clone()
    };
    let truth = |name: &str| matches!(cell(name).as_deref(), Some("t" | "true"));
    // `sum(x)` over no rows is NULL: nothing failed.
    let failures = cell("failures").unwrap_or_else(|| "0".to_owned());
    let whole = failures
        .parse::<f64>()
        .ok()
        .filter(|f| *f >= 0.0 && f.fract() == 0.0);
    match whole {
        Some(failures) => Ok(Answer {
            failures: failures as u64,
            should_warn: truth("should_warn"),
            should_error: truth("should_error"),
        }),
        None => Err(SessionError::materialization(format!(
            "fail_calc of `{}` gave {failures:?}, which is no whole number of failures",
            node.name
        ))),
    }
}

/// Some failing rows. A sample that cannot be had is no reason to lose the verdict.
async fn sample(compiled: &str, session: &dyn Session) -> Option<Sample> {
    let sql = format!("select * from (\n{compiled}\n) marts_sample limit {SAMPLE_ROWS}");
    let table = session.query(&sql).await.ok()?;
    Some(Sample {
        columns: table.columns.into_iter().map(|c| c.name).collect(),
        rows: table.rows,
    })
}
