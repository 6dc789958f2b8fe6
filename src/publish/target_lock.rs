//! One run at a time publishes candidates into a schema.
//!
//! Runs that publish after an audit hold their target schemas exclusively from start to end,
//! on the connection that publishes, so that a lost lock cannot publish. Runs that publish at
//! once share them with one another. The locks are session advisory locks.

use crate::diag::{Diagnostic, codes};
use crate::names::quote_ident;
use crate::session::{Session, SessionError};

/// The class of these advisory locks, "targ" in ASCII.
const LOCK_CLASS: i32 = 0x7461_7267;

/// How a run holds its target schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// With others that hold them so.
    Shared,
    /// Alone.
    Exclusive,
}

/// Who holds a schema that is wanted.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The schema.
    pub schema: String,
    /// Process, role, program and start, for people.
    pub who: String,
}

fn key(schema: &str) -> i32 {
    (super::hash64(schema) & 0xffff_ffff) as u32 as i32
}

/// Takes all the schemas, or none and says who holds the first that was not to be had.
pub async fn try_acquire(
    session: &dyn Session,
    schemas: &[String],
    hold: Hold,
) -> Result<Option<Holder>, SessionError> {
    let shared = match hold {
        Hold::Shared => "_shared",
        Hold::Exclusive => "",
    };
    for (at, schema) in schemas.iter().enumerate() {
        let sql = format!(
            "select pg_try_advisory_lock{shared}({LOCK_CLASS}, {})::text",
            key(schema)
        );
        let answer = session.query(&sql).await?;
        let cell = answer.rows.first().and_then(|row| row.first());
        if cell.and_then(Option::as_deref) == Some("true") {
            continue;
        }
        // Waiting with some of them in hand could be waiting for one another.
        for taken in &schemas[..at] {
            let sql = format!(
                "select pg_advisory_unlock{shared}({LOCK_CLASS}, {})",
                key(taken)
            );
            session.execute((&sql).into()).await?;
        }
        return Ok(Some(holder(session, schema).await?));
    }
    Ok(None)
}

async fn holder(session: &dyn Session, schema: &str) -> Result<Holder, SessionError> {
    let table = session
        .query(&format!(
            "select 'process ' || l.pid || ' of ' || coalesce(a.usename, '?') || ' (' || \
             coalesce(nullif(a.application_name, ''), '?') || coalesce(', from ' || \
             host(a.client_addr), '') || coalesce(', since ' || to_char(a.backend_start at time \
             zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC', '') || ')' from pg_locks l left join \
             pg_stat_activity a using (pid) where l.locktype = 'advisory' and l.granted and \
             l.pid <> pg_backend_pid() and l.database = (select oid from pg_database where datname \
             = current_database()) and l.classid::bigint = {LOCK_CLASS} and l.objid::bigint = {} \
             order by a.backend_start limit 1",
            key(schema) as u32
        ))
        .await?;
    let who = table
        .rows
        .into_iter()
        .next()
        .and_then(|mut row| row.pop().flatten());
    Ok(Holder {
        schema: schema.to_owned(),
        who: who.unwrap_or_else(|| "another run that is just ending".to_owned()),
    })
}

/// Fails when this session does not hold all the schemas alone: a pooler may have handed the
/// transaction to another backend, or the locks went with a lost connection.
pub async fn check_held(session: &dyn Session, schemas: &[String]) -> Result<(), SessionError> {
    let keys: Vec<String> = schemas
        .iter()
        .map(|s| (key(s) as u32).to_string())
        .collect();
    if keys.is_empty() {
        return Ok(());
    }
    let table = session
        .query(&format!(
            "select count(distinct objid)::text from pg_locks where locktype = 'advisory' and \
             granted and pid = pg_backend_pid() and mode = 'ExclusiveLock' and database = (select \
             oid from pg_database where datname = current_database()) and classid::bigint = \
             {LOCK_CLASS} and objid::bigint in ({})",
            keys.join(", ")
        ))
        .await?;
    let held = table.rows.first().and_then(|row| row.first()).cloned();
    let mut distinct = keys;
    distinct.sort();
    distinct.dedup();
    if held.flatten() == Some(distinct.len().to_string()) {
        return Ok(());
    }
    Err(SessionError::new(
        Diagnostic::error(
            codes::DB_POOLING,
            "the run lost its lock on the target, so nothing was published",
        )
        .note("a proxy that gives each transaction another backend (PgBouncer in transaction mode) does this")
        .hint("connect to Postgres itself or to a pool in session mode"),
    ))
}

/// The error of a run that does not wait.
pub fn refusal(holder: &Holder) -> SessionError {
    SessionError::new(
        Diagnostic::error(
            codes::TARGET_HELD,
            format!(
                "schema {} is held by another run: {}",
                quote_ident(&holder.schema),
                holder.who
            ),
        )
        .hint("wait for it to end, or run without --no-wait"),
    )
}
