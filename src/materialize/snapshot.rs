//! Snapshots: the history of a query's rows. The first run makes the table, later ones stage
//! what changed and apply it in one transaction.

use serde_json::Value as Json;

use super::overlay::{self, Overlay, Rule};
use super::schema_change::Change;
use super::{Built, Candidate, Spec, arg_text, hooks, settings, table};
use crate::diag::{Diagnostic, codes};
use crate::jinja::{Arg, Column};
use crate::names::{Relation, RelationKind, quote_ident};
use crate::session::{Embedded, Session, SessionError};

/// Takes a snapshot.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    check_config(spec)?;
    if spec.existing.is_none() {
        return first(spec, session).await;
    }
    check_kind(spec)?;
    check_history(spec, session).await?;
    next(spec, session).await
}

/// Only a table can be continued.
fn check_kind(spec: Spec<'_>) -> Result<(), SessionError> {
    match spec.existing {
        None | Some(RelationKind::Table) => Ok(()),
        Some(kind) => Err(SessionError::materialization(format!(
            "{} is a {}, so it holds no history that a snapshot could continue",
            spec.live,
            kind.as_str()
        ))),
    }
}

/// The table has the columns by which its rows are continued; else their names were configured
/// otherwise when it was made.
async fn check_history(spec: Spec<'_>, session: &dyn Session) -> Result<(), SessionError> {
    let names = &spec.node.config.snapshot_meta_column_names;
    let columns = session.columns(spec.live).await?;
    let is_missing = |name: &&str| {
        let is_it = |c: &Column| c.name.eq_ignore_ascii_case(name);
        !columns.iter().any(is_it)
    };
    let wanted = META_COLUMNS
        .iter()
        .map(|name| names.get(*name).map_or(*name, String::as_str));
    let missing: Vec<&str> = wanted.filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    let has: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
    let message = format!(
        "the table {} has no column {missing}, by which its history is continued",
        spec.live
    );
    let problem = Diagnostic::error(codes::MATERIALIZATION, message)
        .note(format!("it has {}", has.join(", ")))
        .in_dbts_words(format!(
            "Compilation Error in snapshot {}: Snapshot target is missing configured columns",
            spec.node.name
        ))
        .hint(
            "name the table's own columns in snapshot_meta_column_names, or rename them; \
             if the table is no snapshot, move it away",
        );
    Err(problem.into())
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
    let merge = merge_sql((spec.live, &delta), &columns, session).await?;
    let done = session.execute((&merge).into()).await?;
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
        statement: merge,
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

/// The statements that end old versions and insert new ones.
async fn merge_sql(
    (target, delta): (&Relation, &Relation),
    columns: &[Column],
    session: &dyn Session,
) -> Result<String, SessionError> {
    let names = columns.iter().map(|c| Json::String(c.name.clone()));
    let text = session
        .call_macro(
            "snapshot_merge_sql",
            &[
                ("target", Arg::Relation(target.clone())),
                ("source", Arg::Relation(delta.clone())),
                ("insert_cols", Arg::Json(Json::Array(names.collect()))),
            ],
        )
        .await?;
    Ok(settings::statement(&text))
}

/// Takes a snapshot as a candidate: the first as a table, later ones as what changed and a
/// view of what the history will be.
pub(super) async fn candidate(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    check_config(spec)?;
    if spec.existing.is_none() {
        let query = snapshot_sql(spec, false, session).await?;
        return table::candidate(spec, &query, session).await;
    }
    check_kind(spec)?;
    check_history(spec, session).await?;
    let query = snapshot_sql(spec, true, session).await?;
    let mut staged = overlay::stage(spec, &query, session).await?;
    let (new, old) = (staged.shape.delta_columns(), staged.shape.live_columns());
    let change = change(spec.live, new.clone(), &old);
    let rule = Rule {
        strategy: "snapshot",
        ..Rule::default()
    };
    let builtin = MACROS.iter().all(|name| session.resolves_to_builtin(name));
    if !builtin || !overlay::can_overlay(&rule, &change, &staged.shape) {
        let copy = overlay::copy_of_live(spec, &staged.shape, session).await?;
        let change = self::change(&copy, new, &old);
        let sql = merge_sql((&copy, &staged.delta), &change.written, session).await?;
        return overlay::apply_to_copy(spec, &staged, &change.statements, &sql, session).await;
    }
    let once = [("source", Arg::Relation(staged.delta.clone()))];
    let once = session.call_macro("marts_snapshot_end_once", &once).await?;
    session
        .execute((&settings::statement(&once)).into())
        .await?;
    let written = overlay::conform(&mut staged, &change, session).await?;
    let apply = merge_sql((spec.live, &staged.delta), &written, session).await?;
    let overlay = Overlay {
        spec,
        rule: &rule,
        staged: &staged,
        change: &change,
        written: &written,
    };
    overlay.make(apply, session).await
}

/// Columns of every history under the names that dbt gives them.
const META_COLUMNS: [&str; 4] = [
    "dbt_scd_id",
    "dbt_updated_at",
    "dbt_valid_from",
    "dbt_valid_to",
];

/// Macros whose text the overlay of a snapshot mirrors.
const MACROS: [&str; 5] = [
    "snapshot_merge_sql",
    "snapshot_columns",
    "snapshot_is_current",
    "get_snapshot_table_column_names",
    "get_quoted_csv",
];

/// What the query's columns mean for the table: those that it gained are added.
fn change(table: &Relation, mut written: Vec<Column>, old: &[Column]) -> Change {
    written.retain(|c| !is_internal(&c.name));
    let added = written
        .iter()
        .filter(|c| !old.iter().any(|o| o.name == c.name));
    let add = |c: &Column| {
        let name = quote_ident(&c.name);
        format!("alter table {table} add column {name} {}", c.data_type)
    };
    Change {
        statements: added.clone().map(add).collect(),
        columns: old.iter().chain(added).cloned().collect(),
        rewrites: false,
        written: written.clone(),
    }
}

/// Adds columns that the query gained; the columns to insert, in the delta's order.
async fn add_new_columns(
    spec: Spec<'_>,
    delta: &Relation,
    session: &dyn Session,
) -> Result<Vec<Column>, SessionError> {
    let columns = session.columns(delta).await?;
    let old = session.columns(spec.live).await?;
    let change = change(spec.live, columns, &old);
    if !change.statements.is_empty() {
        let text = change.statements.join(";\n");
        session.execute((&text).into()).await?;
    }
    Ok(change.written)
}

/// Columns that only the delta has.
fn is_internal(name: &str) -> bool {
    name == "dbt_change_type" || name.starts_with("dbt_unique_key")
}
