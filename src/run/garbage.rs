//! Dropping what was replaced, many relations in one transaction and in nobody's way.

use crate::session::{Session, SessionError};

/// How many relations one transaction drops; each takes about seven locks.
const BATCH: usize = 50;

/// What something depends on cannot be dropped before that.
const DEPENDED_ON: &str = "2BP01";

/// Runs the drop statements; those that did not work, because something is still being read.
pub(super) async fn drop_all(session: &dyn Session, statements: &[String]) -> Vec<String> {
    let mut left = Vec::new();
    let mut depended_on = Vec::new();
    // What was replaced last may read what was replaced before it.
    let statements: Vec<String> = statements.iter().rev().cloned().collect();
    for batch in statements.chunks(BATCH) {
        if run(session, batch).await.is_ok() {
            continue;
        }
        let _ = session.execute("rollback".into()).await;
        one_by_one(session, batch, &mut left, &mut depended_on).await;
    }
    // Relations that were replaced at the same time come in no order.
    loop {
        let before = depended_on.len();
        let again = std::mem::take(&mut depended_on);
        one_by_one(session, &again, &mut left, &mut depended_on).await;
        if depended_on.len() == before {
            left.extend(depended_on);
            return left;
        }
    }
}

async fn one_by_one(
    session: &dyn Session,
    statements: &[String],
    left: &mut Vec<String>,
    depended_on: &mut Vec<String>,
) {
    for statement in statements {
        if let Err(error) = run(session, std::slice::from_ref(statement)).await {
            let _ = session.execute("rollback".into()).await;
            let list = match error.is(DEPENDED_ON) {
                true => &mut *depended_on,
                false => &mut *left,
            };
            list.push(statement.clone());
        }
    }
}

async fn run(session: &dyn Session, batch: &[String]) -> Result<(), SessionError> {
    let text = format!(
        "begin; set local lock_timeout = '2s'; {}; commit",
        batch.join("; ")
    );
    session.execute((&text).into()).await.map(|_| ())
}
