//! `materialized: view`: create it under its own name, in place where its columns allow.

use super::{Built, Spec, hooks, settings};
use crate::names::RelationKind;
use crate::publish::facts::{self, Views};
use crate::publish::views::{ViewSpec, publish_view};
use crate::session::{Session, SessionError};

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
            then: &then,
            pending: spec.pending,
        },
    )
    .await?;
    let after = settings_of_view(spec, session).await?;
    if !after.is_empty() {
        session.execute((&after.join("\n;\n")).into()).await?;
    }
    hooks::outside(session, &node.config.post_hook).await?;
    Ok(Built {
        rows: None,
        kind: Some(RelationKind::View),
        garbage: published.garbage,
        warnings: Vec::new(),
    })
}

/// Comments and privileges, which a replaced view keeps and which may have changed.
async fn settings_of_view(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Vec<String>, SessionError> {
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
    Ok(out)
}
