//! What the ledger tells of a test over time, and of runs.

use super::SCHEMA;
use crate::names::quote_literal;
use crate::session::{Session, SessionError};

/// One run of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// The entry's number.
    pub seq: i64,
    /// When, RFC 3339, UTC, seconds.
    pub at: String,
    /// The run's id.
    pub run_id: String,
    /// How it ended.
    pub status: String,
    /// Failing rows.
    pub failures: Option<u64>,
    /// Rows that it looked at.
    pub rows_tested: Option<u64>,
    /// Severity and thresholds.
    pub thresholds: Option<String>,
    /// Microseconds.
    pub duration_us: Option<u64>,
    /// The project's commit, with `+` behind it when the folder had changes.
    pub commit: Option<String>,
}

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunLine {
    /// The number of its last entry.
    pub seq: i64,
    /// When, RFC 3339, UTC, seconds.
    pub at: String,
    /// Its id.
    pub run_id: String,
    /// The command.
    pub command: String,
    /// The target.
    pub target: String,
    /// How it ended.
    pub status: String,
    /// Nodes, and those that went wrong.
    pub nodes: Option<u64>,
    /// Nodes that went wrong.
    pub wrong: Option<u64>,
    /// Microseconds.
    pub duration_us: Option<u64>,
    /// The project's commit, with `+` behind it when the folder had changes.
    pub commit: Option<String>,
    /// The hash of its last entry: the head that the run told.
    pub hash: String,
}

const AT: &str = "to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
const COMMIT: &str = "git_commit || case when git_dirty then '+' else '' end";

/// The last `limit` runs of the test with this unique id or name, the oldest first.
pub async fn of_test(
    session: &dyn Session,
    name: &str,
    limit: u64,
) -> Result<Vec<Point>, SessionError> {
    let name = quote_literal(name);
    let table = session
        .query(&format!(
            "select seq, {AT}, run_id, status, failures, rows_tested, thresholds, duration_us, \
             {COMMIT} from {SCHEMA}.entry where test is not null and (test = {name} or node = \
             {name}) and status not in ('skipped', 'cancelled') order by seq desc limit {limit}"
        ))
        .await?;
    let mut points: Vec<Point> = table
        .rows
        .into_iter()
        .map(|row| {
            let mut cells = row.into_iter();
            let mut next = || cells.next().flatten();
            Point {
                seq: number(next()).unwrap_or_default(),
                at: next().unwrap_or_default(),
                run_id: next().unwrap_or_default(),
                status: next().unwrap_or_default(),
                failures: number(next()),
                rows_tested: number(next()),
                thresholds: next(),
                duration_us: number(next()),
                commit: next(),
            }
        })
        .collect();
    points.reverse();
    Ok(points)
}

/// Unique id and name of every test that the ledger knows, the one that ran last first.
pub async fn tests(session: &dyn Session) -> Result<Vec<(String, String)>, SessionError> {
    let table = session
        .query(&format!(
            "select node, test from {SCHEMA}.entry where test is not null and node is not null \
             group by node, test order by max(seq) desc"
        ))
        .await?;
    let pair = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter();
        Some((cells.next().flatten()?, cells.next().flatten()?))
    };
    Ok(table.rows.into_iter().filter_map(pair).collect())
}

/// The last `limit` runs, the oldest first.
pub async fn runs(session: &dyn Session, limit: u64) -> Result<Vec<RunLine>, SessionError> {
    let table = session
        .query(&format!(
            "select seq, {AT}, run_id, command, target, status, row_count, failures, duration_us, \
             {COMMIT}, encode(hash, 'hex') from {SCHEMA}.entry where kind = 'run' order by seq \
             desc limit {limit}"
        ))
        .await?;
    let mut runs: Vec<RunLine> = table
        .rows
        .into_iter()
        .map(|row| {
            let mut cells = row.into_iter();
            let mut next = || cells.next().flatten();
            RunLine {
                seq: number(next()).unwrap_or_default(),
                at: next().unwrap_or_default(),
                run_id: next().unwrap_or_default(),
                command: next().unwrap_or_default(),
                target: next().unwrap_or_default(),
                status: next().unwrap_or_default(),
                nodes: number(next()),
                wrong: number(next()),
                duration_us: number(next()),
                commit: next(),
                hash: next().unwrap_or_default(),
            }
        })
        .collect();
    runs.reverse();
    Ok(runs)
}

fn number<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
    text.and_then(|text| text.parse().ok())
}
