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
const GIVE_UP_AFTER: Duration = Duration::from_secs(300);

/// SQLSTATE of a lock that was not to be had in time, and of a deadlock.
const BUSY: [&str; 2] = ["55P03", "40P01"];

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
        if !BUSY.iter().any(|state| error.is(state)) {
            return Err(error);
        }
        if start.elapsed() > GIVE_UP_AFTER {
            return Err(busy(session, relation, error).await);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Says who holds the relation.
async fn busy(session: &dyn Session, relation: &Relation, error: SessionError) -> SessionError {
    let sql = format!(
        "select l.pid::text, coalesce(a.usename, '?'), coalesce(nullif(a.application_name, ''), \
         '?'), coalesce(left(a.query, 80), '') from pg_locks l left join pg_stat_activity a using \
         (pid) where l.relation = to_regclass({}) and l.granted and l.pid <> pg_backend_pid() \
         limit 3",
        quote_literal(&relation.to_string())
    );
    let mut diagnostic = Diagnostic::error(
        codes::PUBLISH_LOCKED,
        format!("{relation} stayed in use by others, so its new version was not published"),
    );
    if let Ok(table) = session.query(&sql).await {
        for row in table.rows {
            let cell = |i: usize| row.get(i).and_then(|c| c.clone()).unwrap_or_default();
            diagnostic = diagnostic.note(format!(
                "process {} of {} ({}): {}",
                cell(0),
                cell(1),
                cell(2),
                cell(3)
            ));
        }
    }
    let diagnostic =
        diagnostic.hint("wait for these to end or `select pg_terminate_backend(<process>)`");
    SessionError {
        diagnostic: Box::new(diagnostic),
        ..error
    }
}
