//! Unlogged tables that a crash of the server emptied: recovery leaves the table without its
//! rows, and nobody says so.

use crate::names::{Relation, quote_literal};
use crate::session::{Session, SessionError};

/// Those of `relations` that are unlogged and have no bytes although they once had rows.
pub(super) async fn tables(
    session: &dyn Session,
    relations: impl Iterator<Item = &Relation>,
) -> Result<Vec<String>, SessionError> {
    let names: Vec<String> = relations
        .map(|r| format!("({}, {})", quote_literal(&r.schema), quote_literal(&r.identifier)))
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let table = session
        .query(&format!(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on \
             n.oid = c.relnamespace where c.relpersistence = 'u' and c.relkind = 'r' and \
             c.reltuples > 0 and (n.nspname, c.relname) in ({}) and case when c.relpersistence = \
             'u' then pg_relation_size(c.oid) = 0 end order by 1",
            names.join(", ")
        ))
        .await?;
    Ok(table
        .rows
        .into_iter()
        .filter_map(|mut row| row.pop().flatten())
        .collect())
}

/// What the user is told of one.
pub(super) fn message(name: &str) -> String {
    format!(
        "{name} is unlogged and a crash of the server emptied it; an incremental model needs \
         --full-refresh to have its rows again"
    )
}
