//! `on_schema_change`: what happens when an incremental model's query gains, loses or
//! changes columns.

use super::Spec;
use crate::jinja::Column;
use crate::names::{Relation, quote_ident};
use crate::project::OnSchemaChange;
use crate::publish::lock_inside;
use crate::session::{Session, SessionError};

/// Compares the delta's columns with the table's, changes the table as the config says, and
/// gives the columns to write: the table's under `ignore`, else the query's.
pub(super) async fn apply(
    spec: Spec<'_>,
    delta: &Relation,
    session: &dyn Session,
) -> Result<Vec<Column>, SessionError> {
    let new = session.columns(delta).await?;
    let old = session.columns(spec.live).await?;
    let mut statements = widened(spec.live, &new, &old);
    let added: Vec<&Column> = missing_in(&old, &new);
    let removed: Vec<&Column> = missing_in(&new, &old);
    let retyped: Vec<&Column> = retyped(&new, &old);
    let changed = !(added.is_empty() && removed.is_empty() && retyped.is_empty());
    match spec.node.config.on_schema_change {
        OnSchemaChange::Fail if changed => return Err(failure(spec, &added, &removed, &retyped)),
        OnSchemaChange::AppendNewColumns => {
            statements.extend(added.iter().map(|c| add(spec.live, c)))
        }
        OnSchemaChange::SyncAllColumns => {
            statements.extend(removed.iter().map(|c| {
                format!(
                    "alter table {} drop column {}",
                    spec.live,
                    quote_ident(&c.name)
                )
            }));
            statements.extend(added.iter().map(|c| add(spec.live, c)));
            statements.extend(retyped.iter().map(|c| set_type(spec.live, c)));
        }
        _ => {}
    }
    if !statements.is_empty() {
        lock_inside(session, spec.live).await?;
        session.execute((&statements.join("\n;\n")).into()).await?;
    }
    Ok(match spec.node.config.on_schema_change {
        OnSchemaChange::Ignore => old,
        // A column that the query no longer has stays empty in the new rows.
        _ => new,
    })
}

/// Text columns that would not hold what comes now are widened whatever the policy, as dbt does.
fn widened(live: &Relation, new: &[Column], old: &[Column]) -> Vec<String> {
    let pairs = new
        .iter()
        .filter_map(|n| old.iter().find(|o| o.name == n.name).map(|o| (n, o)));
    pairs
        .filter(
            |(n, o)| match (varchar(&n.data_type), varchar(&o.data_type)) {
                (Some(new), Some(old)) => new > old,
                _ => false,
            },
        )
        .map(|(n, _)| set_type(live, n))
        .collect()
}

/// The length of `character varying(n)`.
fn varchar(data_type: &str) -> Option<u32> {
    data_type
        .strip_prefix("character varying(")?
        .strip_suffix(')')?
        .parse()
        .ok()
}

fn missing_in<'a>(there: &[Column], here: &'a [Column]) -> Vec<&'a Column> {
    here.iter()
        .filter(|c| !there.iter().any(|t| t.name == c.name))
        .collect()
}

fn retyped<'a>(new: &'a [Column], old: &[Column]) -> Vec<&'a Column> {
    let differs = |n: &&Column| {
        old.iter().any(|o| {
            o.name == n.name
                && o.data_type != n.data_type
                && !(varchar(&o.data_type).is_some() && varchar(&n.data_type).is_some())
        })
    };
    new.iter().filter(differs).collect()
}

fn add(live: &Relation, column: &Column) -> String {
    format!(
        "alter table {live} add column {} {}",
        quote_ident(&column.name),
        column.data_type
    )
}

fn set_type(live: &Relation, column: &Column) -> String {
    let name = quote_ident(&column.name);
    let ty = &column.data_type;
    format!("alter table {live} alter column {name} type {ty} using {name}::{ty}")
}

fn failure(
    spec: Spec<'_>,
    added: &[&Column],
    removed: &[&Column],
    retyped: &[&Column],
) -> SessionError {
    let list = |columns: &[&Column]| {
        columns
            .iter()
            .map(|c| format!("{} {}", c.name, c.data_type))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut error = SessionError::materialization(format!(
        "the columns of {} no longer fit the table, and on_schema_change is fail",
        spec.node.name
    ));
    for (what, columns) in [("new", added), ("gone", removed), ("changed type", retyped)] {
        if !columns.is_empty() {
            let note = format!("{what}: {}", list(columns));
            error.diagnostic = Box::new(error.diagnostic.note(note));
        }
    }
    let hint = "run with --full-refresh, or set on_schema_change to append_new_columns or \
                sync_all_columns";
    error.diagnostic = Box::new(error.diagnostic.hint(hint));
    error
}
