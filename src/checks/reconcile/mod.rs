//! The test `reconciles`: its breaks are found once, judged like any test's rows, summed up by
//! class, and remembered in the ledger's schema with the time each was first seen.

mod memory;

use super::{Verdict, run_test};
use crate::event::Status;
use crate::graph::{Detail, Node};
use crate::jinja::Table;
use crate::session::{Embedded, Session, SessionError};

/// The breaks of a running test, in a temporary table of its connection.
const BREAKS: &str = "pg_temp.marts_reconcile_breaks";

/// What a reconciliation found.
#[derive(Debug)]
pub struct Reconciled {
    /// As of any test.
    pub verdict: Verdict,
    /// The breaks by class with their amounts, unless there are none.
    pub message: Option<String>,
    /// Why breaks could not be remembered.
    pub warning: Option<String>,
}

/// Whether a node is a `reconciles` test by our own macro.
pub fn is_reconciliation(node: &Node) -> bool {
    match &node.detail {
        Detail::GenericTest(test) if test.test == "reconciles" && test.namespace.is_none() => {
            let ours = "macro.dbt.default__test_reconciles";
            node.macros.iter().any(|id| id == ours)
        }
        _ => false,
    }
}

/// Finds the breaks, judges them and remembers them.
///
/// Errors: the comparison does not run. What goes wrong with the memory is a warning.
pub async fn run_reconciliation(
    node: &Node,
    compiled: &str,
    session: &dyn Session,
) -> Result<Reconciled, SessionError> {
    if !keep_breaks(compiled, session).await? {
        let verdict = run_test(node, compiled, session).await?;
        return Ok(Reconciled {
            verdict,
            message: None,
            warning: Some(format!(
                "the breaks of `{}` are not remembered: the role may not make temporary tables",
                node.name
            )),
        });
    }
    let judged = judge(node, session).await;
    let drop = format!("drop table if exists {BREAKS}");
    if let Err(error) = session.execute((&drop).into()).await {
        tracing::debug!(%error, "a temporary table stays until its connection ends");
    }
    judged
}

async fn judge(node: &Node, session: &dyn Session) -> Result<Reconciled, SessionError> {
    let rows = format!("select * from {BREAKS}");
    let verdict = run_test(node, &rows, session).await?;
    let message = match verdict.status {
        Status::Pass => None,
        _ => Some(summary(session).await?),
    };
    let warning = memory::remember(node, session).await.err();
    let warning = warning.map(|error| {
        format!(
            "the breaks of `{}` are not remembered, so they have no age: {}",
            node.name, error.diagnostic.message
        )
    });
    Ok(Reconciled {
        verdict,
        message,
        warning,
    })
}

/// Runs the comparison into a temporary table; false where the role may have none.
async fn keep_breaks(compiled: &str, session: &dyn Session) -> Result<bool, SessionError> {
    let head = format!(
        "drop table if exists {BREAKS}; create temporary table \
                        marts_reconcile_breaks as\n"
    );
    let text = format!("{head}{compiled}");
    let made = session
        .execute(Embedded {
            text: &text,
            compiled_at: Some(head.len()),
        })
        .await;
    match made {
        Ok(_) => Ok(true),
        Err(error) if error.is("42501") && may_not_make_temporary(session).await => Ok(false),
        Err(error) => Err(error),
    }
}

async fn may_not_make_temporary(session: &dyn Session) -> bool {
    let sql = "select has_database_privilege(current_database(), 'temporary')::text";
    let table = session.query(sql).await.ok();
    let cell = table.and_then(|t| t.rows.first()?.first()?.clone());
    cell.as_deref() == Some("false")
}

/// The breaks by class and currency, a line for each.
async fn summary(session: &dyn Session) -> Result<String, SessionError> {
    let sql = format!(
        "select class, count(*), sum(left_amount), sum(right_amount), to_jsonb(b) ->> 'currency', \
         max(age_days) from {BREAKS} b group by class, 5 order by class, 5"
    );
    Ok(in_words(&session.query(&sql).await?))
}

fn in_words(table: &Table) -> String {
    let line = |row: &Vec<Option<String>>| {
        let cell = |at: usize| row.get(at).cloned().flatten();
        let currency = cell(4).map(|code| format!(" {code}")).unwrap_or_default();
        let amount = |at: usize| cell(at).unwrap_or_else(|| "nothing".to_owned());
        let age = match cell(5).as_deref() {
            None | Some("0") => String::new(),
            Some("1") => ", the oldest 1 day old".to_owned(),
            Some(days) => format!(", the oldest {days} days old"),
        };
        format!(
            "{} {}: left {}{currency}, right {}{currency}{age}",
            cell(1).unwrap_or_default(),
            cell(0).unwrap_or_default(),
            amount(2),
            amount(3),
        )
    };
    let lines: Vec<String> = table.rows.iter().map(line).collect();
    lines.join("\n")
}
