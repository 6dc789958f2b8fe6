//! `on_schema_change`: what happens when an incremental model's query gains, loses or
//! changes columns.

use super::Spec;
use crate::jinja::Column;
use crate::names::{Relation, quote_ident};
use crate::project::OnSchemaChange;
use crate::publish::lock_inside;
use crate::session::{Session, SessionError};

/// What a new shape of the query means for the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Statements that change the table's columns.
    pub(super) statements: Vec<String>,
    /// The columns to write: the table's under `ignore`, else the query's.
    pub(super) written: Vec<Column>,
    /// The table's columns once the statements have run, in order.
    pub(super) columns: Vec<Column>,
    /// Whether a column goes or changes its type, if only its length. The views that read the
    /// table stand in the way of that.
    pub(super) rewrites: bool,
}

/// Compares the delta's columns with the table's, changes the table as the config says, and
/// gives the columns to write.
pub(super) async fn apply(
    spec: Spec<'_>,
    delta: &Relation,
    session: &dyn Session,
) -> Result<Vec<Column>, SessionError> {
    let new = session.columns(delta).await?;
    let old = session.columns(spec.live).await?;
    let change = plan(spec, spec.live, &new, &old)?;
    if !change.statements.is_empty() {
        lock_inside(session, spec.live).await?;
        let text = change.statements.join("\n;\n");
        session.execute((&text).into()).await?;
    }
    Ok(change.written)
}

/// What the config asks for when the query gives the columns `new` and `table` has `old`.
///
/// Errors: under `fail`, when they differ.
pub(super) fn plan(
    spec: Spec<'_>,
    table: &Relation,
    new: &[Column],
    old: &[Column],
) -> Result<Change, SessionError> {
    let policy = spec.node.config.on_schema_change;
    let added: Vec<&Column> = missing_in(old, new);
    let removed: Vec<&Column> = missing_in(new, old);
    let retyped: Vec<&Column> = retyped(new, old);
    let changed = !(added.is_empty() && removed.is_empty() && retyped.is_empty());
    if changed && policy == OnSchemaChange::Fail {
        return Err(failure(spec, &added, &removed, &retyped));
    }
    let wider = widened(new, old);
    let mut statements: Vec<String> = wider.iter().map(|c| set_type(table, c)).collect();
    let mut change = Change {
        columns: old.to_vec(),
        ..Change::default()
    };
    let mut types: Vec<&Column> = wider;
    if policy == OnSchemaChange::SyncAllColumns {
        statements.extend(removed.iter().map(|c| drop_column(table, c)));
        change.columns.retain(|c| !removed.contains(&c));
        change.rewrites = !removed.is_empty();
        types.extend(&retyped);
    }
    change.rewrites |= !types.is_empty();
    let adds = [
        OnSchemaChange::SyncAllColumns,
        OnSchemaChange::AppendNewColumns,
    ];
    if adds.contains(&policy) {
        statements.extend(added.iter().map(|c| add(table, c)));
        change.columns.extend(added.into_iter().cloned());
    }
    if policy == OnSchemaChange::SyncAllColumns {
        statements.extend(retyped.iter().map(|c| set_type(table, c)));
    }
    for column in &mut change.columns {
        if let Some(typed) = types.iter().find(|t| t.name == column.name) {
            column.data_type.clone_from(&typed.data_type);
        }
    }
    change.statements = statements;
    change.written = match policy {
        OnSchemaChange::Ignore => change.columns.clone(),
        // A column that the query no longer has stays empty in the new rows.
        _ => new.to_vec(),
    };
    Ok(change)
}

/// Text columns that would not hold what comes now are widened whatever the policy, as dbt does.
fn widened<'a>(new: &'a [Column], old: &[Column]) -> Vec<&'a Column> {
    let grows = |n: &&Column| {
        let same = old.iter().find(|o| o.name == n.name);
        let lengths = same.map(|o| (varchar(&n.data_type), varchar(&o.data_type)));
        matches!(lengths, Some((Some(new), Some(old))) if new > old)
    };
    new.iter().filter(grows).collect()
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

fn drop_column(live: &Relation, column: &Column) -> String {
    let name = quote_ident(&column.name);
    format!("alter table {live} drop column {name}")
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
