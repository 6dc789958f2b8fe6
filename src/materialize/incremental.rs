//! `materialized: incremental`: the new rows as a staged delta, then one transaction that
//! applies it by the chosen strategy.

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::{Built, Candidate, Spec, hooks, schema_change, settings, table};
use crate::jinja::{Arg, Column};
use crate::names::{Relation, RelationKind};
use crate::publish::facts;
use crate::session::{Embedded, Session, SessionError};

/// Builds the table the first time or on a full refresh, else applies the delta.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    let strategy = strategy(spec)?;
    if spec.full_refresh || spec.existing != Some(RelationKind::Table) {
        return table::build(spec, session).await;
    }
    let config = &spec.node.config;
    hooks::outside(session, &config.pre_hook).await?;
    session.execute("begin".into()).await?;
    for sql in hooks::inside(session, &config.pre_hook).await? {
        session.execute((&sql).into()).await?;
    }
    let delta = stage(spec, session).await?;
    let columns = schema_change::apply(spec, &delta, session).await?;
    let sql = strategy_sql(spec, &strategy, &delta, &columns, session).await?;
    let done = session.execute((&sql).into()).await?;
    for sql in hooks::inside(session, &config.post_hook).await? {
        session.execute((&sql).into()).await?;
    }
    let after = after(spec, &columns, session).await?;
    session
        .execute((&format!("{after}drop table if exists {delta}; commit")).into())
        .await?;
    hooks::outside(session, &config.post_hook).await?;
    Ok(Built {
        rows: done.rows,
        kind: Some(RelationKind::Table),
        ..Built::default()
    })
}

/// Builds the table the first time or on a full refresh; else a candidate that reads as the
/// live table will once the new rows are in it.
pub(super) async fn candidate(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    strategy(spec)?;
    if spec.full_refresh || spec.existing != Some(RelationKind::Table) {
        return table::candidate(spec, spec.sql, session).await;
    }
    Err(SessionError::materialization("not yet"))
}

/// The strategy's name, checked: dbt's default is delete+insert with a unique key, else append.
fn strategy(spec: Spec<'_>) -> Result<String, SessionError> {
    let config = &spec.node.config;
    let default = if config.unique_key.is_empty() {
        "append"
    } else {
        "delete+insert"
    };
    let name = config
        .incremental_strategy
        .clone()
        .unwrap_or_else(|| default.to_owned());
    let custom = !matches!(
        name.as_str(),
        "append" | "delete+insert" | "merge" | "microbatch"
    );
    if name == "merge" && config.unique_key.is_empty() {
        return Err(SessionError::materialization(format!(
            "{} merges but names no unique_key; say which columns identify a row",
            spec.node.name
        )));
    }
    if custom && !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(SessionError::materialization(format!(
            "{} asks for the incremental_strategy {name:?}; there are append, delete+insert, \
             merge and microbatch",
            spec.node.name
        )));
    }
    Ok(name)
}

/// The new rows in a temporary table of this session.
async fn stage(spec: Spec<'_>, session: &dyn Session) -> Result<Relation, SessionError> {
    let delta = delta_relation(spec);
    let create = settings::create_table_as(session, true, &delta, spec.sql).await?;
    let compiled_at = create.find(spec.sql);
    session
        .execute(Embedded {
            text: &create,
            compiled_at,
        })
        .await?;
    Ok(delta)
}

/// The name of a node's delta.
pub(super) fn delta_relation(spec: Spec<'_>) -> Relation {
    let name = format!(
        "{}__dbt_tmp{}",
        short(&spec.live.identifier),
        spec.home.tag().as_str()
    );
    Relation::new("", "", name).of_kind(RelationKind::Table)
}

/// Cut so that the name with its suffix stays within Postgres' limit.
fn short(name: &str) -> &str {
    let mut end = name.len().min(40);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

async fn strategy_sql(
    spec: Spec<'_>,
    strategy: &str,
    delta: &Relation,
    columns: &[Column],
    session: &dyn Session,
) -> Result<String, SessionError> {
    let config = &spec.node.config;
    let unique_key = match config.unique_key.as_slice() {
        [] => Json::Null,
        [one] => json!(one),
        many => json!(many),
    };
    let predicates = match config.incremental_predicates.as_slice() {
        [] => Json::Null,
        some => json!(some),
    };
    let name = format!("get_incremental_{}_sql", strategy.replace('+', "_"));
    let text = session
        .call_macro(
            &name,
            &[(
                "arg_dict",
                Arg::Dict(IndexMap::from([
                    (
                        "target_relation".to_owned(),
                        Arg::Relation(spec.live.clone()),
                    ),
                    ("temp_relation".to_owned(), Arg::Relation(delta.clone())),
                    ("unique_key".to_owned(), Arg::Json(unique_key)),
                    ("dest_columns".to_owned(), Arg::Columns(columns.to_vec())),
                    ("incremental_predicates".to_owned(), Arg::Json(predicates)),
                ])),
            )],
        )
        .await?;
    Ok(settings::statement(&text))
}

/// Comments and privileges, as statements with semicolons.
async fn after(
    spec: Spec<'_>,
    columns: &[Column],
    session: &dyn Session,
) -> Result<String, SessionError> {
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    let mut out = settings::comments(spec.node, "table", spec.live, &names);
    if spec.node.config.grants.is_some() {
        let facts = facts::read_inside(session, spec.live).await?;
        let current = facts.live.map(|live| live.grants).unwrap_or_default();
        out.extend(settings::grants(spec.node, spec.live, &current));
    }
    Ok(out.iter().map(|s| format!("{s};\n")).collect())
}
