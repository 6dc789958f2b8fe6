//! `materialized: table`: build the whole result as a candidate, then swap it in.

use super::{Built, Candidate, Spec, hooks, settings};
use crate::names::{Relation, RelationKind};
use crate::publish::facts::{self, Facts, Views};
use crate::publish::swap::{Swap, publish_table};
use crate::publish::{Publication, take_over};
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
    built.statement = create;
    Ok(built)
}

/// Builds a table from a query that holds the node's own, as a candidate.
pub(super) async fn candidate(
    spec: Spec<'_>,
    query: &str,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let config = &spec.node.config;
    let relation = spec.home.candidate(spec.live);
    hooks::outside(session, &config.pre_hook).await?;
    let before = hooks::inside(session, &config.pre_hook).await?;
    let create = settings::create_table_as(session, false, &relation, query).await?;
    let rows = create_candidate(spec, &before, &create, &relation, session).await?;
    let candidate = finish(spec, rows, session).await?;
    Ok(Candidate {
        statement: create,
        ..candidate
    })
}

/// Gives a candidate table all that its live table will have, before its tests look at it.
pub(super) async fn finish(
    spec: Spec<'_>,
    rows: Option<u64>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let relation = spec.home.candidate(spec.live);
    let inherited = take_over(session, spec.home, spec.live).await?;
    let mut after = settings_of(spec, &relation, &inherited);
    let hooks = hooks::inside_of(session, &spec.node.config.post_hook, &relation).await?;
    after.extend(hooks);
    let columns = inherited.candidate_columns.iter();
    let columns: Vec<String> = columns.map(|c| c.name.clone()).collect();
    let warnings = settings::missing_columns(spec.node, &columns);
    if !after.is_empty() {
        let text = format!("begin;\n{};\ncommit", after.join("\n;\n"));
        session.execute((&text).into()).await?;
    }
    Ok(Candidate {
        relation: relation.of_kind(RelationKind::Table),
        publication: Publication::Table {
            inherited: Box::new(inherited),
        },
        rows,
        warnings: warnings.into_iter().collect(),
        statement: String::new(),
    })
}

/// Comments and privileges of the node's own config.
pub(super) fn settings_of(spec: Spec<'_>, relation: &Relation, facts: &Facts) -> Vec<String> {
    let columns = facts.candidate_columns.iter().map(|c| c.name.clone());
    let columns: Vec<String> = columns.collect();
    let mut out = settings::comments(spec.node, relation.keyword(), relation, &columns);
    let had = facts
        .live
        .as_ref()
        .map_or(&facts.default_grants, |live| &live.grants);
    out.extend(settings::grants(spec.node, relation, had));
    out
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
    let (first, later) = hooks::until_published(&node.config.post_hook);
    let mut then = hooks::inside(session, first).await?;
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
    let keyword = candidate.keyword();
    then.extend(settings::comments(node, keyword, spec.live, &columns));
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
    hooks::in_own_transaction(session, later).await?;
    Ok(Built {
        kind: Some(candidate.kind.unwrap_or(RelationKind::Table)),
        garbage: published.garbage,
        warnings: settings::missing_columns(node, &columns)
            .into_iter()
            .collect(),
        ..Built::default()
    })
}
