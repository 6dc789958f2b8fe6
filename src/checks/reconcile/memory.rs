//! When each break of a reconciliation was first seen: `marts_ledger.reconciliation_break`.
//!
//! A break is known by its test and key. It is open until a run no longer finds it; one that
//! comes back after that is a new one.

use super::BREAKS;
use crate::graph::Node;
use crate::names::quote_literal;
use crate::session::{Session, SessionError};

/// The lock under which the ledger's schema is made; "marts_le" in ASCII.
const MAKING: i64 = 0x6d61_7274_735f_6c65;

/// Writes down the breaks of a test that has just run, and that others are resolved.
///
/// Errors: the role lacks privileges, or the server says no. Nothing is written then.
pub(super) async fn remember(node: &Node, session: &dyn Session) -> Result<(), SessionError> {
    let found = session.query(&state()).await?;
    let cell = |at: usize| {
        found
            .rows
            .first()
            .and_then(|row| row.get(at).cloned().flatten())
    };
    let there = cell(0).as_deref() == Some("true");
    let has_schema = cell(1).as_deref() == Some("true");
    if !there && cell(2).as_deref() != Some("true") {
        return Ok(());
    }
    if !there {
        transaction(&creation(has_schema), session).await?;
    }
    transaction(&update(node), session).await
}

async fn transaction(work: &str, session: &dyn Session) -> Result<(), SessionError> {
    let text = format!("begin; {work}; commit");
    let done = session.execute((&text).into()).await;
    if let Err(error) = done {
        let _ = session.execute("rollback".into()).await;
        return Err(error);
    }
    Ok(())
}

/// Whether the table is there, its schema, and any break to write down.
fn state() -> String {
    format!(
        "select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid \
         = c.relnamespace where n.nspname = 'marts_ledger' and c.relname = \
         'reconciliation_break')::text, exists (select from pg_catalog.pg_namespace where nspname \
         = 'marts_ledger')::text, exists (select from {BREAKS})::text"
    )
}

/// The table, made by one run at a time.
fn creation(has_schema: bool) -> String {
    // Postgres asks for the privilege to create schemas even where this one is there.
    let schema = match has_schema {
        true => "",
        false => "create schema if not exists marts_ledger;",
    };
    format!(
        "select pg_advisory_xact_lock({MAKING}); {schema} create table if not exists \
         marts_ledger.reconciliation_break (test_id text not null, key jsonb not null, class text \
         not null, currency text, left_amount numeric, right_amount numeric, first_seen \
         timestamptz not null, last_seen timestamptz not null, resolved_at timestamptz); create \
         index if not exists open_break on marts_ledger.reconciliation_break (test_id) where \
         resolved_at is null"
    )
}

/// Resolves what is gone, renews what is still there, adds what is new; one run of a test at a
/// time.
fn update(node: &Node) -> String {
    let test = quote_literal(node.id.as_str());
    let table = "marts_ledger.reconciliation_break";
    format!(
        "select pg_advisory_xact_lock(hashtextextended('marts reconciles ' || {test}, 0)); \
         update {table} known set resolved_at = now() where test_id = {test} and resolved_at is \
         null and not exists (select from {BREAKS} b where b.key = known.key); update {table} \
         known set last_seen = now(), class = b.class, currency = to_jsonb(b) ->> 'currency', \
         left_amount = b.left_amount, right_amount = b.right_amount from {BREAKS} b where \
         known.test_id = {test} and known.resolved_at is null and known.key = b.key; insert into \
         {table} (test_id, key, class, currency, left_amount, right_amount, first_seen, last_seen) \
         select {test}, b.key, b.class, to_jsonb(b) ->> 'currency', b.left_amount, \
         b.right_amount, now(), now() from {BREAKS} b where not exists (select from {table} known \
         where known.test_id = {test} and known.resolved_at is null and known.key = b.key)"
    )
}
