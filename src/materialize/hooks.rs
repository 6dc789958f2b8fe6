//! A node's own pre- and post-hooks.
//!
//! Hooks inside the transaction become statements of the transaction that builds (pre) or
//! publishes (post); hooks outside of it run by themselves before and after. Where a
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
