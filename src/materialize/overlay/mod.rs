//! Candidates of tables that are continued: the new rows staged as a delta, and a view that
//! reads as the live table will once the delta is applied.
//!
//! Always holds: the overlay's rows, columns and types are exactly those of the live table
//! after the statements of its publication. Where that cannot be promised (a strategy or a
//! macro of the project's own, history that is rewritten, columns that the server fills) the
//! candidate is a full copy of the live table with the delta applied.

mod checks;
mod copy;
mod shape;

use serde_json::{Value as Json, json};

use super::schema_change::Change;
use super::{Candidate, Spec, arg_text, hooks, settings, table};
use crate::jinja::{Arg, Column};
use crate::names::{MAX_IDENT_BYTES, Relation, RelationKind, quote_ident};
use crate::publish::{Publication, facts, hash64};
use crate::session::{Embedded, Session, SessionError};
use shape::{Shape, ShapeColumn};

pub(super) use copy::copy_of_live;

/// What follows a table's name in the name of its delta.
const DELTA: &str = "__delta";

/// How a delta changes the table. Which live rows it takes, in terms of `overlay.sql`.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    /// append, delete_insert, insert_overwrite, merge or snapshot.
    pub(super) strategy: &'static str,
    /// The unique key, one or several columns or expressions.
    pub(super) unique_key: Vec<String>,
    /// Conditions that bound what is replaced.
    pub(super) predicates: Vec<String>,
}

/// Rows that wait to be brought into a live table.
pub(super) struct Staged {
    /// The table of new rows.
    pub(super) delta: Relation,
    /// What the live table demands of them.
    pub(super) shape: Shape,
    /// The number of new rows, where the server said so.
    pub(super) rows: Option<u64>,
}

/// The name of a node's delta, beside its candidate.
pub(super) fn delta_relation(spec: Spec<'_>) -> Relation {
    let candidate = spec.home.candidate(spec.live);
    let name = &candidate.identifier;
    let room = MAX_IDENT_BYTES - DELTA.len();
    let name = if name.len() <= room {
        format!("{name}{DELTA}")
    } else {
        let mut end = room - 9;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        let hash = hash64(name) & 0xffff_ffff;
        format!("{}_{hash:08x}{DELTA}", &name[..end])
    };
    candidate.with_identifier(name).of_kind(RelationKind::Table)
}

/// Runs the pre-hooks and puts the rows of `query` into the delta. Nothing of it is visible
/// under the live name.
pub(super) async fn stage(
    spec: Spec<'_>,
    query: &str,
    session: &dyn Session,
) -> Result<Staged, SessionError> {
    let config = &spec.node.config;
    let delta = delta_relation(spec);
    clear(spec, &delta, session).await?;
    hooks::outside(session, &config.pre_hook).await?;
    session.execute("begin".into()).await?;
    for sql in hooks::inside(session, &config.pre_hook).await? {
        session.execute((&sql).into()).await?;
    }
    let create = settings::relation_as(session, "marts_create_delta_as", &delta, query).await?;
    let compiled_at = create.find(spec.sql).filter(|_| !spec.sql.is_empty());
    let text = &create;
    let done = session.execute(Embedded { text, compiled_at }).await?;
    session.execute("commit".into()).await?;
    let shape = Shape::read(spec.live, &delta, session).await?;
    if !shape.may_write {
        return Err(SessionError::materialization(format!(
            "this role may not change the rows of {}, so the new ones could never be published",
            spec.live
        )));
    }
    Ok(Staged {
        delta,
        shape,
        rows: done.rows,
    })
}

/// Drops what an earlier attempt of this run left behind, for example before a retry.
async fn clear(
    spec: Spec<'_>,
    delta: &Relation,
    session: &dyn Session,
) -> Result<(), SessionError> {
    let candidate = spec.home.candidate(spec.live);
    let kind = session
        .query(&format!(
            "select relkind::text from pg_class where oid = to_regclass({})",
            shape::regclass(&candidate)
        ))
        .await?;
    let kind = kind.rows.first().and_then(|row| row.first()?.as_deref());
    let mut drops = match kind {
        Some("v") => format!("drop view {candidate}; "),
        Some(_) => format!("drop table {candidate}; "),
        None => String::new(),
    };
    drops.push_str(&format!("drop table if exists {delta}"));
    session.execute((&drops).into()).await?;
    Ok(())
}

/// Whether the overlay can promise what the table will hold: these columns written by this rule.
pub(super) fn can_overlay(rule: &Rule, change: &Change, shape: &Shape) -> bool {
    let unwritten = |c: &&ShapeColumn| !change.written.iter().any(|w| w.name == c.name);
    let filled = |c: &ShapeColumn| {
        c.generated || c.identity_always || (c.fills.is_some() && rule.strategy == "merge")
    };
    !change.rewrites && !shape.columns.iter().filter(unwritten).any(filled)
}

/// Gives the delta the types that its rows will have in the table, as an insert would cast
/// them, and the values that the table would fill in by itself; the columns to write.
pub(super) async fn conform(
    staged: &mut Staged,
    change: &Change,
    session: &dyn Session,
) -> Result<Vec<Column>, SessionError> {
    let shape = &staged.shape;
    let mut written = change.written.clone();
    let mut alter = Vec::new();
    for column in &change.columns {
        let name = quote_ident(&column.name);
        let live = shape.live_column(&column.name);
        let collation = live.and_then(|c| c.collation.as_deref());
        let typed = typed(&column.data_type, collation);
        let is_written = written.iter().any(|w| w.name == column.name);
        let found = shape.delta.iter().find(|c| c.name == column.name);
        match (found, live.and_then(|c| c.fills.as_deref())) {
            (Some(found), _) if is_written => {
                let same =
                    found.data_type == column.data_type && found.collation.as_deref() == collation;
                if !same {
                    alter.push(format!("alter column {name} type {typed}"));
                }
            }
            // Such columns of the query stay out of the table, so their name is free.
            (found, Some(fills)) if !is_written => {
                if found.is_some() {
                    alter.push(format!("drop column {name}"));
                }
                alter.push(format!("add column {name} {typed} default {fills}"));
                written.push(column.clone());
            }
            _ => {}
        }
    }
    let delta = &staged.delta;
    if !alter.is_empty() {
        let text = format!("alter table {delta} {}", alter.join(", "));
        session.execute((&text).into()).await?;
    }
    session
        .execute((&format!("analyze {delta}")).into())
        .await?;
    Ok(written)
}

/// A type with its collation.
fn typed(data_type: &str, collation: Option<&str>) -> String {
    match collation {
        Some(collation) => format!("{data_type} collate {collation}"),
        None => data_type.to_owned(),
    }
}

/// Changes the copy of the live table as the live table would have been changed; the delta
/// has done its work then.
pub(super) async fn apply_to_copy(
    spec: Spec<'_>,
    staged: &Staged,
    alter: &[String],
    apply: &str,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let mut texts = vec!["begin"];
    texts.extend(alter.iter().map(String::as_str));
    texts.push(apply);
    let applied = texts.len() - 1;
    let analyze = format!("analyze {}", spec.home.candidate(spec.live));
    let drop = format!("drop table {}", staged.delta);
    texts.extend([drop.as_str(), "commit", &analyze]);
    let texts: Vec<Embedded<'_>> = texts.into_iter().map(Embedded::from).collect();
    let done = session.execute_all(&texts).await?;
    let rows = done.get(applied).and_then(|done| done.rows);
    table::finish(spec, rows, session).await
}

/// An overlay that is about to be made.
pub(super) struct Overlay<'a> {
    pub(super) spec: Spec<'a>,
    pub(super) rule: &'a Rule,
    pub(super) staged: &'a Staged,
    pub(super) change: &'a Change,
    /// The columns that the delta brings.
    pub(super) written: &'a [Column],
}

impl Overlay<'_> {
    /// The query of a part: all, kept, incoming, replaced or duplicates (see `overlay.sql`).
    async fn part(&self, part: &str, session: &dyn Session) -> Result<String, SessionError> {
        let json = |list: &[String]| Arg::Json(json!(list));
        let rule = self.rule;
        let text = session
            .call_macro(
                "marts_overlay_sql",
                &[
                    ("strategy", arg_text(rule.strategy)),
                    ("part", arg_text(part)),
                    ("target", Arg::Relation(self.spec.live.clone())),
                    ("source", Arg::Relation(self.staged.delta.clone())),
                    ("keys", Arg::Json(keys(&rule.unique_key))),
                    ("predicates", json(&rule.predicates)),
                    ("exact", Arg::Json(exact(rule))),
                    ("columns", Arg::Json(self.columns())),
                ],
            )
            .await?;
        Ok(settings::statement(&text))
    }

    /// The columns of the result with their value in a live row and in one of the delta.
    fn columns(&self) -> Json {
        let shape = &self.staged.shape;
        let describe = |column: &Column| {
            let quoted = quote_ident(&column.name);
            let live = shape.live_column(&column.name);
            let collation = live.and_then(|c| c.collation.as_deref());
            let nothing = match collation {
                Some(collation) => format!("null::{} collate {collation}", column.data_type),
                None => format!("null::{}", column.data_type),
            };
            let from_live = match live {
                None => nothing.clone(),
                Some(_) => format!("DBT_INTERNAL_DEST.{quoted}"),
            };
            let written = self.written.iter().any(|w| w.name == column.name);
            let from_delta = match written {
                true => format!("DBT_INTERNAL_SOURCE.{quoted}"),
                false => nothing,
            };
            json!({"name": column.name, "quoted": quoted, "live": from_live,
                "delta": from_delta, "written": written})
        };
        Json::Array(self.change.columns.iter().map(describe).collect())
    }

    /// Checks the delta and makes the overlay; `apply` brings the delta in.
    pub(super) async fn make(
        &self,
        apply: String,
        session: &dyn Session,
    ) -> Result<Candidate, SessionError> {
        let relation = self.spec.home.candidate(self.spec.live);
        let relation = relation.of_kind(RelationKind::View);
        let all = self.part("all", session).await?;
        let create = format!("create view {relation} as\n{all}");
        session.execute((&create).into()).await?;
        checks::run(self, session).await?;
        Ok(Candidate {
            relation,
            statement: apply.clone(),
            publication: Publication::Delta {
                alter: self.change.statements.clone(),
                apply: vec![apply],
                then: then(self.spec, &self.change.columns, session).await?,
                garbage: vec![format!("drop table if exists {}", self.staged.delta)],
            },
            rows: self.staged.rows,
            warnings: Vec::new(),
        })
    }
}

/// Keys as the macros take them: as the query of the delta names them, as the live row does,
/// and as they are written.
fn keys(unique_key: &[String]) -> Json {
    let one = |text: &str| match unique_key.len() {
        1 => json!({"source": text, "target": format!("({text})"), "text": text}),
        _ => json!({"source": format!("DBT_INTERNAL_SOURCE.{text}"),
            "target": format!("DBT_INTERNAL_DEST.{text}"), "text": text}),
    };
    let parts: Vec<Json> = match unique_key {
        [list] => split_list(list).into_iter().map(one).collect(),
        many => many.iter().map(|key| one(key)).collect(),
    };
    Json::Array(parts)
}

/// The unique key where the delete's condition must be taken word by word: an `or` in a
/// predicate binds weaker than the `and` before it.
fn exact(rule: &Rule) -> Json {
    let words = |text: &String| {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.any(|word| word.eq_ignore_ascii_case("or"))
    };
    match rule.unique_key.as_slice() {
        _ if !rule.predicates.iter().any(words) => Json::Null,
        [one] => json!(one),
        many => json!(many),
    }
}

/// The parts of a list of expressions, split at commas outside of quotes and parentheses.
fn split_list(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// What follows the delta into the live table: post-hooks of the transaction, which see the
/// live table as `this` since a view takes neither indexes nor `analyze`; comments and
/// privileges.
async fn then(
    spec: Spec<'_>,
    columns: &[Column],
    session: &dyn Session,
) -> Result<Vec<String>, SessionError> {
    let mut then = hooks::inside(session, &spec.node.config.post_hook).await?;
    then.extend(described(spec, columns, session).await?);
    Ok(then)
}

/// Statements for the comments and privileges that a node's config asks for, on a live table
/// that stays.
pub(super) async fn described(
    spec: Spec<'_>,
    columns: &[Column],
    session: &dyn Session,
) -> Result<Vec<String>, SessionError> {
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    let mut out = settings::comments(spec.node, "table", spec.live, &names);
    if spec.node.config.grants.is_some() {
        let facts = facts::read_inside(session, spec.live).await?;
        let current = facts.live.map(|live| live.grants).unwrap_or_default();
        out.extend(settings::grants(spec.node, spec.live, &current));
    }
    Ok(out)
}

/// Described columns that the relation does not have.
pub(super) fn undescribed(spec: Spec<'_>, columns: &[Column]) -> Vec<String> {
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    let missing = settings::missing_columns(spec.node, &names);
    missing.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_several_expressions_is_split_where_sql_would() {
        assert_eq!(split_list("id"), ["id"]);
        assert_eq!(split_list("a, b"), ["a", "b"]);
        assert_eq!(
            split_list("coalesce(a, 'x,y'), \"b,c\""),
            ["coalesce(a, 'x,y')", "\"b,c\""]
        );
    }

    #[test]
    fn an_or_is_a_word_of_its_own() {
        let rule = |predicate: &str| Rule {
            predicates: vec![predicate.to_owned()],
            unique_key: vec!["id".to_owned()],
            ..Rule::default()
        };
        assert_eq!(exact(&rule("order_id > 3 and floor(x) = 1")), Json::Null);
        assert_eq!(exact(&rule("a = 1 OR b = 2")), json!("id"));
    }
}
