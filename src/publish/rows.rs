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
    let mut statements = vec![
        "begin".to_owned(),
        format!(
            "set local lock_timeout = '{}ms'",
            locks::SHORT_WAIT.as_millis()
        ),
    ];
    statements.extend(plan(swap, live, columns)?);
    statements.extend_from_slice(swap.then);
    statements.push("commit".to_owned());
    let text = statements.join("\n;\n");
    locks::retry_while_locked(session, swap.live, || session.execute((&text).into()))
        .await
        .map_err(|error| explain(swap, live, error))?;
    let (keyword, candidate) = (swap.candidate.keyword(), swap.candidate);
    let garbage = vec![format!("drop {keyword} if exists {candidate}")];
    Ok(Published {
        method: Method::Rows,
        garbage,
    })
}

/// The statements that exchange the rows, for an open transaction; refuses with names.
pub(super) fn plan(
    swap: Swap<'_>,
    live: &Live,
    columns: &[LiveColumn],
) -> Result<Vec<String>, SessionError> {
    if !live.is_table() || !same_columns(live, columns) {
        return Err(refusal(swap, live, columns));
    }
    let mut statements = vec![
        // Where a policy would hide rows from us, an error is better than half an exchange.
        "set local row_security = off".to_owned(),
        // Readers go on; other writers wait until the exchange is over.
        format!("lock table {} in share row exclusive mode", swap.live),
    ];
    statements.extend(exchange(swap, live, columns));
    statements.push("set local row_security = on".to_owned());
    Ok(statements)
}

/// All rows out, all new rows in. Where a foreign key of others refers to the table, row by
/// row of its key instead: a deleted row would take the rows that refer to it along or be
/// held by them, although the same key comes back.
fn exchange(swap: Swap<'_>, live: &Live, columns: &[LiveColumn]) -> Vec<String> {
    let (target, source) = (swap.live, swap.candidate);
    let list: Vec<String> = columns.iter().map(|c| quote_ident(&c.name)).collect();
    let all = list.join(", ");
    if live.referenced_key.is_empty() {
        return vec![
            format!("delete from {target}"),
            format!("insert into {target} ({all}) select {all} from {source}"),
        ];
    }
    let key: Vec<String> = live.referenced_key.iter().map(|c| quote_ident(c)).collect();
    let side = |alias: &str, names: &[String]| {
        let names: Vec<String> = names.iter().map(|c| format!("{alias}.{c}")).collect();
        names.join(", ")
    };
    let same = format!("({}) = ({})", side("old", &key), side("new", &key));
    let (old, new) = (side("old", &list), side("new", &list));
    let set: Vec<String> = list.iter().map(|c| format!("{c} = new.{c}")).collect();
    vec![
        // Fails where the new rows repeat a key, of which an update would keep one.
        format!("create unique index on {source} ({})", key.join(", ")),
        format!(
            "delete from {target} as old where not exists (select from {source} as new where \
             {same})"
        ),
        format!(
            "update {target} as old set {} from {source} as new where {same} and \
             row({old})::text is distinct from row({new})::text",
            set.join(", ")
        ),
        format!(
            "insert into {target} ({all}) select {all} from {source} as new where not exists \
             (select from {target} as old where {same})"
        ),
    ]
}

/// Says why the rows were exchanged in place, where Postgres does not want that.
pub(super) fn explain(swap: Swap<'_>, live: &Live, error: SessionError) -> SessionError {
    // 55000: a publication without a replica identity; 23...: a key or check of others.
    let theirs = |state: &str| state == "55000" || state.starts_with("23");
    if live.blockers.is_empty() || !error.sqlstate.as_deref().is_some_and(theirs) {
        return error;
    }
    let mut diagnostic = Diagnostic::error(
        codes::PUBLISH_REFUSED,
        format!("the rows of {} were not replaced", swap.live),
    )
    .note(format!("Postgres says: {}", error.diagnostic.message));
    for note in &error.diagnostic.notes {
        diagnostic = diagnostic.note(note.clone());
    }
    for blocker in &live.blockers {
        diagnostic = diagnostic.note(format!("it has: {blocker}"));
    }
    SessionError {
        diagnostic: Box::new(diagnostic.hint("mend or remove what is named above, then run again")),
        ..error
    }
}

/// Whether a candidate's rows can stand in the live table.
pub(super) fn fits(live: &Live, columns: &[LiveColumn]) -> bool {
    live.is_table() && same_columns(live, columns)
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
        match live.is_table() {
            true => format!(
                "{} was not replaced: others depend on it and its columns differ",
                swap.live
            ),
            false => format!("{} was not replaced: others depend on it", swap.live),
        },
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
