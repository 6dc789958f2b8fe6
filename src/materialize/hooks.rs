//! A node's own pre- and post-hooks.
//!
//! Hooks inside the transaction become statements of the transaction that builds (pre) or
//! publishes (post), but a post-hook that works while it is rendered runs right after that;
//! hooks outside of it run by themselves before and after. Where a
//! candidate is published later, its hooks inside see the candidate as `this`.

use crate::names::Relation;
use crate::project::Hook;
use crate::session::{Session, SessionError};

/// Renders the hooks that run inside the transaction; empty ones are left out.
pub(super) async fn inside(
    session: &dyn Session,
    hooks: &[Hook],
) -> Result<Vec<String>, SessionError> {
    render(session, hooks, true, None).await
}

/// The same, with another relation as `this`.
pub(super) async fn inside_of(
    session: &dyn Session,
    hooks: &[Hook],
    this: &Relation,
) -> Result<Vec<String>, SessionError> {
    render(session, hooks, true, Some(this)).await
}

/// The hooks before the first that works while it is rendered, and the others. Such a one asks
/// or changes the database through Jinja, so it has to find the relation published.
pub(super) fn until_published(hooks: &[Hook]) -> (&[Hook], &[Hook]) {
    let works = |hook: &Hook| {
        let words = ["run_query", "adapter.", "statement("];
        let works = hook.calls_work || words.iter().any(|word| hook.sql.contains(word));
        hook.transaction && works
    };
    hooks.split_at(hooks.iter().position(works).unwrap_or(hooks.len()))
}

/// Runs hooks in a transaction of their own, each rendered after those before it.
pub(super) async fn in_own_transaction(
    session: &dyn Session,
    hooks: &[Hook],
) -> Result<(), SessionError> {
    if !hooks.iter().any(|hook| hook.transaction) {
        return Ok(());
    }
    session.execute("begin".into()).await?;
    for hook in hooks {
        for sql in inside(session, std::slice::from_ref(hook)).await? {
            session.execute((&sql).into()).await?;
        }
    }
    session.execute("commit".into()).await?;
    Ok(())
}

/// Runs the hooks that want no transaction.
pub async fn outside(session: &dyn Session, hooks: &[Hook]) -> Result<(), SessionError> {
    for sql in render(session, hooks, false, None).await? {
        session.execute((&sql).into()).await?;
    }
    Ok(())
}

async fn render(
    session: &dyn Session,
    hooks: &[Hook],
    transaction: bool,
    this: Option<&Relation>,
) -> Result<Vec<String>, SessionError> {
    let mut out = Vec::new();
    for hook in hooks.iter().filter(|h| h.transaction == transaction) {
        let sql = session.render(&hook.sql, this).await?;
        let sql = sql.trim().trim_end_matches(';').trim_end();
        if !sql.is_empty() {
            out.push(sql.to_owned());
        }
    }
    Ok(out)
}
