//! Publishing many candidates in one transaction.
//!
//! Always holds: readers see all of the old or all of the new relations, whatever fails
//! leaves them as they were, and no exclusive lock is held while waiting longer than
//! Postgres' deadlock check. The order inside the transaction: deltas and exchanged rows,
//! which stand in nobody's way; then a savepoint and all the locks; then names and views.

mod work;

use std::time::{Duration, Instant};

use super::facts::DependentView;
use super::locks::GIVE_UP_AFTER;
use super::swap::is_view_mismatch;
use super::{CandidateHome, Pending, Publication, locking, target_lock};
use crate::names::{Relation, quote_literal};
use crate::session::{Session, SessionError};
use work::Work;

/// A candidate that is to be published.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Whether its rows are to be exchanged although the table could be replaced.
    pub by_rows: bool,
    /// The name to publish under.
    pub live: &'a Relation,
    /// What was built.
    pub candidate: &'a Relation,
    /// How it is published.
    pub publication: &'a Publication,
}

/// What is published in one transaction.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    /// Where candidates and replaced relations live.
    pub home: &'a CandidateHome,
    /// Each after what it reads.
    pub members: &'a [Member<'a>],
    /// What this run will still build.
    pub pending: &'a Pending,
    /// Schemas that this session must hold alone.
    pub held: &'a [String],
}

impl Group<'_> {
    /// Whether a materialized view that reads a member is a member that gets a new version.
    fn replaces(&self, view: &DependentView) -> bool {
        let same = |m: &&Member<'_>| m.live.schema == view.schema && m.live.identifier == view.name;
        self.members.iter().any(|member| {
            same(&member) && matches!(member.publication, Publication::MaterializedView { .. })
        })
    }
}

/// A publish transaction that is complete but for its commit.
#[derive(Debug)]
#[must_use = "nothing is published before the commit"]
pub struct Open {
    garbage: Vec<String>,
}

/// Does everything of a publication but its commit, so that the caller may write its evidence
/// into the same transaction. On an error nothing is left open.
pub async fn open(session: &dyn Session, group: Group<'_>) -> Result<Open, SessionError> {
    let start = Instant::now();
    let mut force = false;
    let mut pause = Duration::from_millis(50);
    loop {
        let work = Work::plan(session, group, force).await?;
        let error = match attempt(session, group, &work, start).await {
            Ok(()) => {
                return Ok(Open {
                    garbage: work.garbage,
                });
            }
            Err(error) => error,
        };
        let _ = session.execute("rollback".into()).await;
        let busy = super::locks::is_busy(&error);
        match () {
            // A view that reads a column which changes its type or goes: make the views anew.
            () if !force && is_view_mismatch(&error) => force = true,
            () if busy && start.elapsed() < GIVE_UP_AFTER => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            () => return Err(work.explain(error)),
        }
    }
}

/// One try of the whole transaction, up to its commit.
async fn attempt(
    session: &dyn Session,
    group: Group<'_>,
    work: &Work<'_>,
    start: Instant,
) -> Result<(), SessionError> {
    // A publication that was acknowledged must survive a crash of the server.
    let begin = format!(
        "begin; set local synchronous_commit = on; set local lock_timeout = '{}ms'",
        super::locks::SHORT_WAIT.as_millis()
    );
    session.execute((&begin).into()).await?;
    target_lock::check_held(session, group.held).await?;
    for (member, statements) in &work.in_place {
        let text = statements.join("\n;\n");
        let done = session.execute((&text).into()).await;
        done.map_err(|error| work.explain_rows(group, *member, error))?;
    }
    locking::lock_all(session, &work.locks, start + GIVE_UP_AFTER).await?;
    if !work.after.is_empty() {
        let text = work.after.join("\n;\n");
        session.execute((&text).into()).await?;
    }
    Ok(())
}

impl Open {
    /// The statements that drop what is replaced, to be run last first, once it is committed.
    pub fn into_garbage(self) -> Vec<String> {
        self.garbage
    }

    /// By what name the server remembers whether the transaction is committed.
    pub async fn transaction(&self, session: &dyn Session) -> Result<Transaction, SessionError> {
        let table = session.query("select pg_current_xact_id()::text").await?;
        let cell = table.rows.into_iter().next().and_then(|mut row| row.pop());
        Ok(Transaction(cell.flatten().unwrap_or_default()))
    }

    /// Makes it visible. When the connection goes, [`Transaction::is_committed`] tells whether
    /// that was before or after.
    pub async fn commit(&self, session: &dyn Session) -> Result<(), SessionError> {
        session.execute("commit".into()).await.map(|_| ())
    }
}

/// A transaction whose end may have to be asked for on another connection.
#[derive(Clone, Debug)]
pub struct Transaction(String);

impl Transaction {
    /// Whether it is committed; `None` while it goes on or nobody can tell.
    pub async fn is_committed(&self, session: &dyn Session) -> Option<bool> {
        let sql = format!("select pg_xact_status({}::xid8)", quote_literal(&self.0));
        let table = session.query(&sql).await.ok()?;
        let cell = table.rows.first().and_then(|row| row.first()).cloned();
        match cell.flatten()?.as_str() {
            "committed" => Some(true),
            "aborted" => Some(false),
            _ => None,
        }
    }
}
