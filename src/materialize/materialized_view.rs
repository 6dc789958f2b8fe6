//! `materialized: materialized_view`: made once, refreshed by every later run, its indexes
//! changed without making it anew.
//!
//! Postgres keeps the query that a materialized view was made with; as in dbt, another query
//! takes effect with `--full-refresh`, and until then each run warns. Under `audited` and
//! `together` each run makes a candidate of the model's query, which then takes the name.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Built, Candidate, Spec, hooks, settings, table};
use crate::diag::{Diagnostic, codes};
use crate::names::{Relation, RelationKind, quote_ident, quote_literal};
use crate::project::{Index, OnConfigurationChange};
use crate::publish::{Publication, home, take_over_as};
use crate::session::{Embedded, Session, SessionError};

/// Makes the materialized view, or refreshes it and changes its indexes.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    if is_kept(spec) && !reads_what_was_replaced(spec.live, session).await? {
        return refresh(spec, session).await;
    }
    let config = &spec.node.config;
    hooks::outside(session, &config.pre_hook).await?;
    let candidate = candidate_of(spec);
    let (create, rows) = create(spec, &candidate, session).await?;
    let built = table::publish(spec, &candidate, session).await?;
    hooks::outside(session, &config.post_hook).await?;
    Ok(Built {
        rows,
        statement: create,
        ..built
    })
}

/// Makes the next version beside the live one.
pub(super) async fn candidate(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let config = &spec.node.config;
    if is_kept(spec) {
        let (_, change) = changes(spec, session).await?;
        if let Some(warning) = change.left_alone(spec)? {
            return as_it_is(spec, warning, session).await;
        }
    }
    hooks::outside(session, &config.pre_hook).await?;
    let relation = candidate_of(spec);
    let (_, rows) = create(spec, &relation, session).await?;
    let inherited = take_over_as(session, &relation, spec.live).await?;
    let mut after = table::settings_of(spec, &relation, &inherited);
    after.extend(hooks::inside_of(session, &config.post_hook, &relation).await?);
    if !after.is_empty() {
        let text = format!("begin;\n{};\ncommit", after.join("\n;\n"));
        session.execute((&text).into()).await?;
    }
    let live = spec.live.of_kind(RelationKind::MaterializedView);
    let create = settings::relation_as(session, CREATE, &live, spec.live_sql).await?;
    let mut then = table::settings_of(spec, &live, &inherited);
    then.extend(hooks::inside(session, &config.post_hook).await?);
    let columns = inherited.candidate_columns.iter();
    let columns: Vec<String> = columns.map(|c| c.name.clone()).collect();
    Ok(Candidate {
        relation,
        statement: create.clone(),
        publication: Publication::MaterializedView {
            inherited: Box::new(inherited),
            create,
            then,
        },
        rows,
        warnings: settings::missing_columns(spec.node, &columns)
            .into_iter()
            .collect(),
    })
}

/// The macro that writes the statement.
const CREATE: &str = "get_create_materialized_view_as_sql";

fn candidate_of(spec: Spec<'_>) -> Relation {
    let candidate = spec.home.candidate(spec.live);
    candidate.of_kind(RelationKind::MaterializedView)
}

/// Whether there is one already that is not to be made anew.
fn is_kept(spec: Spec<'_>) -> bool {
    spec.existing == Some(RelationKind::MaterializedView) && !spec.full_refresh
}

/// Creates the candidate with its indexes, in a transaction with the hooks before it; the
/// statement and the number of rows.
async fn create(
    spec: Spec<'_>,
    candidate: &Relation,
    session: &dyn Session,
) -> Result<(String, Option<u64>), SessionError> {
    let before = hooks::inside(session, &spec.node.config.pre_hook).await?;
    let create = settings::relation_as(session, CREATE, candidate, spec.sql).await?;
    // A candidate that an earlier attempt of this run left behind.
    let drop = format!("drop materialized view if exists {candidate}");
    let mut texts: Vec<Embedded<'_>> = vec!["begin".into()];
    texts.extend(before.iter().map(Embedded::from));
    texts.extend([Embedded::from(&drop)]);
    let creates = texts.len();
    let compiled_at = create.find(spec.sql);
    texts.push(Embedded {
        text: &create,
        compiled_at,
    });
    texts.push("commit".into());
    let done = session.execute_all(&texts).await?;
    let rows = done.get(creates).and_then(|done| done.rows);
    Ok((create, rows))
}

/// Brings an existing one up to date.
async fn refresh(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    let config = &spec.node.config;
    let (statements, change) = changes(spec, session).await?;
    if let Some(warning) = change.left_alone(spec)? {
        return Ok(Built {
            kind: Some(RelationKind::MaterializedView),
            warnings: vec![warning],
            ..Built::default()
        });
    }
    let mut warnings: Vec<String> = query_changed(spec, session).await.into_iter().collect();
    hooks::outside(session, &config.pre_hook).await?;
    let mut texts = vec!["begin".to_owned()];
    texts.extend(hooks::inside(session, &config.pre_hook).await?);
    let refresh = session
        .call_macro(
            "refresh_materialized_view",
            &[("relation", crate::jinja::Arg::Relation(spec.live.clone()))],
        )
        .await?;
    let refresh = settings::statement(&refresh);
    texts.push(refresh.clone());
    texts.extend(statements.iter().cloned());
    texts.extend(hooks::inside(session, &config.post_hook).await?);
    let columns = match config.persist_docs.columns {
        true => session.columns(spec.live).await?,
        false => Vec::new(),
    };
    let columns: Vec<String> = columns.into_iter().map(|c| c.name).collect();
    let keyword = RelationKind::MaterializedView;
    let live = spec.live.of_kind(keyword);
    texts.extend(settings::comments(
        spec.node,
        live.keyword(),
        &live,
        &columns,
    ));
    if config.grants.is_some() {
        let views = crate::publish::facts::Views::Direct;
        let facts = crate::publish::facts::read(session, spec.live, None, views).await?;
        let had = facts.live.map(|live| live.grants).unwrap_or_default();
        texts.extend(settings::grants(spec.node, &live, &had));
    }
    texts.push("commit".to_owned());
    session
        .execute_all(&texts.iter().map(Embedded::from).collect::<Vec<_>>())
        .await?;
    hooks::outside(session, &config.post_hook).await?;
    warnings.extend(settings::missing_columns(spec.node, &columns));
    let statement = [vec![refresh], statements].concat().join(";\n");
    Ok(Built {
        kind: Some(keyword),
        warnings,
        statement,
        ..Built::default()
    })
}

/// How the live indexes differ from those of the config, in words.
#[derive(Debug, Default)]
struct Change(Vec<String>);

impl Change {
    /// The warning with which the live materialized view stays as it is; `None` when it is to be
    /// changed or needs no change.
    ///
    /// Errors: under `on_configuration_change: fail`.
    fn left_alone(&self, spec: Spec<'_>) -> Result<Option<String>, SessionError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let name = &spec.node.name;
        let what = self.0.join(", ");
        match spec.node.config.on_configuration_change {
            OnConfigurationChange::Apply => Ok(None),
            OnConfigurationChange::Continue => Ok(Some(format!(
                "{name}: its indexes differ from its config ({what}), and on_configuration_change \
                 is continue, so it stays as it is"
            ))),
            OnConfigurationChange::Fail => {
                let text = format!(
                    "the indexes of {name} differ from its config, and on_configuration_change is \
                     fail"
                );
                let mut error = Diagnostic::error(codes::MATERIALIZATION, text);
                for change in &self.0 {
                    error = error.note(change.clone());
                }
                let hint = "run with --full-refresh, or set on_configuration_change to apply";
                Err(SessionError::new(error.hint(hint)))
            }
        }
    }
}

/// An index by what dbt tells them apart by: its columns, whether it is unique, its method.
type Shape = (BTreeSet<String>, bool, String);

/// Statements that make the live indexes those of the config, and the same in words.
async fn changes(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<(Vec<String>, Change), SessionError> {
    let live = live_indexes(spec.live, session).await?;
    let wanted = &spec.node.config.indexes;
    let (mut statements, mut words) = (Vec::new(), Vec::new());
    let gone = |shape: &Shape| !wanted.iter().any(|index| shape_of(index) == *shape);
    for (name, shape) in live.iter().filter(|(_, shape)| gone(shape)) {
        let schema = spec.live.schema_sql();
        statements.push(format!(
            "drop index if exists {schema}.{}",
            quote_ident(name)
        ));
        words.push(format!("gone: {}", in_words(shape)));
    }
    let written = spec.node.config.raw.get("indexes").and_then(Json::as_array);
    let written = written.map_or(&[][..], Vec::as_slice);
    for (index, dict) in wanted.iter().zip(written) {
        let shape = shape_of(index);
        if live.iter().any(|(_, there)| *there == shape) {
            continue;
        }
        statements.extend(settings::index(spec.live, dict, session).await?);
        words.push(format!("new: {}", in_words(&shape)));
    }
    Ok((statements, Change(words)))
}

fn in_words((columns, unique, method): &Shape) -> String {
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let unique = if *unique { "unique " } else { "" };
    format!("{unique}{method} ({})", columns.join(", "))
}

fn shape_of(index: &Index) -> Shape {
    let method = index.kind.clone().unwrap_or_else(|| "btree".to_owned());
    let columns = index.columns.iter().map(|column| bare(column));
    (columns.collect(), index.unique, method.to_lowercase())
}

/// A column as Postgres would write it: lower case unless it is quoted, quotes only where they
/// are needed.
fn bare(column: &str) -> String {
    let column = column.trim();
    let inner = column.strip_prefix('"').and_then(|c| c.strip_suffix('"'));
    match inner {
        Some(inner) if is_plain(inner) => inner.to_owned(),
        Some(_) => column.to_owned(),
        None => column.to_lowercase(),
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit();
    name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit())
}

async fn live_indexes(
    live: &Relation,
    session: &dyn Session,
) -> Result<Vec<(String, Shape)>, SessionError> {
    let sql = format!(
        "select x.relname, m.amname, i.indisunique::text, (select json_agg(pg_get_indexdef(\
         i.indexrelid, k, true)) from generate_series(1, i.indnkeyatts) k)::text from pg_index i \
         join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam join pg_class c \
         on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace where n.nspname = {} \
         and c.relname = {} order by x.relname",
        quote_literal(&live.schema),
        quote_literal(&live.identifier)
    );
    let table = session.query(&sql).await?;
    let index = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        let (name, method) = (cells.next()?, cells.next()?);
        let unique = cells.next()? == "true";
        let columns: Vec<String> = serde_json::from_str(&cells.next()?).ok()?;
        let columns = columns.iter().map(|column| bare(column)).collect();
        Some((name, (columns, unique, method)))
    };
    Ok(table.rows.into_iter().filter_map(index).collect())
}

/// A warning when the model's query is no longer the one that Postgres keeps.
async fn query_changed(spec: Spec<'_>, session: &dyn Session) -> Option<String> {
    let beside = spec.home.candidate(spec.live);
    let begin = format!("begin; create view {beside} as {}", spec.sql);
    let same = match session.execute((&begin).into()).await {
        Ok(_) => {
            let name = |r: &Relation| quote_literal(&r.to_string());
            let ask = format!(
                "select (pg_get_viewdef({}::regclass) = pg_get_viewdef({}::regclass))::text",
                name(&beside),
                name(spec.live)
            );
            let table = session.query(&ask).await.ok();
            let cell = table.and_then(|t| t.rows.into_iter().next()?.into_iter().next()?);
            cell.is_none_or(|cell| cell == "true")
        }
        // A query that fails now is another than the one that was made.
        Err(_) => false,
    };
    let _ = session.execute("rollback".into()).await;
    (!same).then(|| {
        format!(
            "{}: its query changed, and Postgres refreshes a materialized view by the query that \
             it was made with; run it once with --full-refresh",
            spec.node.name
        )
    })
}

/// Whether it reads a relation that this run replaced: refreshed, it would show the old rows.
async fn reads_what_was_replaced(
    live: &Relation,
    session: &dyn Session,
) -> Result<bool, SessionError> {
    let sql = format!(
        "select distinct n.nspname, c.relname from pg_rewrite r join pg_depend d on d.classid = \
         'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass join \
         pg_class c on c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace where \
         r.ev_class = to_regclass({})",
        quote_literal(&live.to_string())
    );
    let table = session.query(&sql).await?;
    let marked = |cell: &Option<String>| cell.as_deref().and_then(home::tag_of).is_some();
    Ok(table.rows.iter().any(|row| row.iter().any(marked)))
}

/// The candidate of a materialized view that is to stay as it is: a view of its rows, so that
/// tests and children of the run read them.
async fn as_it_is(
    spec: Spec<'_>,
    warning: String,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let relation = spec.home.candidate(spec.live).of_kind(RelationKind::View);
    let live = spec.live;
    let text =
        format!("drop view if exists {relation}; create view {relation} as select * from {live}");
    session.execute((&text).into()).await?;
    Ok(Candidate {
        relation,
        publication: Publication::Delta {
            alter: Vec::new(),
            apply: vec!["select 1".to_owned()],
            then: Vec::new(),
            garbage: Vec::new(),
        },
        rows: None,
        warnings: vec![warning],
        statement: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_compared_as_postgres_writes_it() {
        assert_eq!(bare("ID"), "id");
        assert_eq!(bare("\"id\""), "id");
        assert_eq!(bare("\"Odd Name\""), "\"Odd Name\"");
        assert_eq!(bare("lower(A)"), "lower(a)");
    }
}
