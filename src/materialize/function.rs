//! A user-defined function: created or replaced under its own name.
//!
//! Where it is published later, those that are tested before call a candidate of it in the run's
//! shadow schema.

use super::{Built, Candidate, Spec, hooks};
use crate::jinja::Arg;
use crate::names::{Relation, quote_literal};
use crate::publish::Publication;
use crate::session::{Embedded, Session, SessionError};

/// The function as it is.
pub(super) async fn build(spec: Spec<'_>, session: &dyn Session) -> Result<Built, SessionError> {
    let config = &spec.node.config;
    hooks::outside(session, &config.pre_hook).await?;
    let create = create(spec.live, session).await?;
    let mut texts = vec!["begin".to_owned()];
    texts.extend(hooks::inside(session, &config.pre_hook).await?);
    let at = texts.len();
    texts.push(create.clone());
    texts.extend(after(spec, spec.live));
    texts.extend(hooks::inside(session, &config.post_hook).await?);
    texts.push("commit".to_owned());
    let mut embedded: Vec<Embedded<'_>> = texts.iter().map(Embedded::from).collect();
    embedded[at].compiled_at = create.find(spec.sql);
    session.execute_all(&embedded).await.map_err(explain)?;
    hooks::outside(session, &config.post_hook).await?;
    Ok(Built {
        statement: create,
        ..Built::default()
    })
}

/// The function in the shadow schema.
pub(super) async fn candidate(
    spec: Spec<'_>,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let config = &spec.node.config;
    let relation = bare(&spec.home.candidate(spec.live));
    hooks::outside(session, &config.pre_hook).await?;
    let text = create(&relation, session).await?;
    let compiled_at = text.find(spec.sql);
    session
        .execute(Embedded {
            text: &text,
            compiled_at,
        })
        .await
        .map_err(explain)?;
    let live = bare(spec.live);
    let own = text.replacen(&relation.to_string(), &live.to_string(), 1);
    let mut then = vec![own.replace(spec.sql, spec.live_sql)];
    then.extend(hooks::inside(session, &config.pre_hook).await?);
    then.extend(after(spec, &live));
    then.extend(hooks::inside(session, &config.post_hook).await?);
    Ok(Candidate {
        statement: then[0].clone(),
        publication: Publication::Function {
            create: then,
            drop: format!("drop function if exists {relation}({})", types(spec)),
        },
        relation,
        rows: None,
        warnings: Vec::new(),
    })
}

/// The statement, through the project's macros.
async fn create(name: &Relation, session: &dyn Session) -> Result<String, SessionError> {
    let args = [("target_relation", Arg::Relation(bare(name)))];
    let text = session.call_macro("scalar_function_sql", &args).await?;
    Ok(super::settings::statement(&text))
}

/// Postgres takes no database in the name of a function.
fn bare(name: &Relation) -> Relation {
    Relation {
        database: String::new(),
        ..name.clone()
    }
}

/// Its description and privileges.
fn after(spec: Spec<'_>, name: &Relation) -> Vec<String> {
    let node = spec.node;
    let name = format!("{}({})", bare(name), types(spec));
    let mut out = Vec::new();
    if node.config.persist_docs.relation && !node.description.is_empty() {
        let text = quote_literal(&node.description);
        out.push(format!("comment on function {name} is {text}"));
    }
    for (privilege, roles) in node.config.grants.iter().flatten() {
        for role in roles {
            let role = match role.eq_ignore_ascii_case("public") {
                true => "public".to_owned(),
                false => crate::names::quote_ident(role),
            };
            out.push(format!("grant {privilege} on function {name} to {role}"));
        }
    }
    out
}

/// The types of its arguments.
fn types(spec: Spec<'_>) -> String {
    let written = spec.node.other.get("arguments").and_then(|a| a.as_array());
    let types = written.into_iter().flatten();
    let types: Vec<&str> = types
        .filter_map(|argument| argument.get("data_type")?.as_str())
        .collect();
    types.join(", ")
}

/// Says what to do where a function cannot be replaced.
fn explain(error: SessionError) -> SessionError {
    // 42P13: the return type or the name of an argument is another.
    if !error.is("42P13") {
        return error;
    }
    let hint = "Postgres replaces a function only while its return type and the names of its \
                arguments stay; drop it, or give the new one another name";
    SessionError {
        diagnostic: Box::new(error.diagnostic.hint(hint)),
        ..error
    }
}
