//! Snapshots: the history of a query's rows. The first run makes the table, later ones stage
//! what changed and apply it in one transaction.

use serde_json::Value as Json;

use super::{Built, Candidate, Spec, arg_text, hooks, settings, table};
use crate::jinja::{Arg, Column};
use crate::names::{Relation, RelationKind, quote_ident};
use crate::session::{Embedded, Session, SessionError};

/// Takes a snapshot.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    check_config(spec)?;
    match spec.existing {
        None => first(spec, session).await,
        Some(RelationKind::Table) => next(spec, session).await,
        Some(kind) => Err(SessionError::materialization(format!(
            "{} is a {}, so it holds no history that a snapshot could continue",
            spec.live,
            kind.as_str()
        ))),
    }
}

/// Takes a snapshot as a candidate.
pub(super) async fn candidate(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    check_config(spec)?;
    match spec.existing {
        None => {
            let query = snapshot_sql(spec, false, session).await?;
            table::candidate(spec, &query, session).await
        }
        _ => Err(SessionError::materialization("not yet")),
    }
}

fn check_config(spec: Spec<'_>) -> Result<(), SessionError> {
    let config = &spec.node.config;
    let missing = match () {
        () if config.strategy.is_none() => "strategy (timestamp or check)",
        () if config.unique_key.is_empty() => "unique_key",
        () => return Ok(()),
    };
    Err(SessionError::materialization(format!(
        "the snapshot {} does not say its {missing}",
        spec.node.name
    )))
}

/// The query of a snapshot's table, or of what changed since.
async fn snapshot_sql(
    spec: Spec<'_>,
    exists: bool,
    session: &dyn Session,
) -> Result<String, SessionError> {
    let strategy = spec.node.config.strategy.as_deref().unwrap_or_default();
    let text = session
        .call_macro(
            "marts_snapshot_sql",
            &[
                ("strategy_name", arg_text(strategy)),
                ("sql", arg_text(spec.sql)),
                ("target", Arg::Relation(spec.live.clone())),
                ("target_exists", Arg::Json(Json::Bool(exists))),
            ],
        )
        .await?;
    Ok(settings::statement(&text))
}

async fn first(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    let query = snapshot_sql(spec, false, session).await?;
    table::build_from(spec, &query, session).await
}

async fn next(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    let config = &spec.node.config;
    hooks::outside(session, &config.pre_hook).await?;
    session.execute("begin".into()).await?;
    for sql in hooks::inside(session, &config.pre_hook).await? {
        session.execute((&sql).into()).await?;
    }
    let query = snapshot_sql(spec, true, session).await?;
    let delta = stage(spec, &query, session).await?;
    let columns = add_new_columns(spec, &delta, session).await?;
    let names: Vec<Json> = columns
        .iter()
        .map(|c| Json::String(c.name.clone()))
        .collect();
    let merge = session
        .call_macro(
            "snapshot_merge_sql",
            &[
                ("target", Arg::Relation(spec.live.clone())),
                ("source", Arg::Relation(delta.clone())),
                ("insert_cols", Arg::Json(Json::Array(names))),
            ],
        )
        .await?;
    let done = session
        .execute((&settings::statement(&merge)).into())
        .await?;
    for sql in hooks::inside(session, &config.post_hook).await? {
        session.execute((&sql).into()).await?;
    }
    session
        .execute((&format!("drop table if exists {delta}; commit")).into())
        .await?;
    hooks::outside(session, &config.post_hook).await?;
    Ok(Built {
        rows: done.rows,
        kind: Some(RelationKind::Table),
        ..Built::default()
    })
}

/// What changed, in a temporary table of this session.
async fn stage(
    spec: Spec<'_>,
    query: &str,
    session: &dyn Session,
) -> Result<Relation, SessionError> {
    let delta = super::incremental::delta_relation(spec);
    let create = settings::create_table_as(session, true, &delta, query).await?;
    let compiled_at = create.find(spec.sql);
    session
        .execute(Embedded {
            text: &create,
            compiled_at,
        })
        .await?;
    Ok(delta)
}

/// Adds columns that the query gained; the columns to insert, in the delta's order.
async fn add_new_columns(
    spec: Spec<'_>,
    delta: &Relation,
    session: &dyn Session,
) -> Result<Vec<Column>, SessionError> {
    let mut columns = session.columns(delta).await?;
    columns.retain(|c| !is_internal(&c.name));
    let old = session.columns(spec.live).await?;
    let added: Vec<String> = columns
        .iter()
        .filter(|c| !old.iter().any(|o| o.name == c.name))
        .map(|c| {
            format!(
                "alter table {} add column {} {}",
                spec.live,
                quote_ident(&c.name),
                c.data_type
            )
        })
        .collect();
    if !added.is_empty() {
        session.execute((&added.join(";\n")).into()).await?;
    }
    Ok(columns)
}

/// Columns that only the delta has.
fn is_internal(name: &str) -> bool {
    name == "dbt_change_type" || name.starts_with("dbt_unique_key")
}
