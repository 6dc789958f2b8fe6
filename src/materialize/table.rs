//! `materialized: table`: build the whole result as a candidate, then swap it in.

use super::{Built, Spec, hooks, settings};
use crate::names::{Relation, RelationKind};
use crate::publish::facts::{self, Views};
use crate::publish::swap::{Swap, publish_table};
use crate::session::{Embedded, Session, SessionError};

/// Builds and publishes a table.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    build_from(spec, spec.sql, session).await
}

/// Builds and publishes a table from a query that holds the node's own.
pub(super) async fn build_from(
    spec: Spec<'_>,
    query: &str,
    session: &dyn Session,
) -> Result<Built, SessionError> {
    let config = &spec.node.config;
    let candidate = spec.home.candidate(spec.live);
    hooks::outside(session, &config.pre_hook).await?;
    let before = hooks::inside(session, &config.pre_hook).await?;
    let create = settings::create_table_as(session, false, &candidate, query).await?;
    let rows = create_candidate(spec, &before, &create, &candidate, session).await?;
    let mut built = publish(spec, &candidate, session).await?;
    hooks::outside(session, &config.post_hook).await?;
    built.rows = rows;
    Ok(built)
}

/// Creates the candidate with its indexes in one transaction; the rows it got.
async fn create_candidate(
    spec: Spec<'_>,
    before: &[String],
    create: &str,
    candidate: &Relation,
    session: &dyn Session,
) -> Result<Option<u64>, SessionError> {
    let indexes = settings::indexes(spec, candidate, session).await?;
    // A candidate that an earlier attempt of this run left behind, for example before a retry.
    let create = format!("drop table if exists {candidate}; {create}");
    let mut texts = vec!["begin"];
    texts.extend(before.iter().map(String::as_str));
    let creates = texts.len();
    texts.push(&create);
    texts.extend(indexes.iter().map(String::as_str));
    // Gives pg_class.reltuples, by which an unlogged table that a crash emptied is known.
    let analyze = format!("analyze {candidate}");
    if spec.node.config.unlogged {
        texts.push(&analyze);
    }
    texts.push("commit");
    let mut texts: Vec<Embedded<'_>> = texts.into_iter().map(Embedded::from).collect();
    texts[creates].compiled_at = create.find(spec.sql);
    let done = session.execute_all(&texts).await?;
    Ok(done.get(creates).and_then(|done| done.rows))
}

/// Publishes a finished candidate with the node's post-hooks, comments and privileges.
pub(super) async fn publish(
    spec: Spec<'_>,
    candidate: &Relation,
    session: &dyn Session,
) -> Result<Built, SessionError> {
    let node = spec.node;
    let mut then = hooks::inside(session, &node.config.post_hook).await?;
    let columns: Vec<String> = if node.config.persist_docs.columns {
        session
            .columns(candidate)
            .await?
            .into_iter()
            .map(|c| c.name)
            .collect()
    } else {
        Vec::new()
    };
    then.extend(settings::comments(node, "table", spec.live, &columns));
    if node.config.grants.is_some() {
        let current = facts::read(session, spec.live, None, Views::Direct).await?;
        let had = current
            .live
            .map_or(current.default_grants, |live| live.grants);
        then.extend(settings::grants(node, spec.live, &had));
    }
    let swap = Swap {
        home: spec.home,
        live: spec.live,
        candidate,
        then: &then,
        pending: spec.pending,
    };
    let published = publish_table(session, swap).await?;
    Ok(Built {
        kind: Some(RelationKind::Table),
        garbage: published.garbage,
        ..Built::default()
    })
}
