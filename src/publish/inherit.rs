//! What a new relation takes over from the one it replaces: owner, privileges, comments.

use super::CandidateHome;
use super::facts::{self, ColumnGrant, DependentView, Facts, Grant, LiveColumn, Views};
use crate::names::{Relation, quote_ident, quote_literal};
use crate::session::{Session, SessionError};

/// Gives a finished candidate table the owner, privileges and comments of what it will replace.
pub async fn take_over(
    session: &dyn Session,
    home: &CandidateHome,
    live: &Relation,
) -> Result<Facts, SessionError> {
    take_over_as(session, &home.candidate(live), live).await
}

/// The same for a candidate that says of what kind it is.
pub async fn take_over_as(
    session: &dyn Session,
    candidate: &Relation,
    live: &Relation,
) -> Result<Facts, SessionError> {
    let facts = facts::read(session, live, Some(candidate), Views::Direct).await?;
    let statements = of_candidate(&facts, live, candidate);
    if !statements.is_empty() {
        let text = format!("begin; {}; commit", statements.join("; "));
        session.execute((&text).into()).await?;
    }
    Ok(facts)
}

/// The statements of [`take_over`].
pub(super) fn of_candidate(facts: &Facts, live: &Relation, candidate: &Relation) -> Vec<String> {
    let columns: Vec<String> = facts
        .candidate_columns
        .iter()
        .map(|c| c.name.clone())
        .collect();
    statements(facts, candidate, &columns, candidate.schema == live.schema)
}

/// Whether what a candidate took over by `before` is still what it would take over.
pub(super) fn is_current(before: &Facts, now: &Facts) -> bool {
    let of = |facts: &Facts| {
        facts.live.as_ref().map(|live| {
            (
                live.owner.clone(),
                live.grants.clone(),
                live.column_grants.clone(),
                live.comment.clone(),
                live.columns.clone(),
            )
        })
    };
    before.default_grants == now.default_grants && of(before) == of(now)
}

/// Statements that give `candidate` the owner, privileges and comments of what it replaces,
/// or the schema's default privileges where it replaces nothing. `columns` are the candidate's.
/// `home_is_shared`: the candidate stands in the live relation's own schema.
pub(super) fn statements(
    facts: &Facts,
    candidate: &Relation,
    columns: &[String],
    home_is_shared: bool,
) -> Vec<String> {
    let name = candidate.to_string();
    let Some(live) = &facts.live else {
        return grants(&facts.default_grants, &name);
    };
    let mut out = grants(&live.grants, &name);
    let has = |column: &str| columns.iter().any(|c| c == column);
    out.extend(column_grants(
        live.column_grants.iter().filter(|g| has(&g.column)),
        &name,
    ));
    // A view's comment on a table of the same name would still say what it said.
    out.extend(comments(
        candidate.keyword(),
        &name,
        live.comment.as_deref(),
        live.columns.iter().filter(|c| has(&c.name)),
    ));
    if !live.owner_is_us {
        let owner = quote_ident(&live.owner);
        // An owner must be able to create in its table's schema. That of candidates is ours;
        // one beside the live table is in a schema where the owner has been before.
        if !home_is_shared {
            let schema = quote_ident(&candidate.schema);
            out.push(format!("grant usage, create on schema {schema} to {owner}"));
        }
        out.push(format!("alter table {name} owner to {owner}"));
    }
    out
}

/// Statements that make a dropped view again, as it was.
pub(super) fn recreate_view(view: &DependentView) -> Vec<String> {
    if view.is_retired() {
        return Vec::new();
    }
    let name = view.sql_name();
    let mut out = vec![create_view("create view", view)];
    out.extend(grants(&view.grants, &name));
    out.extend(column_grants(view.column_grants.iter(), &name));
    out.extend(comments(
        "view",
        &name,
        view.comment.as_deref(),
        view.columns.iter(),
    ));
    if !view.owner_is_us {
        out.push(format!(
            "alter view {name} owner to {}",
            quote_ident(&view.owner)
        ));
    }
    out
}

/// The statement that points a view in place at what its names mean now. Its owner, OID,
/// privileges, comments and whatever reads it stay; options must be said again, else they go.
pub(super) fn replace_view(view: &DependentView) -> String {
    create_view("create or replace view", view)
}

fn create_view(verb: &str, view: &DependentView) -> String {
    let options = if view.options.is_empty() {
        String::new()
    } else {
        let list: Vec<String> = view.options.iter().map(|o| option_sql(o)).collect();
        format!(" with ({})", list.join(", "))
    };
    let query = view.definition.trim().trim_end_matches(';');
    format!("{verb} {}{options} as {query}", view.sql_name())
}

fn option_sql(option: &str) -> String {
    match option.split_once('=') {
        Some((key, value)) => format!("{} = {}", quote_ident(key), quote_literal(value)),
        None => quote_ident(option),
    }
}

fn grants(grants: &[Grant], name: &str) -> Vec<String> {
    grants
        .iter()
        .map(|g| grant(g, &g.privilege, name))
        .collect()
}

fn column_grants<'a>(grants: impl Iterator<Item = &'a ColumnGrant>, name: &str) -> Vec<String> {
    grants
        .map(|g| {
            let privilege = format!("{} ({})", g.grant.privilege, quote_ident(&g.column));
            grant(&g.grant, &privilege, name)
        })
        .collect()
}

fn grant(grant: &Grant, privilege: &str, name: &str) -> String {
    let grantee = grant
        .grantee
        .as_deref()
        .map_or_else(|| "public".to_owned(), quote_ident);
    let option = if grant.grantable {
        " with grant option"
    } else {
        ""
    };
    format!("grant {privilege} on {name} to {grantee}{option}")
}

fn comments<'a>(
    keyword: &str,
    name: &str,
    comment: Option<&str>,
    columns: impl Iterator<Item = &'a LiveColumn>,
) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(text) = comment {
        out.push(format!(
            "comment on {keyword} {name} is {}",
            quote_literal(text)
        ));
    }
    for column in columns {
        if let Some(text) = &column.comment {
            let place = format!("{name}.{}", quote_ident(&column.name));
            out.push(format!(
                "comment on column {place} is {}",
                quote_literal(text)
            ));
        }
    }
    out
}
