//! Puts a finished candidate table in the place of the live relation.

use super::facts::{self, Facts, Live, Views};
use super::locking::{self, Lock};
use super::{Method, Pending, home::CandidateHome, inherit, rows};
use crate::names::Relation;
use crate::session::{Session, SessionError};

/// A table that is ready to be published.
#[derive(Clone, Copy, Debug)]
pub struct Swap<'a> {
    /// Where candidates and replaced relations live.
    pub home: &'a CandidateHome,
    /// The name to publish under.
    pub live: &'a Relation,
    /// The finished candidate, which `home` named.
    pub candidate: &'a Relation,
    /// Statements to run in the same transaction once the new table has its name.
    pub then: &'a [String],
    /// What this run will still build.
    pub pending: &'a Pending,
}

/// What publishing did.
#[derive(Clone, Debug)]
pub struct Published {
    /// How.
    pub method: Method,
    /// What is left to drop once the transaction is committed, as whole statements.
    pub garbage: Vec<String>,
}

/// Publishes `swap.candidate` as `swap.live`. The candidate's own transaction must be
/// committed. Readers see the old or the new table, whole.
///
/// Errors: `publish-refused` when something of others keeps the table from being replaced
/// and its rows cannot be exchanged either; `publish-locked` when it stays in use.
pub async fn publish_table(
    session: &dyn Session,
    swap: Swap<'_>,
) -> Result<Published, SessionError> {
    let facts = facts::read(session, swap.live, Some(swap.candidate), Views::Direct).await?;
    if let Some(live) = &facts.live
        && live.must_stay()
        && !waits_for_its_turn(live, swap.pending, &facts.candidate_columns)
    {
        return rows::publish(session, swap, live, &facts.candidate_columns).await;
    }
    let prepare = inherit::of_candidate(&facts, swap.live, swap.candidate);
    if !prepare.is_empty() {
        let text = format!("begin; {}; commit", prepare.join("; "));
        session.execute((&text).into()).await?;
    }
    match exchange(session, swap, &facts).await {
        Ok(published) => Ok(published),
        // A view that reads a column which changes its type or goes: make the views anew.
        Err(error) if is_view_mismatch(&error) => exchange_with_new_views(session, swap).await,
        Err(error) => Err(error),
    }
}

/// Whether nothing keeps a relation from being replaced but materialized views that this run
/// will still make anew: they keep reading what is replaced until then. Where its rows can be
/// exchanged it stays all the same.
fn waits_for_its_turn(live: &Live, pending: &Pending, columns: &[facts::LiveColumn]) -> bool {
    let ours = |v: &facts::DependentView| v.kind == 'm' && pending.contains(&v.schema, &v.name);
    !rows::fits(live, columns) && !live.without_readers(ours).must_stay()
}

/// 42P16: a view's columns would change; 42703, 42883, 42804, 42846: its query no longer fits.
pub(super) fn is_view_mismatch(error: &SessionError) -> bool {
    ["42P16", "42703", "42883", "42804", "42846", "42P10"]
        .iter()
        .any(|state| error.is(state))
}

async fn exchange(
    session: &dyn Session,
    swap: Swap<'_>,
    facts: &Facts,
) -> Result<Published, SessionError> {
    let all = facts.live.iter().flat_map(|live| &live.views);
    let is_view = |v: &&facts::DependentView| !v.is_retired() && v.kind == 'v';
    let views: Vec<&facts::DependentView> = all.filter(is_view).collect();
    let after: Vec<String> = views.iter().copied().map(inherit::replace_view).collect();
    let body = exchange_body(swap, facts.live.as_ref(), &[], &after);
    let locks = locks_of(swap, facts.live.as_ref(), &views);
    locking::run_locked(session, swap.live, &locks, &body).await?;
    Ok(published(swap, facts.live.as_ref()))
}

/// Drops the views that read the table, deepest first, and makes them again on the new one.
/// Those that this run will still build keep reading the old table until then.
async fn exchange_with_new_views(
    session: &dyn Session,
    swap: Swap<'_>,
) -> Result<Published, SessionError> {
    let facts = facts::read(session, swap.live, Some(swap.candidate), Views::Nested).await?;
    let Some(live) = &facts.live else {
        return exchange(session, swap, &facts).await;
    };
    let views = super::views::to_recreate(swap.live, live, swap.pending)?;
    let drops = views.iter().rev();
    let before: Vec<String> = drops
        .map(|v| format!("drop view {}", v.sql_name()))
        .collect();
    let after: Vec<String> = views
        .iter()
        .flat_map(|v| inherit::recreate_view(v))
        .collect();
    let body = exchange_body(swap, Some(live), &before, &after);
    let locks = locks_of(swap, Some(live), &views);
    locking::run_locked(session, swap.live, &locks, &body)
        .await
        .map_err(|error| super::views::explain(swap.live, &views, error))?;
    Ok(published(swap, Some(live)))
}

/// A reader locks a view before what it reads, so the views come first here as well.
fn locks_of(swap: Swap<'_>, live: Option<&Live>, views: &[&facts::DependentView]) -> Vec<Lock> {
    let Some(old) = live else { return Vec::new() };
    let mut locks: Vec<Lock> = views
        .iter()
        .map(|view| Lock {
            statement: view.lock_statement(),
            relation: view.sql_name(),
        })
        .collect();
    if old.is_table() {
        locks.push(Lock {
            statement: format!("lock table {} in access exclusive mode", swap.live),
            relation: swap.live.to_string(),
        });
    }
    locks
}

/// What happens under the locks: old out, new in, views.
fn exchange_body(
    swap: Swap<'_>,
    live: Option<&Live>,
    before: &[String],
    after: &[String],
) -> String {
    let mut statements = Vec::new();
    if let Some(old) = live {
        statements.extend_from_slice(before);
        let retired = swap.home.retired(swap.live);
        statements.push(swap.home.move_statement(old.keyword(), swap.live, &retired));
    }
    statements.push(
        swap.home
            .move_statement(swap.candidate.keyword(), swap.candidate, swap.live),
    );
    statements.extend_from_slice(after);
    statements.extend_from_slice(swap.then);
    statements.join("\n;\n")
}

fn published(swap: Swap<'_>, live: Option<&Live>) -> Published {
    match live {
        None => Published {
            method: Method::Created,
            garbage: Vec::new(),
        },
        Some(old) => Published {
            method: Method::Swapped,
            garbage: vec![format!(
                "drop {} if exists {}",
                old.keyword(),
                swap.home.retired(swap.live)
            )],
        },
    }
}
