//! Publishing views. A view never moves: it is created under its own name, in place where
//! its columns allow, so that its OID, privileges, comments and readers stay.

use super::facts::{self, DependentView, Live, Views};
use super::home::CandidateHome;
use super::swap::{Published, is_view_mismatch};
use super::{Method, Pending, inherit, locks};
use crate::diag::{Diagnostic, codes};
use crate::names::{Relation, RelationKind, quote_literal};
use crate::session::{Embedded, Session, SessionError};

/// A view to publish.
#[derive(Clone, Copy, Debug)]
pub struct ViewSpec<'a> {
    /// Where replaced relations go.
    pub home: &'a CandidateHome,
    /// Its name.
    pub live: &'a Relation,
    /// What the name means now, as far as is known; `None` when it is free.
    pub existing: Option<RelationKind>,
    /// Statements to run first, in the same transaction.
    pub before: &'a [String],
    /// The whole `create view` (with or without `or replace`).
    pub create: &'a str,
    /// The node's compiled SQL inside it.
    pub compiled: &'a str,
    /// Leaves the transaction open, for statements that need the view there.
    pub stays_open: bool,
    /// What this run will still build.
    pub pending: &'a Pending,
}

/// Creates or replaces a view; the last resort is to drop it and the views on it and to make
/// them all again, in one transaction.
pub async fn publish_view(
    session: &dyn Session,
    spec: ViewSpec<'_>,
) -> Result<Published, SessionError> {
    let create = or_replace(spec.create);
    if !matches!(
        spec.existing,
        Some(RelationKind::Table | RelationKind::MaterializedView)
    ) {
        let text = transaction(spec, std::slice::from_ref(&create));
        let sql = embed(&text, spec.compiled);
        match locks::retry_while_locked(session, spec.live, || session.execute(sql)).await {
            Ok(_) => {
                return Ok(Published {
                    method: Method::Swapped,
                    garbage: Vec::new(),
                });
            }
            // 42P16: columns changed; 42809: the name means something else than a view.
            Err(error) if error.is("42P16") || error.is("42809") => {}
            Err(error) => return Err(error),
        }
    }
    let facts = facts::read(session, spec.live, None, Views::Nested).await?;
    match &facts.live {
        Some(live) => replace_by_force(session, spec, live).await,
        None => {
            let text = transaction(spec, &[create]);
            let sql = embed(&text, spec.compiled);
            session.execute(sql).await?;
            Ok(Published {
                method: Method::Created,
                garbage: Vec::new(),
            })
        }
    }
}

fn transaction(spec: ViewSpec<'_>, middle: &[String]) -> String {
    let begin = [
        "begin".to_owned(),
        format!(
            "set local lock_timeout = '{}ms'",
            locks::SHORT_WAIT.as_millis()
        ),
    ];
    let commit = ["commit".to_owned()];
    let end = if spec.stays_open {
        &[][..]
    } else {
        &commit[..]
    };
    let parts = [&begin[..], spec.before, middle, end];
    parts.concat().join("\n;\n")
}

/// Old relation out of the way, new view in, views on it made again: one transaction.
async fn replace_by_force(
    session: &dyn Session,
    spec: ViewSpec<'_>,
    live: &Live,
) -> Result<Published, SessionError> {
    let views = to_recreate(spec.live, live, spec.pending)?;
    if live.is_table() && !live.blockers.is_empty() {
        return Err(does_not_become_a_view(spec.live, live));
    }
    let retired = spec.home.retired(spec.live);
    let mut statements = vec![
        "begin".to_owned(),
        format!(
            "set local lock_timeout = '{}ms'",
            locks::SHORT_WAIT.as_millis()
        ),
    ];
    statements.extend(
        views
            .iter()
            .rev()
            .map(|v| format!("drop view {}", v.sql_name())),
    );
    statements.push(
        spec.home
            .move_statement(live.keyword(), spec.live, &retired),
    );
    statements.push(spec.create.trim().trim_end_matches(';').to_owned());
    statements.extend(view_inheritance(live, spec.live));
    statements.extend(views.iter().flat_map(|v| inherit::recreate_view(v)));
    let text = transaction(spec, &statements);
    let sql = embed(&text, spec.compiled);
    locks::retry_while_locked(session, spec.live, || session.execute(sql))
        .await
        .map_err(|error| explain(spec.live, &views, error))?;
    let garbage = vec![format!("drop {} if exists {retired}", live.keyword())];
    Ok(Published {
        method: Method::Swapped,
        garbage,
    })
}

/// Names what keeps a table from becoming a view.
pub(super) fn does_not_become_a_view(relation: &Relation, live: &Live) -> SessionError {
    let mut diagnostic = Diagnostic::error(
        codes::PUBLISH_REFUSED,
        format!("{relation} is a table that others depend on; it does not become a view"),
    );
    for blocker in &live.blockers {
        diagnostic = diagnostic.note(format!("it has: {blocker}"));
    }
    SessionError::new(diagnostic.hint("remove what is named above, then run again"))
}

/// Grants, owner and comment; comments on columns that may be gone are left to `persist_docs`.
pub(super) fn view_inheritance(live: &Live, name: &Relation) -> Vec<String> {
    let facts = facts::Facts {
        default_grants: Vec::new(),
        candidate_columns: Vec::new(),
        live: Some(Live {
            columns: Vec::new(),
            column_grants: Vec::new(),
            comment: None,
            ..live.clone()
        }),
    };
    let mut out: Vec<String> = inherit::statements(&facts, name, &[], true)
        .into_iter()
        .map(|s| s.replacen("alter table ", "alter view ", 1))
        .collect();
    if let Some(text) = &live.comment {
        out.push(format!("comment on view {name} is {}", quote_literal(text)));
    }
    out
}

/// The views on a relation that must be made again when it goes: all that others made, and
/// ours whose turn in this run is over. Refuses with names where that cannot be.
pub(super) fn to_recreate<'a>(
    relation: &Relation,
    live: &'a Live,
    pending: &Pending,
) -> Result<Vec<&'a DependentView>, SessionError> {
    let views: Vec<&DependentView> = live
        .views
        .iter()
        .filter(|v| !v.is_retired())
        .filter(|v| !pending.contains(&v.schema, &v.name))
        .collect();
    check_may_recreate(relation, &views)?;
    Ok(views)
}

/// Names the views that no longer fit the relation's next version.
pub(super) fn explain(
    relation: &Relation,
    views: &[&DependentView],
    error: SessionError,
) -> SessionError {
    if views.is_empty() || !is_view_mismatch(&error) {
        return error;
    }
    let names: Vec<String> = views.iter().map(|v| v.sql_name()).collect();
    let reason = error.diagnostic.message.clone();
    SessionError::new(
        Diagnostic::error(
            codes::PUBLISH_REFUSED,
            format!("{relation} was not replaced: a view that reads it would break"),
        )
        .note(format!("Postgres says: {reason}"))
        .note(format!("views that read it: {}", names.join(", ")))
        .hint("change or drop the view first, then run again"),
    )
}

/// Refuses with names when a view cannot be made again as it is.
pub(super) fn check_may_recreate(
    relation: &Relation,
    views: &[&DependentView],
) -> Result<(), SessionError> {
    let reason = |view: &DependentView| {
        if view.kind == 'm' {
            Some(format!("materialized view {} reads it", view.sql_name()))
        } else if !view.may_replace {
            Some(format!(
                "view {} belongs to {}",
                view.sql_name(),
                view.owner
            ))
        } else if view.has_triggers {
            Some(format!("view {} has triggers or rules", view.sql_name()))
        } else {
            None
        }
    };
    let reasons: Vec<String> = views.iter().copied().filter_map(reason).collect();
    if reasons.is_empty() {
        return Ok(());
    }
    let mut diagnostic = Diagnostic::error(
        codes::PUBLISH_REFUSED,
        format!("{relation} was not replaced: its columns change and others read it"),
    );
    for reason in reasons {
        diagnostic = diagnostic.note(reason);
    }
    Err(SessionError::new(diagnostic.hint(
        "drop what is named above or keep the columns as they are; then run again",
    )))
}

/// `create view` as `create or replace view`; a project's own macro may say either.
pub(super) fn or_replace(create: &str) -> String {
    let text = create.trim().trim_end_matches(';');
    let mut words = text.split_whitespace();
    let starts = words
        .next()
        .is_some_and(|w| w.eq_ignore_ascii_case("create"))
        && words.next().is_some_and(|w| w.eq_ignore_ascii_case("view"));
    if !starts {
        return text.to_owned();
    }
    let rest = text[6..].trim_start();
    format!("create or replace {rest}")
}

fn embed<'a>(text: &'a str, compiled: &str) -> Embedded<'a> {
    Embedded {
        text,
        compiled_at: text.find(compiled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_create_view_becomes_create_or_replace_once() {
        assert_eq!(
            or_replace("\n create   view x as y;"),
            "create or replace view x as y"
        );
        assert_eq!(
            or_replace("create or replace view x as y"),
            "create or replace view x as y"
        );
        assert_eq!(
            or_replace("CREATE VIEW x as y"),
            "create or replace VIEW x as y"
        );
    }
}
