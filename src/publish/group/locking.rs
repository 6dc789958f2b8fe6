//! Taking many exclusive locks without standing in the way of readers for long.
//!
//! While one lock is held, the wait for the next is shorter than Postgres' deadlock check.
//! When that fails, all are given back and the one that was not to be had is waited for
//! alone, longer: an autovacuum gives way only after the deadlock check of somebody who waits.

use std::time::{Duration, Instant};

use crate::diag::{Diagnostic, codes};
use crate::names::quote_literal;
use crate::publish::locks::SHORT_WAIT;
use crate::session::{Session, SessionError};

/// A lock to take.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    /// The statement that takes it and changes nothing.
    pub(super) statement: String,
    /// The relation, rendered.
    pub(super) relation: String,
}

/// How long to wait for one relation with nothing else held.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// SQLSTATE of a lock that was not to be had in time, and of a deadlock.
pub(super) fn is_busy(error: &SessionError) -> bool {
    error.is("55P03") || error.is("40P01")
}

/// Takes all locks inside the open transaction, in order.
pub(super) async fn lock_all(
    session: &dyn Session,
    locks: &[Lock],
    until: Instant,
) -> Result<(), SessionError> {
    if locks.is_empty() {
        return Ok(());
    }
    session.execute("savepoint marts_locks".into()).await?;
    loop {
        let Some((lock, error)) = try_all(session, locks).await? else {
            return Ok(());
        };
        session
            .execute("rollback to savepoint marts_locks".into())
            .await?;
        if Instant::now() > until {
            return Err(in_use(session, lock, error).await);
        }
        wait_for(session, lock).await?;
    }
}

/// The first lock that was not to be had.
async fn try_all<'l>(
    session: &dyn Session,
    locks: &'l [Lock],
) -> Result<Option<(&'l Lock, SessionError)>, SessionError> {
    for lock in locks {
        match session.execute((&lock.statement).into()).await {
            Ok(_) => {}
            Err(error) if is_busy(&error) => return Ok(Some((lock, error))),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Waits for one relation with none other held, and lets it go again.
async fn wait_for(session: &dyn Session, lock: &Lock) -> Result<(), SessionError> {
    let text = format!(
        "set local lock_timeout = '{}ms'; {}",
        LONG_WAIT.as_millis(),
        lock.statement
    );
    let waited = session.execute((&text).into()).await;
    let back = format!(
        "rollback to savepoint marts_locks; set local lock_timeout = '{}ms'",
        SHORT_WAIT.as_millis()
    );
    session.execute((&back).into()).await?;
    match waited {
        Err(error) if !is_busy(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Says who holds the relation.
async fn in_use(session: &dyn Session, lock: &Lock, error: SessionError) -> SessionError {
    let sql = format!(
        "select 'process ' || l.pid || ' of ' || coalesce(a.usename, '?') || ' (' || \
         coalesce(nullif(a.application_name, ''), '?') || '): ' || coalesce(left(a.query, 80), '') \
         from pg_locks l left join pg_stat_activity a using (pid) where l.relation = \
         to_regclass({}) and l.granted and l.pid <> pg_backend_pid() limit 3",
        quote_literal(&lock.relation)
    );
    let mut diagnostic = Diagnostic::error(
        codes::PUBLISH_LOCKED,
        format!(
            "{} stayed in use by others, so nothing was published",
            lock.relation
        ),
    );
    if let Ok(table) = session.query(&sql).await {
        for row in table.rows {
            if let Some(Some(text)) = row.into_iter().next() {
                diagnostic = diagnostic.note(text);
            }
        }
    }
    let hint = "wait for these to end or `select pg_terminate_backend(<process>)`";
    SessionError {
        diagnostic: Box::new(diagnostic.hint(hint)),
        ..error
    }
}
