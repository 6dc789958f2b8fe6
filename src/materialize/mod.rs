//! How each kind of node becomes a relation: one file a kind, each one function that reads
//! as its choreography over a [`Session`].
//!
//! Always holds: what is published changes only in a transaction of its own that is short,
//! and only after the candidate is complete. SQL text comes from macros, so that a project
//! may override it; the order of things is here.

mod batches;
mod candidate;
mod function;
pub mod hooks;
mod incremental;
mod logistic;
mod materialized_view;
mod overlay;
mod schema_change;
pub mod seed;
mod settings;
mod snapshot;
mod table;
#[cfg(test)]
mod tests;
mod view;

pub use batches::{gather, gathered};
pub use candidate::{Candidate, candidate};

use crate::graph::{Detail, Node, ResourceKind};
use crate::jinja::Arg;
use crate::names::{Relation, RelationKind, quote_literal};
use crate::publish::{CandidateHome, Pending, leftovers};
use crate::session::{Session, SessionError};

/// A node that is about to be built.
#[derive(Clone, Copy, Debug)]
pub struct Spec<'a> {
    /// The node.
    pub node: &'a Node,
    /// Its relation.
    pub live: &'a Relation,
    /// Its compiled SQL; empty for seeds.
    pub sql: &'a str,
    /// The same with live names where it names candidates.
    pub live_sql: &'a str,
    /// Where candidates and replaced relations live.
    pub home: &'a CandidateHome,
    /// What the relation's name means now; `None` when it is free.
    pub existing: Option<RelationKind>,
    /// Whether seeds are read by our rules (leading zeros stay text, ragged rows are mistakes)
    /// rather than by dbt's.
    pub strict_seeds: bool,
    /// Whether to build it anew although it could be continued.
    pub full_refresh: bool,
    /// What this run will still build.
    pub pending: &'a Pending,
}

/// A node that was built and published.
#[derive(Clone, Debug, Default)]
pub struct Built {
    /// Rows written, where the server said so.
    pub rows: Option<u64>,
    /// What it is now.
    pub kind: Option<RelationKind>,
    /// Statements that drop what it replaced; to be run once nobody waits for them.
    pub garbage: Vec<String>,
    /// Things worth telling.
    pub warnings: Vec<String>,
    /// The statements that made it; empty where it was not made by SQL.
    pub statement: String,
}

/// A limit on statements or locks is meant for the node's own work, not for the time in which
/// another run builds the same relation. Ends with the message's own transaction.
const UNLIMITED: &str = "set local statement_timeout = 0; set local lock_timeout = 0";

/// Waits for this session's turn to build `live`, since two runs that build the same relation
/// take turns; what the name means then. The turn ends with [`end_turn`].
pub async fn begin_turn(
    live: &Relation,
    session: &dyn Session,
) -> Result<Option<RelationKind>, SessionError> {
    let (lock, _) = leftovers::relation_lock(&live.to_string());
    kind_of(live, &format!("{UNLIMITED}; {lock}; "), session).await
}

/// What a relation's name means now; `None` when it is free.
pub async fn existing(
    live: &Relation,
    session: &dyn Session,
) -> Result<Option<RelationKind>, SessionError> {
    kind_of(live, "", session).await
}

async fn kind_of(
    live: &Relation,
    first: &str,
    session: &dyn Session,
) -> Result<Option<RelationKind>, SessionError> {
    let table = session
        .query(&format!(
            "{first}select c.relkind::text from pg_class c join pg_namespace n on n.oid = \
             c.relnamespace where n.nspname = {} and c.relname = {} and c.relkind in ('r', 'p', \
             'v', 'm', 'f')",
            quote_literal(&live.schema),
            quote_literal(&live.identifier)
        ))
        .await?;
    let cell = table.rows.first().and_then(|row| row.first());
    Ok(match cell.and_then(Option::as_deref) {
        None => None,
        Some("v") => Some(RelationKind::View),
        Some("m") => Some(RelationKind::MaterializedView),
        Some(_) => Some(RelationKind::Table),
    })
}

/// Lets the next run build `live`; whatever transaction is still open has failed.
pub async fn end_turn(live: &Relation, session: &dyn Session) {
    let (_, unlock) = leftovers::relation_lock(&live.to_string());
    let _ = session
        .execute((&format!("rollback; {unlock}")).into())
        .await;
}

/// Builds and publishes a node, in its turn.
pub async fn materialize(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    match (spec.node.kind, &spec.node.detail) {
        (ResourceKind::Seed, Detail::Seed { path }) => seed::build(spec, path, session).await,
        (ResourceKind::Snapshot, _) => snapshot::build(spec, session).await,
        (ResourceKind::Function, _) => function::build(spec, session).await,
        _ => match spec.node.config.materialized.as_str() {
            "view" => view::build(spec, session).await,
            "table" => table::build(spec, session).await,
            "incremental" => incremental::build(spec, session).await,
            "materialized_view" => materialized_view::build(spec, session).await,
            "logistic_regression" => logistic::build(spec, session).await,
            other => Err(unknown_kind(spec, other)),
        },
    }
}

fn unknown_kind(spec: Spec<'_>, kind: &str) -> SessionError {
    SessionError::materialization(format!(
        "{} asks for the materialization {kind:?}, which marts does not have",
        spec.node.name
    ))
}

fn arg_text(text: &str) -> Arg {
    Arg::Json(serde_json::Value::String(text.to_owned()))
}
