//! Taking many exclusive locks without standing in the way of readers for long.
//!
//! Readers lock relations in the order in which their queries name them. Whoever holds one of
//! ours and waits for another blocks them and is blocked by them. So the wait for the second
//! and every further lock is short, and the relation that was not to be had is the first of the
//! next try, where it may be waited for longer: nothing else is held then. The order becomes
//! the readers' own after as many tries as there are relations out of place.

use std::time::{Duration, Instant};

use super::locks::{GIVE_UP_AFTER, SHORT_WAIT, in_use, is_busy, retry_while_locked};
use crate::names::Relation;
use crate::session::{Session, SessionError};

/// A lock to take.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    /// The statement that takes it and changes nothing.
    pub(super) statement: String,
    /// The relation, rendered.
    pub(super) relation: String,
}

/// How long to wait for the first relation, with nothing else held: longer than the deadlock
/// check of somebody who waits, after which an autovacuum gives way.
const FIRST_WAIT: Duration = Duration::from_millis(1500);

/// How long readers that queued behind such a wait have the relation to themselves; doubles.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How long to wait for the others in the first try. It doubles up to [`SHORT_WAIT`]: readers
/// whose statements take long hold their locks as long.
const NEXT_WAIT: Duration = Duration::from_millis(50);

/// Runs `body`, which publishes `live`, in a transaction that holds all locks: at first as one
/// message, and when others are in the way, lock by lock.
pub(super) async fn run_locked(
    session: &dyn Session,
    live: &Relation,
    locks: &[Lock],
    body: &str,
) -> Result<(), SessionError> {
    let until = Instant::now() + GIVE_UP_AFTER;
    let begin = format!(
        "begin;\nset local lock_timeout = '{}ms'",
        SHORT_WAIT.as_millis()
    );
    let statements: Vec<&str> = locks.iter().map(|lock| lock.statement.as_str()).collect();
    let whole = [&[begin.as_str()], &statements[..], &[body, "commit"]].concat();
    let (begin, whole) = (&begin, &whole.join("\n;\n"));
    let mut tries = 0;
    retry_while_locked(session, live, || {
        tries += 1;
        let as_one = tries == 1;
        async move {
            if as_one {
                return session.execute(whole.into()).await.map(|_| ());
            }
            session.execute(begin.into()).await?;
            lock_all(session, locks, until).await?;
            let rest = format!("{body}\n;\ncommit");
            session.execute((&rest).into()).await.map(|_| ())
        }
    })
    .await
}

/// Takes all locks inside the open transaction.
pub(super) async fn lock_all(
    session: &dyn Session,
    locks: &[Lock],
    until: Instant,
) -> Result<(), SessionError> {
    if locks.is_empty() {
        return Ok(());
    }
    let mut order: Vec<&Lock> = locks.iter().collect();
    let (mut wait, mut pause) = (NEXT_WAIT, PAUSE);
    session.execute("savepoint marts_locks".into()).await?;
    loop {
        let Some((at, error)) = try_all(session, &order, wait).await? else {
            return Ok(());
        };
        session
            .execute("rollback to savepoint marts_locks".into())
            .await?;
        if Instant::now() > until {
            let so = "nothing was published";
            return Err(in_use(session, &order[at].relation, so, error).await);
        }
        if at == 0 {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        order[..=at].rotate_right(1);
        wait = (wait * 2).min(SHORT_WAIT);
    }
}

/// The first lock that was not to be had.
async fn try_all(
    session: &dyn Session,
    locks: &[&Lock],
    wait: Duration,
) -> Result<Option<(usize, SessionError)>, SessionError> {
    for (at, lock) in locks.iter().enumerate() {
        let limit = match at {
            0 => Some(FIRST_WAIT),
            1 => Some(wait),
            _ => None,
        };
        let limit =
            limit.map(|wait| format!("set local lock_timeout = '{}ms'; ", wait.as_millis()));
        let text = limit.unwrap_or_default() + &lock.statement;
        match session.execute((&text).into()).await {
            Ok(_) => {}
            Err(error) if is_busy(&error) => return Ok(Some((at, error))),
            Err(error) => return Err(error),
        }
    }
    // What follows may need locks of relations that nobody knew of.
    let text = format!("set local lock_timeout = '{}ms'", SHORT_WAIT.as_millis());
    session.execute((&text).into()).await?;
    Ok(None)
}
