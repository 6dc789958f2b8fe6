//! Dropping what was replaced, many relations in one transaction and in nobody's way.

use crate::session::{Session, SessionError};

/// How many relations one transaction drops; each takes about seven locks.
const BATCH: usize = 50;

/// Runs the drop statements; those that did not work, because something is still being read.
pub(super) async fn drop_all(session: &dyn Session, statements: &[String]) -> Vec<String> {
    let mut left = Vec::new();
    // What was replaced last may read what was replaced before it.
    let statements: Vec<String> = statements.iter().rev().cloned().collect();
    for batch in statements.chunks(BATCH) {
        if run(session, batch).await.is_ok() {
            continue;
        }
        let _ = session.execute("rollback".into()).await;
        for statement in batch {
            if run(session, std::slice::from_ref(statement)).await.is_err() {
                let _ = session.execute("rollback".into()).await;
                left.push(statement.clone());
            }
        }
    }
    left
}

async fn run(session: &dyn Session, batch: &[String]) -> Result<(), SessionError> {
    let text = format!(
        "begin; set local lock_timeout = '2s'; {}; commit",
        batch.join("; ")
    );
    session.execute((&text).into()).await.map(|_| ())
}
