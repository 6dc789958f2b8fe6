//! `materialized: view`: create it under its own name, in place where its columns allow.

use super::{Built, Candidate, Spec, hooks, settings};
use crate::names::{Relation, RelationKind};
use crate::publish::Publication;
use crate::publish::facts::{self, Views};
use crate::publish::views::{ViewSpec, publish_view};
use crate::session::{Embedded, Session, SessionError};

/// Creates or replaces a view.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    let node = spec.node;
    hooks::outside(session, &node.config.pre_hook).await?;
    let before = hooks::inside(session, &node.config.pre_hook).await?;
    let create = settings::relation_as(session, "create_view_as", spec.live, spec.sql).await?;
    let then = hooks::inside(session, &node.config.post_hook).await?;
    let published = publish_view(
        session,
        ViewSpec {
            home: spec.home,
            live: spec.live,
            existing: spec.existing,
            before: &before,
            create: &create,
            compiled: spec.sql,
            stays_open: !then.is_empty(),
            pending: spec.pending,
        },
    )
    .await?;
    let missing = match finish(spec, then, session).await {
        Ok(missing) => missing,
        Err(error) => {
            // Fails where there is no transaction or no connection left.
            let _ = session.execute("rollback".into()).await;
            return Err(error);
        }
    };
    hooks::outside(session, &node.config.post_hook).await?;
    Ok(Built {
        rows: None,
        kind: Some(RelationKind::View),
        garbage: published.garbage,
        statement: create,
        warnings: missing.into_iter().collect(),
    })
}

/// Comments and privileges of a view that was just created, then the hooks of its transaction: they
/// find both, as in dbt, and undo the view when they fail. Gives a warning of missing columns.
async fn finish(
    spec: Spec<'_>,
    hooks: Vec<String>,
    session: &dyn Session,
) -> Result<Option<String>, SessionError> {
    let (mut texts, missing) = settings_of_view(spec, session).await?;
    if !hooks.is_empty() {
        texts.extend(hooks);
        texts.push("commit".to_owned());
    }
    if !texts.is_empty() {
        session.execute((&texts.join("\n;\n")).into()).await?;
    }
    Ok(missing)
}

/// Creates the view in the shadow schema, over candidates; the live one is created from the
/// same query over live relations when it is published.
pub(super) async fn candidate(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let config = &spec.node.config;
    let relation = spec.home.candidate(spec.live).of_kind(RelationKind::View);
    hooks::outside(session, &config.pre_hook).await?;
    let mut texts = vec!["begin".to_owned()];
    texts.extend(hooks::inside(session, &config.pre_hook).await?);
    texts.push(format!("drop view if exists {relation}"));
    let create = settings::relation_as(session, "create_view_as", &relation, spec.sql).await?;
    let creates = texts.len();
    texts.push(create);
    texts.push("commit".to_owned());
    let mut embedded: Vec<Embedded<'_>> = texts.iter().map(Embedded::from).collect();
    embedded[creates].compiled_at = texts[creates].find(spec.sql);
    session.execute_all(&embedded).await?;
    let create = match of_live(&texts[creates], &relation, spec) {
        Some(create) => create,
        None => settings::relation_as(session, "create_view_as", spec.live, spec.live_sql).await?,
    };
    let post = hooks::inside(session, &config.post_hook).await?;
    let (mut then, missing) = candidate_settings(spec, session).await?;
    then.extend(post);
    Ok(Candidate {
        relation,
        statement: create.clone(),
        publication: Publication::View { create, then },
        rows: None,
        warnings: missing.into_iter().collect(),
    })
}

/// The statement for the live view from that of the candidate. To ask the macro again would check
/// a contract against relations that may not be published yet, so it is asked only where the
/// candidate stands in its text in more than its place.
fn of_live(create: &str, candidate: &Relation, spec: Spec<'_>) -> Option<String> {
    let at = create.find(spec.sql).filter(|_| !spec.sql.is_empty())?;
    let (before, after) = (&create[..at], &create[at + spec.sql.len()..]);
    let before = before.replacen(&candidate.to_string(), &spec.live.to_string(), 1);
    let elsewhere = |text: &str| text.contains(spec.home.tag().as_str());
    let text = || format!("{before}{}{after}", spec.live_sql);
    (!elsewhere(&before) && !elsewhere(after)).then(text)
}

/// Comments and privileges for the live view, by the columns of the candidate.
async fn candidate_settings(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<(Vec<String>, Option<String>), SessionError> {
    let node = spec.node;
    let mut columns: Vec<String> = Vec::new();
    if node.config.persist_docs.columns {
        let found = session.columns(&spec.home.candidate(spec.live)).await?;
        columns.extend(found.into_iter().map(|c| c.name));
    }
    let mut out = settings::comments(node, "view", spec.live, &columns);
    if node.config.grants.is_some() {
        let facts = facts::read(session, spec.live, None, Views::Direct).await?;
        let had = facts.live.map_or(facts.default_grants, |live| live.grants);
        out.extend(settings::grants(node, spec.live, &had));
    }
    Ok((out, settings::missing_columns(node, &columns)))
}

/// Comments and privileges, which a replaced view keeps and which may have changed.
async fn settings_of_view(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<(Vec<String>, Option<String>), SessionError> {
    let node = spec.node;
    let columns: Vec<String> = if node.config.persist_docs.columns {
        session
            .columns(spec.live)
            .await?
            .into_iter()
            .map(|c| c.name)
            .collect()
    } else {
        Vec::new()
    };
    let mut out = settings::comments(node, "view", spec.live, &columns);
    if node.config.grants.is_some() {
        let facts = facts::read(session, spec.live, None, Views::Direct).await?;
        let current = facts.live.map(|live| live.grants).unwrap_or_default();
        out.extend(settings::grants(node, spec.live, &current));
    }
    Ok((out, settings::missing_columns(node, &columns)))
}
