//! `store_failures`: a test's failing rows as a table or view of their own, replaced by each
//! run and empty when the test passes.
//!
//! Always holds: nothing is dropped that an earlier run of a test did not make, and nothing
//! with CASCADE.

use crate::diag::{Diagnostic, codes};
use crate::names::{NodeId, Relation, quote_ident, quote_literal};
use crate::project::{NodeConfig, StoreFailuresAs};
use crate::session::{Embedded, Session, SessionError};

/// The custom schema of stored failures, unless the test has one of its own.
pub const SCHEMA: &str = "dbt_test__audit";

/// How the comment of what we made begins.
const MARK: &str = "marts: failing rows of ";

/// The rows to keep, and where.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// The test.
    pub test: &'a NodeId,
    /// Where they go.
    pub relation: &'a Relation,
    /// A name of the same schema that nobody has, for the new table before it has its own.
    pub candidate: &'a Relation,
    /// Table or view.
    pub kind: StoreFailuresAs,
    /// The SQL that selects them.
    pub sql: &'a str,
    /// The same over what is published; where it differs, a view is kept as a table.
    pub live_sql: &'a str,
    /// The test's `limit`.
    pub limit: Option<u64>,
    /// Whether it is known that there are none.
    pub none: bool,
}

/// How a test's failures are stored, by its config and `--store-failures`; `None` if not.
pub fn stored_as(config: &NodeConfig, flag: bool) -> Option<StoreFailuresAs> {
    match (config.store_failures_as, config.store_failures) {
        (Some(StoreFailuresAs::Ephemeral), _) => None,
        (Some(kind), _) => Some(kind),
        (None, stored) => stored.unwrap_or(flag).then_some(StoreFailuresAs::Table),
    }
}

/// Replaces what the last run kept. The schema must be there.
///
/// Errors: the SQL does not run; the name belongs to something that is no test's.
pub async fn keep(keep: &Keep<'_>, session: &dyn Session) -> Result<(), SessionError> {
    let found = look(keep.relation, session).await?;
    if let Some(found) = &found
        && !found.is_ours(keep.relation)
    {
        return Err(taken(keep));
    }
    let old = found.map(|found| found.kind);
    match keep.kind {
        // A view of a candidate would read what goes with this run, and one of what is
        // published would not show why the candidate was refused.
        StoreFailuresAs::View if keep.sql == keep.live_sql => keep_view(keep, old, session).await,
        _ => keep_table(keep, old, session).await,
    }
}

/// What has the name now.
struct Found {
    /// `table`, `view` or `materialized view`.
    kind: &'static str,
    comment: String,
}

impl Found {
    /// dbt leaves no mark; the schema that only tests write into is one.
    fn is_ours(&self, relation: &Relation) -> bool {
        self.comment.starts_with(MARK) || relation.schema.ends_with(SCHEMA)
    }
}

async fn look(relation: &Relation, session: &dyn Session) -> Result<Option<Found>, SessionError> {
    let table = session
        .query(&format!(
            "select c.relkind::text, obj_description(c.oid, 'pg_class') from pg_class c join \
             pg_namespace n on n.oid = c.relnamespace where n.nspname = {} and c.relname = {}",
            quote_literal(&relation.schema),
            quote_literal(&relation.identifier)
        ))
        .await?;
    let row = table.rows.into_iter().next();
    Ok(row.map(|row| {
        let mut cells = row.into_iter();
        let kind = match cells.next().flatten().as_deref() {
            Some("v") => "view",
            Some("m") => "materialized view",
            _ => "table",
        };
        let comment = cells.next().flatten().unwrap_or_default();
        Found { kind, comment }
    }))
}

/// Builds the new table beside the old one and exchanges them at the end of the transaction,
/// so that a reader waits for a moment only.
async fn keep_table(
    keep: &Keep<'_>,
    old: Option<&str>,
    session: &dyn Session,
) -> Result<(), SessionError> {
    let (relation, candidate) = (keep.relation, keep.candidate);
    let rows = limited(keep, keep.sql);
    let create = format!("create table {candidate} as (\n{rows}\n)");
    let comment = comment_on("table", keep);
    let drop = old.map_or(String::new(), |kind| format!("drop {kind} {relation}"));
    let rename = format!(
        "alter table {candidate} rename to {}",
        quote_ident(&relation.identifier)
    );
    let texts = [
        Embedded::from("begin"),
        embedded(&create, keep.sql),
        Embedded::from(&drop),
        Embedded::from(&rename),
        Embedded::from(&comment),
        Embedded::from("commit"),
    ];
    let texts: Vec<Embedded<'_>> = texts.into_iter().filter(|t| !t.text.is_empty()).collect();
    match session.execute_all(&texts).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let _ = session.execute("rollback".into()).await;
            match (error.is("2BP01"), old) {
                (true, Some("table")) => exchange_rows(keep, session).await,
                _ => Err(explained(keep, error)),
            }
        }
    }
}

/// Somebody's view reads the table: its rows are exchanged, and the table stays.
async fn exchange_rows(keep: &Keep<'_>, session: &dyn Session) -> Result<(), SessionError> {
    let relation = keep.relation;
    let rows = limited(keep, keep.sql);
    let insert = format!("insert into {relation} select * from (\n{rows}\n) marts_failures");
    let delete = format!("delete from {relation}");
    let comment = comment_on("table", keep);
    let texts = [
        Embedded::from("begin"),
        Embedded::from(&delete),
        embedded(&insert, keep.sql),
        Embedded::from(&comment),
        Embedded::from("commit"),
    ];
    let done = session.execute_all(&texts).await;
    if let Err(error) = done {
        let _ = session.execute("rollback".into()).await;
        return Err(explained(keep, error));
    }
    Ok(())
}

async fn keep_view(
    keep: &Keep<'_>,
    old: Option<&str>,
    session: &dyn Session,
) -> Result<(), SessionError> {
    let relation = keep.relation;
    let rows = limited(
        &Keep {
            none: false,
            ..*keep
        },
        keep.live_sql,
    );
    let comment = comment_on("view", keep);
    let create = format!("create or replace view {relation} as (\n{rows}\n)");
    let drop = format!("drop {} {relation}", old.unwrap_or("view"));
    let replace = [
        Embedded::from("begin"),
        embedded(&create, keep.live_sql),
        Embedded::from(&comment),
        Embedded::from("commit"),
    ];
    let mut anew = replace.to_vec();
    anew.insert(1, Embedded::from(&drop));
    let in_place = matches!(old, None | Some("view"));
    let first = if in_place { &replace[..] } else { &anew[..] };
    let Err(error) = session.execute_all(first).await else {
        return Ok(());
    };
    let _ = session.execute("rollback".into()).await;
    // 42P16: its columns are others than before.
    if !(in_place && old.is_some() && error.is("42P16")) {
        return Err(explained(keep, error));
    }
    let done = session.execute_all(&anew).await;
    if let Err(error) = done {
        let _ = session.execute("rollback".into()).await;
        return Err(explained(keep, error));
    }
    Ok(())
}

/// The rows up to the test's limit; none at all where it is known that there are none, which
/// Postgres then does not look for.
fn limited(keep: &Keep<'_>, sql: &str) -> String {
    let limit = if keep.none { Some(0) } else { keep.limit };
    match limit {
        Some(limit) => format!("select * from (\n{sql}\n) marts_failures limit {limit}"),
        None => sql.to_owned(),
    }
}

fn comment_on(kind: &str, keep: &Keep<'_>) -> String {
    let text = quote_literal(&format!("{MARK}{}", keep.test));
    format!("comment on {kind} {} is {text}", keep.relation)
}

fn embedded<'a>(text: &'a str, sql: &str) -> Embedded<'a> {
    Embedded {
        text,
        compiled_at: text.find(sql),
    }
}

fn taken(keep: &Keep<'_>) -> SessionError {
    let message = format!(
        "the failing rows of `{}` would replace {}, which no test made",
        keep.test, keep.relation
    );
    SessionError::new(
        Diagnostic::error(codes::FAILURES_NAME_TAKEN, message)
            .hint("give the test an `alias` or a `schema` of its own, or drop that relation"),
    )
}

fn explained(keep: &Keep<'_>, mut error: SessionError) -> SessionError {
    let note = format!("while its failing rows were kept in {}", keep.relation);
    error.diagnostic.notes.push(note);
    if error.is("2BP01") {
        error.diagnostic.hint = Some(format!(
            "drop what reads {}, or give the test another `alias`",
            keep.relation
        ));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_wins_over_the_flag_and_the_form_over_the_yes() {
        let of = |as_: Option<StoreFailuresAs>, stored, flag| {
            let config = NodeConfig {
                store_failures: stored,
                store_failures_as: as_,
                ..NodeConfig::default()
            };
            stored_as(&config, flag)
        };
        use StoreFailuresAs::{Ephemeral, Table, View};
        assert_eq!(of(None, None, false), None);
        assert_eq!(of(None, None, true), Some(Table));
        assert_eq!(of(None, Some(false), true), None);
        assert_eq!(of(None, Some(true), false), Some(Table));
        assert_eq!(of(Some(View), Some(false), false), Some(View));
        assert_eq!(of(Some(Ephemeral), Some(true), true), None);
    }
}
