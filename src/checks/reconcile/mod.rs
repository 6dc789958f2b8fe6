//! The test `reconciles`: its breaks are found once, judged like any test's rows, summed up by
//! class, and remembered in the ledger's schema with the time each was first seen.

mod memory;

use crate::graph::{Detail, Node};
use crate::jinja::Table;
use crate::session::{Embedded, Session, SessionError};

/// The breaks of a running test, in a temporary table of its connection.
const BREAKS: &str = "pg_temp.marts_reconcile_breaks";

/// Selects them.
const ALL_BREAKS: &str = "select * from pg_temp.marts_reconcile_breaks";

/// What is said of the breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// There are none that matter.
    Nothing,
    /// How many, by class: their amounts are sensitive.
    Counts,
    /// How many and how much, by class and currency.
    Amounts,
}

/// What there is to say of a reconciliation beside its verdict.
#[derive(Clone, Debug, Default)]
pub struct Closed {
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

/// Runs the comparison once, into a temporary table, and gives the query of its breaks; `None`
/// where the role may have no such table, so that the comparison is its own query.
///
/// Errors: the comparison does not run.
pub async fn keep_breaks(
    compiled: &str,
    session: &dyn Session,
) -> Result<Option<&'static str>, SessionError> {
    let head = format!(
        "drop table if exists {BREAKS}; create temporary table marts_reconcile_breaks as\n"
    );
    let text = format!("{head}{compiled}");
    let made = session
        .execute(Embedded {
            text: &text,
            compiled_at: Some(head.len()),
        })
        .await;
    match made {
        Ok(_) => Ok(Some(ALL_BREAKS)),
        Err(error) if error.is("42501") && may_not_make_temporary(session).await => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sums up what was found, remembers it, and drops what [`keep_breaks`] made. `breaks` is its
/// answer.
///
/// Errors: the sums cannot be had. What goes wrong with the memory is a warning.
pub async fn close(
    node: &Node,
    breaks: Option<&str>,
    told: Told,
    session: &dyn Session,
) -> Result<Closed, SessionError> {
    if breaks.is_none() {
        return Ok(Closed {
            message: None,
            warning: Some(not_remembered(
                node,
                "the role may not make temporary tables",
            )),
        });
    }
    let message = match told {
        Told::Nothing => None,
        _ => Some(summary(told, session).await?),
    };
    let remembered = memory::remember(node, session).await;
    let drop = format!("drop table if exists {BREAKS}");
    if let Err(error) = session.execute((&drop).into()).await {
        tracing::debug!(%error, "a temporary table stays until its connection ends");
    }
    let warning = remembered.err();
    Ok(Closed {
        message,
        warning: warning.map(|error| not_remembered(node, &error.diagnostic.message)),
    })
}

fn not_remembered(node: &Node, why: &str) -> String {
    format!(
        "the breaks of `{}` are not remembered, so they have no age: {why}",
        node.name
    )
}

async fn may_not_make_temporary(session: &dyn Session) -> bool {
    let sql = "select has_database_privilege(current_database(), 'temporary')::text";
    let table = session.query(sql).await.ok();
    let cell = table.and_then(|t| t.rows.first()?.first()?.clone());
    cell.as_deref() == Some("false")
}

/// The breaks by class and currency, a line for each.
async fn summary(told: Told, session: &dyn Session) -> Result<String, SessionError> {
    let sql = format!(
        "select class, count(*), sum(left_amount), sum(right_amount), to_jsonb(b) ->> 'currency', \
         max(age_days) from {BREAKS} b group by class, 5 order by class, 5"
    );
    Ok(in_words(told, &session.query(&sql).await?))
}

fn in_words(told: Told, table: &Table) -> String {
    let line = |row: &Vec<Option<String>>| {
        let cell = |at: usize| row.get(at).cloned().flatten();
        let currency = cell(4).map(|code| format!(" {code}")).unwrap_or_default();
        let amount = |at: usize| cell(at).unwrap_or_else(|| "nothing".to_owned());
        let age = match cell(5).as_deref() {
            None | Some("0") => String::new(),
            Some("1") => ", the oldest 1 day old".to_owned(),
            Some(days) => format!(", the oldest {days} days old"),
        };
        if told == Told::Counts {
            let (count, class) = (cell(1).unwrap_or_default(), cell(0).unwrap_or_default());
            return format!("{count} {class}{age}");
        }
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
