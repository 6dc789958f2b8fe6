//! `materialized: incremental`: the new rows as a staged delta, then one transaction that
//! applies it by the chosen strategy.

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::overlay::{self, Overlay, Rule};
use super::{Built, Candidate, Spec, hooks, schema_change, settings, table};
use crate::diag::{Diagnostic, codes};
use crate::jinja::{Arg, Column};
use crate::names::{Relation, RelationKind};
use crate::session::{Embedded, Session, SessionError};

/// Builds the table the first time or on a full refresh, else applies the delta.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    let strategy = strategy(spec, session)?;
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
    let sql = strategy_sql(spec, &strategy, (spec.live, &delta), &columns, session).await?;
    let done = session.execute((&sql).into()).await?;
    for sql in hooks::inside(session, &config.post_hook).await? {
        session.execute((&sql).into()).await?;
    }
    let mut last = overlay::described(spec, &columns, session).await?;
    last.extend([format!("drop table if exists {delta}"), "commit".to_owned()]);
    session.execute((&last.join(";\n")).into()).await?;
    hooks::outside(session, &config.post_hook).await?;
    Ok(Built {
        rows: done.rows,
        kind: Some(RelationKind::Table),
        warnings: overlay::undescribed(spec, &columns),
        statement: sql,
        ..Built::default()
    })
}

/// Builds the table the first time or on a full refresh; else a candidate that reads as the
/// live table will once the new rows are in it: the delta and a view, or a full copy where no
/// view can tell.
pub(super) async fn candidate(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let strategy = strategy(spec, session)?;
    if spec.full_refresh || spec.existing != Some(RelationKind::Table) {
        return table::candidate(spec, spec.sql, session).await;
    }
    let mut staged = overlay::stage(spec, spec.sql, session).await?;
    let (new, old) = (staged.shape.delta_columns(), staged.shape.live_columns());
    let change = schema_change::plan(spec, spec.live, &new, &old)?;
    let rule = rule(spec, &strategy, session);
    let Some(rule) = rule.filter(|rule| overlay::can_overlay(rule, &change, &staged.shape)) else {
        let copy = overlay::copy_of_live(spec, &staged.shape, session).await?;
        let change = schema_change::plan(spec, &copy, &new, &old)?;
        let tables = (&copy, &staged.delta);
        let sql = strategy_sql(spec, &strategy, tables, &change.written, session).await?;
        return overlay::apply_to_copy(spec, &staged, &change.statements, &sql, session).await;
    };
    let written = overlay::conform(&mut staged, &change, session).await?;
    let tables = (spec.live, &staged.delta);
    let apply = strategy_sql(spec, &strategy, tables, &written, session).await?;
    let overlay = Overlay {
        spec,
        rule: &rule,
        staged: &staged,
        change: &change,
        written: &written,
    };
    overlay.make(apply, session).await
}

/// What a strategy does in terms of overlays; `None` where its macros are the project's own.
fn rule(spec: Spec<'_>, strategy: &str, session: &dyn Session) -> Option<Rule> {
    let config = &spec.node.config;
    let keyed = !config.unique_key.is_empty();
    let (known, macros): (_, &[&str]) = match strategy {
        "append" => ("append", &[]),
        "default" if !keyed => ("append", &["get_incremental_append_sql"]),
        "delete+insert" | "default" if keyed => ("delete_insert", &DELETE_INSERT),
        "delete+insert" => ("append", &DELETE_INSERT),
        "merge" => ("merge", &["get_merge_sql"]),
        "microbatch" if keyed => ("merge", &["get_incremental_merge_sql", "get_merge_sql"]),
        "microbatch" | "insert_overwrite" => ("insert_overwrite", &OVERWRITE),
        _ => return None,
    };
    let own = [strategy_macro(strategy)];
    let own = own.iter().map(String::as_str);
    let all = own.chain(macros.iter().copied()).chain(WRITERS);
    let mut all = all.map(|name| session.resolves_to_builtin(name));
    all.all(|builtin| builtin).then(|| Rule {
        strategy: known,
        unique_key: config.unique_key.clone(),
        predicates: config.incremental_predicates.clone(),
    })
}

/// Macros that strategies lean on.
const WRITERS: [&str; 2] = ["get_insert_into_sql", "get_quoted_csv"];
const DELETE_INSERT: [&str; 3] = [
    "get_incremental_delete_insert_sql",
    "get_delete_insert_merge_sql",
    "key_in_source",
];
const OVERWRITE: [&str; 2] = [
    "get_incremental_insert_overwrite_sql",
    "get_insert_overwrite_merge_sql",
];

/// The macro that writes a strategy's statements.
fn strategy_macro(strategy: &str) -> String {
    format!("get_incremental_{}_sql", strategy.replace('+', "_"))
}

/// The strategy's name, checked: dbt's default is delete+insert with a unique key, else append.
fn strategy(spec: Spec<'_>, session: &dyn Session) -> Result<String, SessionError> {
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
    let known = [
        "append",
        "default",
        "delete+insert",
        "insert_overwrite",
        "merge",
        "microbatch",
    ];
    let custom = !known.contains(&name.as_str());
    if name == "merge" && config.unique_key.is_empty() {
        return Err(SessionError::materialization(format!(
            "{} merges but names no unique_key; say which columns identify a row",
            spec.node.name
        )));
    }
    if custom && !session.has_own_macro(&strategy_macro(&name)) {
        return Err(unknown_strategy(spec, &name));
    }
    Ok(name)
}

fn unknown_strategy(spec: Spec<'_>, name: &str) -> SessionError {
    let wanted = strategy_macro(name);
    let message = format!(
        "{} asks for the incremental_strategy {name:?}; there are append, delete+insert, \
         merge and microbatch, and those for which the project has a macro, here {wanted}",
        spec.node.name
    );
    let problem = Diagnostic::error(codes::MATERIALIZATION, message).in_dbts_words(format!(
        "dbt could not find an incremental strategy macro with the name \"{wanted}\""
    ));
    SessionError::new(problem)
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
    (target, delta): (&Relation, &Relation),
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
    let name = strategy_macro(strategy);
    let text = session
        .call_macro(
            &name,
            &[(
                "arg_dict",
                Arg::Dict(IndexMap::from([
                    ("target_relation".to_owned(), Arg::Relation(target.clone())),
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
