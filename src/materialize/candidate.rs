//! Building without publishing: what a node will be, beside what it is.
//!
//! Always holds: nothing under a live name changes here. A table's candidate takes over what
//! hangs on the live table and gets its comments, privileges and post-hooks before its tests
//! run; a view and a delta get theirs inside the publish transaction, because the relation
//! that they belong to never moves.

use super::{
    Spec, function, incremental, logistic, materialized_view, seed, snapshot, table, view,
};
use crate::graph::{Detail, ResourceKind};
use crate::names::Relation;
use crate::publish::Publication;
use crate::session::{Session, SessionError};

/// A node that was built but that nobody sees yet.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What tests and children read: a table or view in the run's shadow schema.
    pub relation: Relation,
    /// How it becomes what readers see.
    pub publication: Publication,
    /// Rows written, where the server said so.
    pub rows: Option<u64>,
    /// Things worth telling.
    pub warnings: Vec<String>,
    /// The statements that made it, or that will; empty where it was not made by SQL.
    pub statement: String,
}

/// Builds a node as a candidate.
pub async fn candidate(spec: Spec<'_>, session: &dyn Session) -> Result<Candidate, SessionError> {
    match (spec.node.kind, &spec.node.detail) {
        (ResourceKind::Seed, Detail::Seed { path }) => seed::candidate(spec, path, session).await,
        (ResourceKind::Snapshot, _) => snapshot::candidate(spec, session).await,
        (ResourceKind::Function, _) => function::candidate(spec, session).await,
        _ => match spec.node.config.materialized.as_str() {
            "view" => view::candidate(spec, session).await,
            "table" => table::candidate(spec, spec.sql, session).await,
            "incremental" => incremental::candidate(spec, session).await,
            "materialized_view" => materialized_view::candidate(spec, session).await,
            "logistic_regression" => logistic::candidate(spec, session).await,
            other => Err(super::unknown_kind(spec, other)),
        },
    }
}
