//! Waiting for exclusive locks without holding others up for long, and without deadlocks.
//!
//! A swap never waits longer than [`SHORT_WAIT`] while it holds anything; when that fails it
//! rolls back, pauses and tries again, so that queued readers get through in between.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::diag::{Diagnostic, codes};
use crate::names::{Relation, quote_literal};
use crate::session::{Session, SessionError};

/// Below Postgres' `deadlock_timeout` (1 s by default), so that a wait ends before the
/// deadlock check would pick a victim.
pub(super) const SHORT_WAIT: Duration = Duration::from_millis(800);

/// How long a swap keeps trying before it gives up.
pub(super) const GIVE_UP_AFTER: Duration = Duration::from_secs(300);

/// Whether a lock was not to be had in time, or there was a deadlock.
pub(super) fn is_busy(error: &SessionError) -> bool {
    error.is("55P03") || error.is("40P01")
}

/// Runs `attempt`, which must be one whole transaction, until the locks were to be had.
pub(super) async fn retry_while_locked<T, F, Fut>(
    session: &dyn Session,
    relation: &Relation,
    attempt: F,
) -> Result<T, SessionError>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<T, SessionError>> + Send,
    T: Send,
{
    retry(session, relation, "rollback", attempt).await
}

/// Locks a table for a change of its columns, inside the caller's transaction: waits like a
/// swap, so that readers do not queue behind a wait that has no end.
pub async fn lock_inside(session: &dyn Session, table: &Relation) -> Result<(), SessionError> {
    let text = format!(
        "savepoint marts_lock; \
         select pg_catalog.set_config('marts.lock_timeout', pg_catalog.current_setting('lock_timeout'), true); \
         set local lock_timeout = '{}ms'; lock table {table} in access exclusive mode; \
         select pg_catalog.set_config('lock_timeout', pg_catalog.current_setting('marts.lock_timeout'), true); \
         release savepoint marts_lock",
        SHORT_WAIT.as_millis()
    );
    let undo = "rollback to savepoint marts_lock; release savepoint marts_lock";
    retry(session, table, undo, || session.execute((&text).into())).await?;
    Ok(())
}

async fn retry<T, F, Fut>(
    session: &dyn Session,
    relation: &Relation,
    undo: &str,
    mut attempt: F,
) -> Result<T, SessionError>
where
    F: FnMut() -> Fut + Send,
    Fut: Future<Output = Result<T, SessionError>> + Send,
    T: Send,
{
    let start = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let _ = session.execute(undo.into()).await;
        let given_up = error.diagnostic.code == codes::PUBLISH_LOCKED;
        if !is_busy(&error) || given_up {
            return Err(error);
        }
        if start.elapsed() > GIVE_UP_AFTER {
            let so = "its new version was not published";
            return Err(in_use(session, &relation.to_string(), so, error).await);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Says who holds a relation, and what came of it.
pub(super) async fn in_use(
    session: &dyn Session,
    relation: &str,
    so: &str,
    error: SessionError,
) -> SessionError {
    let sql = format!(
        "select 'process ' || l.pid || ' of ' || coalesce(a.usename, '?') || ' (' || \
         coalesce(nullif(a.application_name, ''), '?') || '): ' || coalesce(left(a.query, 80), '') \
         from pg_locks l left join pg_stat_activity a using (pid) where l.relation = \
         to_regclass({}) and l.granted and l.pid <> pg_backend_pid() limit 3",
        quote_literal(relation)
    );
    let mut diagnostic = Diagnostic::error(
        codes::PUBLISH_LOCKED,
        format!("{relation} stayed in use by others, so {so}"),
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
