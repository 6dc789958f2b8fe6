//! The tables of the ledger: whether they are there and may be written, and making them.

use super::SCHEMA;
use super::chain::{COLUMNS, GENESIS, Stored};
use crate::names::{quote_ident, quote_literal};
use crate::session::{Session, SessionError};

/// Whether a run can be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// The role lacks privileges.
    Forbidden {
        /// The role.
        user: String,
        /// What is forbidden, in words.
        what: String,
        /// The statements that its owner runs to allow it.
        remedy: String,
    },
}

/// The key of the advisory lock under which the tables are made; "marts_le" in ASCII.
const MAKING: i64 = 0x6d61_7274_735f_6c65;

/// Makes the tables if they are missing. Several runs may do so at once; no transaction may be
/// open on the session.
pub async fn ensure(session: &dyn Session) -> Result<Readiness, SessionError> {
    let found = look(session).await?;
    if !found.missing() {
        return Ok(found.readiness());
    }
    if !found.may_create {
        return Ok(found.may_not_create());
    }
    let made = session.execute((&creation(found.has_schema)).into()).await;
    if let Err(error) = made {
        let _ = session.execute("rollback".into()).await;
        // Another program may have made them meanwhile, without our lock.
        let found = look(session).await?;
        return match found.missing() {
            false => Ok(found.readiness()),
            true if error.is("42501") => Ok(found.may_not_create()),
            true => Err(error),
        };
    }
    Ok(Readiness::Ready)
}

/// Whether there is a ledger to read.
pub async fn exists(session: &dyn Session) -> Result<bool, SessionError> {
    Ok(!look(session).await?.missing())
}

struct Found {
    user: String,
    database: String,
    may_create: bool,
    has_schema: bool,
    has_entry: bool,
    has_head: bool,
    may_use: bool,
    may_insert: bool,
    may_lock: bool,
}

async fn look(session: &dyn Session) -> Result<Found, SessionError> {
    // By oid, since a name in a schema that may not be used is an error.
    let sql = format!(
        "with s as (select oid from pg_namespace where nspname = '{SCHEMA}'), t as (select c.oid, \
         c.relname from pg_class c join s on s.oid = c.relnamespace where c.relkind in ('r', 'p')) \
         select current_user, current_database(), case when exists (select from s) then \
         coalesce((select has_schema_privilege(oid, 'create') from s), false) else \
         has_database_privilege(current_database(), 'create') end, exists (select from s), exists \
         (select from t where relname = 'entry'), exists (select from t where relname = 'head'), \
         coalesce((select has_schema_privilege(oid, 'usage') from s), false), coalesce((select \
         has_table_privilege(oid, 'insert') from t where relname = 'entry'), false), \
         coalesce((select has_table_privilege(oid, 'select') and has_table_privilege(oid, 'update') \
         from t where relname = 'head'), false)"
    );
    let table = session.query(&sql).await?;
    let row = table.rows.into_iter().next().unwrap_or_default();
    let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let truth = |at: usize| text(at) == "t";
    Ok(Found {
        user: text(0),
        database: text(1),
        may_create: truth(2),
        has_schema: truth(3),
        has_entry: truth(4),
        has_head: truth(5),
        may_use: truth(6),
        may_insert: truth(7),
        may_lock: truth(8),
    })
}

impl Found {
    fn missing(&self) -> bool {
        !(self.has_entry && self.has_head)
    }

    fn readiness(self) -> Readiness {
        if self.may_use && self.may_insert && self.may_lock {
            return Readiness::Ready;
        }
        let user = quote_ident(&self.user);
        Readiness::Forbidden {
            what: format!("{} may not write to schema {SCHEMA}", self.user),
            remedy: format!(
                "grant usage on schema {SCHEMA} to {user}; grant select, insert on \
                 {SCHEMA}.entry to {user}; grant select, update on {SCHEMA}.head to {user}"
            ),
            user: self.user,
        }
    }

    fn may_not_create(self) -> Readiness {
        let user = quote_ident(&self.user);
        let (what, remedy) = if self.has_schema {
            (
                format!("{} may not create tables in schema {SCHEMA}", self.user),
                format!("grant usage, create on schema {SCHEMA} to {user}"),
            )
        } else {
            (
                format!("{} may not create schema {SCHEMA}", self.user),
                format!(
                    "create schema {SCHEMA} authorization {user}; or: grant create on database {} \
                     to {user}",
                    quote_ident(&self.database)
                ),
            )
        };
        Readiness::Forbidden {
            user: self.user,
            what,
            remedy,
        }
    }
}

/// One transaction that makes what is missing, one run after the other.
fn creation(has_schema: bool) -> String {
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|(name, stored)| {
            let required = matches!(
                *name,
                "format"
                    | "recorded_at"
                    | "run_id"
                    | "command"
                    | "target"
                    | "kind"
                    | "status"
                    | "prev_hash"
            );
            let key = match (*name, required) {
                ("seq", _) => " primary key",
                (_, true) => " not null",
                _ => "",
            };
            format!("{name} {}{key}", type_of(*stored))
        })
        .collect();
    let comment = quote_literal(
        "Evidence of every run of marts; `marts audit verify` recomputes the chain of hashes",
    );
    // Postgres asks for the privilege to create schemas even where this one is there.
    let schema = match has_schema {
        true => String::new(),
        false => format!(
            "create schema if not exists {SCHEMA}; comment on schema {SCHEMA} is {comment};"
        ),
    };
    format!(
        "begin; select pg_advisory_xact_lock({MAKING}); {schema} create table if not exists \
         {SCHEMA}.entry ({}, hash bytea not null); create table if not exists {SCHEMA}.head (one \
         boolean primary key default true check (one), seq bigint not null, hash bytea not null); \
         insert into {SCHEMA}.head (seq, hash) select 0, decode('{GENESIS}', 'hex') where not \
         exists (select from {SCHEMA}.entry) on conflict do nothing; create index if not exists \
         entry_of_test on {SCHEMA}.entry (test, seq) where test is not null; create index if not \
         exists entry_of_run on {SCHEMA}.entry (seq) where kind = 'run'; commit",
        columns.join(", ")
    )
}

fn type_of(stored: Stored) -> &'static str {
    match stored {
        Stored::Text => "text",
        Stored::Integer => "bigint",
        Stored::Boolean => "boolean",
        Stored::Instant => "timestamptz",
        Stored::Bytes => "bytea",
    }
}
