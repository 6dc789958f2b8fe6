//! Data tests: ask, judge by severity and thresholds, and say what was found.

pub mod additivity;
mod expected;
pub mod failures;
pub mod freshness;
pub mod fuse;
mod judge;
pub mod money;
pub mod reconcile;
pub mod sample;
mod sensitive;
mod sums;
pub mod unit;

use crate::event::{Sample, Status};
use crate::graph::Node;
use crate::jinja::{Arg, Table};
use crate::session::{Embedded, Session, SessionError};
use serde_json::Value as Json;

pub use expected::expected;
pub use judge::{may_share, passed, tested_rows, thresholds};
pub use sensitive::{MASK, Sensitive, patterns};

use judge::{Answer, Thresholds, message};

/// How many failing rows a report shows.
pub const SAMPLE_ROWS: usize = 5;

/// What a test found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Pass, warn or fail.
    pub status: Status,
    /// `fail_calc` over the failing rows, normally their number.
    pub failures: u64,
    /// Rows that it looked at, where they were counted on the way.
    pub rows_tested: Option<u64>,
    /// Some of them, unless it passed.
    pub sample: Option<Sample>,
    /// How the count stands to a threshold that is not dbt's default.
    pub message: Option<String>,
}

/// Runs a test whose compiled SQL selects the failing rows. `rows` is a query that counts the
/// tested rows, for thresholds that are a share of them.
///
/// Errors: the SQL does not run, or `fail_calc` gives no whole number.
pub async fn run_test(
    node: &Node,
    compiled: &str,
    rows: Option<&str>,
    session: &dyn Session,
) -> Result<Verdict, SessionError> {
    let thresholds = Thresholds::of(&node.config).map_err(SessionError::materialization)?;
    let sql = test_sql(node, &thresholds, compiled, session).await?;
    let sql = match rows {
        Some(rows) if thresholds.need_rows() => with_rows(&sql, rows),
        _ => sql,
    };
    let compiled_at = sql.find(compiled);
    let table = session
        .query_embedded(Embedded {
            text: &sql,
            compiled_at,
        })
        .await?;
    let answer = read_answer(node, &table)?;
    let status = thresholds.judge(answer);
    let sample = match status {
        Status::Pass => None,
        _ => sample(compiled, session).await,
    };
    Ok(Verdict {
        status,
        failures: answer.failures,
        rows_tested: answer.rows,
        sample,
        message: message(&node.config, status, answer),
    })
}

/// The test inside dbt's statement that counts and compares.
async fn test_sql(
    node: &Node,
    thresholds: &Thresholds,
    compiled: &str,
    session: &dyn Session,
) -> Result<String, SessionError> {
    let config = &node.config;
    let (warn_if, error_if) = thresholds.sql();
    let text = |value: &str| Arg::Json(Json::String(value.to_owned()));
    let limit = config.limit.map_or(Json::Null, Json::from);
    let args = [
        ("main_sql", text(compiled)),
        ("fail_calc", text(&config.fail_calc)),
        ("warn_if", text(warn_if)),
        ("error_if", text(error_if)),
        ("limit", Arg::Json(limit)),
    ];
    session.call_macro("get_test_sql", &args).await
}

/// Counts the tested rows in the same statement, so that both numbers are of one moment, and
/// only if something failed.
fn with_rows(sql: &str, rows: &str) -> String {
    format!(
        "select judged.*, case when judged.failures <> 0 then (\n{rows}\n) end as tested_rows\n\
         from (\n{sql}\n) as judged"
    )
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
            rows: cell("tested_rows").and_then(|rows| rows.parse().ok()),
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
