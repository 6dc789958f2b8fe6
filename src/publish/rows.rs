//! Publishing by rows: where something of others hangs on a table, the table stays and its
//! rows are exchanged for the candidate's in one transaction.

use super::facts::{Live, LiveColumn};
use super::swap::{Published, Swap};
use super::{Method, locks};
use crate::diag::{Diagnostic, codes};
use crate::names::quote_ident;
use crate::session::{Session, SessionError};

/// Exchanges the rows of the live table, or refuses with names.
pub(super) async fn publish(
    session: &dyn Session,
    swap: Swap<'_>,
    live: &Live,
    columns: &[LiveColumn],
) -> Result<Published, SessionError> {
    if !live.is_table() || !same_columns(live, columns) {
        return Err(refusal(swap, live, columns));
    }
    let list: Vec<String> = columns.iter().map(|c| quote_ident(&c.name)).collect();
    let list = list.join(", ");
    let mut statements = vec![
        "begin".to_owned(),
        format!(
            "set local lock_timeout = '{}ms'",
            locks::SHORT_WAIT.as_millis()
        ),
        // Readers go on; other writers wait until the exchange is over.
        format!("lock table {} in share row exclusive mode", swap.live),
        format!("delete from {}", swap.live),
        format!(
            "insert into {} ({list}) select {list} from {}",
            swap.live, swap.candidate
        ),
    ];
    statements.extend_from_slice(swap.then);
    statements.push("commit".to_owned());
    let text = statements.join("\n;\n");
    locks::retry_while_locked(session, swap.live, || session.execute((&text).into())).await?;
    let garbage = vec![format!("drop table if exists {}", swap.candidate)];
    Ok(Published {
        method: Method::Rows,
        garbage,
    })
}

fn same_columns(live: &Live, columns: &[LiveColumn]) -> bool {
    live.columns.len() == columns.len()
        && columns.iter().all(|c| {
            live.columns
                .iter()
                .any(|l| l.name == c.name && l.data_type == c.data_type)
        })
}

fn refusal(swap: Swap<'_>, live: &Live, columns: &[LiveColumn]) -> SessionError {
    let mut diagnostic = Diagnostic::error(
        codes::PUBLISH_REFUSED,
        format!(
            "{} was not replaced: others depend on it and its columns differ",
            swap.live
        ),
    );
    for blocker in &live.blockers {
        diagnostic = diagnostic.note(format!("it has: {blocker}"));
    }
    for view in live
        .views
        .iter()
        .filter(|v| !v.may_replace && v.kind == 'v')
    {
        let text = format!("view {} belongs to {}", view.sql_name(), view.owner);
        diagnostic = diagnostic.note(text);
    }
    let describe = |name: &str, data_type: &str| format!("{name} {data_type}");
    let now: Vec<_> = live
        .columns
        .iter()
        .map(|c| describe(&c.name, &c.data_type))
        .collect();
    let next: Vec<_> = columns
        .iter()
        .map(|c| describe(&c.name, &c.data_type))
        .collect();
    SessionError::new(
        diagnostic
            .note(format!("columns now:  {}", now.join(", ")))
            .note(format!("columns next: {}", next.join(", ")))
            .hint("remove what is named above, or keep the columns as they are; then run again"),
    )
}
