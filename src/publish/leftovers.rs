//! What a crashed run left behind: shadow schemas and marked relations whose run no longer
//! holds its lock.
//!
//! Each run holds the session advisory lock of its tag from start to end, so a tag whose
//! lock is free belongs to nobody.

use super::home::{MARK, RunTag, tag_of};
use crate::names::{quote_ident, quote_literal};
use crate::session::{Session, SessionError};

/// The class of our advisory locks (`pg_advisory_lock(int4, int4)`), "mart" in ASCII.
const LOCK_CLASS: i32 = 0x6d61_7274;

/// The statement by which a run's keeper connection says that the run lives.
pub fn hold_tag(tag: &RunTag) -> String {
    format!(
        "select pg_advisory_lock_shared({LOCK_CLASS}, {})",
        key(tag.as_str())
    )
}

/// The key of a text in our class of advisory locks.
fn key(text: &str) -> i32 {
    (super::hash64(text) & 0xffff_ffff) as u32 as i32
}

/// The statement that takes the lock under which a relation is built, and the one that frees it.
pub fn relation_lock(relation: &str) -> (String, String) {
    let key = key(relation);
    (
        format!("select pg_advisory_lock({LOCK_CLASS}, {key})"),
        format!("select pg_advisory_unlock({LOCK_CLASS}, {key})"),
    )
}

/// Removes what dead runs left in or beside the target schemas; what was removed, rendered.
/// A relation that cannot be dropped is left for the next run.
pub async fn sweep(session: &dyn Session, schemas: &[String]) -> Result<Vec<String>, SessionError> {
    let list: Vec<String> = schemas.iter().map(|s| quote_literal(s)).collect();
    let pattern = quote_literal(&format!("%{}%", MARK.replace('_', "\\_")));
    let sql = format!(
        "select 'schema', n.nspname, '' from pg_namespace n \
         where n.nspname like {pattern} and pg_has_role(n.nspowner, 'usage') \
         union all \
         select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' \
         end, n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where n.nspname in ({}) and c.relname like {pattern} and c.relkind in ('r', 'v', 'm') \
         and pg_has_role(c.relowner, 'usage')",
        if list.is_empty() {
            "null".to_owned()
        } else {
            list.join(", ")
        }
    );
    let found = session.query(&sql).await?;
    let mut removed = Vec::new();
    for row in found.rows {
        let cell = |i: usize| row.get(i).and_then(|c| c.clone()).unwrap_or_default();
        let (kind, schema, name) = (cell(0), cell(1), cell(2));
        let marked = if kind == "schema" { &schema } else { &name };
        let Some(tag) = tag_of(marked) else { continue };
        if !is_dead(session, &tag).await? {
            continue;
        }
        let what = if kind == "schema" {
            quote_ident(&schema)
        } else {
            format!("{}.{}", quote_ident(&schema), quote_ident(&name))
        };
        if drop_leftover(session, &kind, &schema, &what).await? {
            removed.push(format!("{kind} {what}"));
        }
    }
    Ok(removed)
}

async fn is_dead(session: &dyn Session, tag: &RunTag) -> Result<bool, SessionError> {
    let sql = format!(
        "select case when pg_try_advisory_lock({LOCK_CLASS}, {k}) then \
         pg_advisory_unlock({LOCK_CLASS}, {k}) else false end::text",
        k = key(tag.as_str())
    );
    let table = session.query(&sql).await?;
    let cell = table
        .rows
        .first()
        .and_then(|r| r.first())
        .and_then(Option::as_deref);
    Ok(matches!(cell, Some("true" | "t")))
}

/// Drops one leftover. A shadow schema goes with all that is in it, but only if nothing
/// outside of it depends on that: what others built on it is theirs.
async fn drop_leftover(
    session: &dyn Session,
    kind: &str,
    schema: &str,
    what: &str,
) -> Result<bool, SessionError> {
    if kind != "schema" {
        return Ok(dropped(session, &format!("{kind} if exists {what}")).await);
    }
    let contents = session
        .query(&format!(
            "select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else \
             'table' end, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = {} and c.relkind in ('r', 'v', 'm', 'p') \
             order by (c.relkind = 'v') desc, c.oid desc",
            quote_literal(schema)
        ))
        .await?;
    for row in contents.rows {
        let cell = |i: usize| row.get(i).and_then(|c| c.clone()).unwrap_or_default();
        let relation = format!("{} if exists {what}.{}", cell(0), quote_ident(&cell(1)));
        dropped(session, &relation).await;
    }
    let functions = session
        .query(&format!(
            "select p.proname, pg_get_function_identity_arguments(p.oid) from pg_proc p join \
             pg_namespace n on n.oid = p.pronamespace where n.nspname = {}",
            quote_literal(schema)
        ))
        .await?;
    for row in functions.rows {
        let cell = |i: usize| row.get(i).and_then(|c| c.clone()).unwrap_or_default();
        let name = format!("{what}.{}({})", quote_ident(&cell(0)), cell(1));
        dropped(session, &format!("function if exists {name}")).await;
    }
    Ok(dropped(session, &format!("schema if exists {what}")).await)
}

/// Drops, unless somebody still uses it: a backend whose client was killed may go on for a
/// while, and nobody waits for that.
async fn dropped(session: &dyn Session, what: &str) -> bool {
    let sql = format!("begin; set local lock_timeout = '2s'; drop {what}; commit");
    let done = session.execute((&sql).into()).await.is_ok();
    if !done {
        let _ = session.execute("rollback".into()).await;
    }
    done
}
