//! The schemas of a run: those of the target that are missing, and its own for candidates.

use std::collections::BTreeSet;

use super::session::RunSession;
use crate::diag::{Diagnostic, codes};
use crate::names::{quote_ident, quote_literal};
use crate::publish::home::{retired_schema, shadow_schema};
use crate::publish::{CandidateHome, RunTag};
use crate::session::{Session, SessionError};

/// How often schemas are made while other runs make the same.
const TRIES: u32 = 5;

/// Creates the target's schemas that are missing and the run's own; where candidates live.
pub(super) async fn create_schemas(
    keeper: &RunSession,
    schemas: &BTreeSet<String>,
    tag: RunTag,
) -> Result<CandidateHome, SessionError> {
    let list: Vec<String> = schemas.iter().map(|s| quote_literal(s)).collect();
    let found = keeper
        .query(&format!(
            "select null, case when has_database_privilege(current_database(), 'create') then 't' \
             else 'f' end, current_user, current_database() union all select nspname, null, null, \
             null from pg_namespace where nspname in ({})",
            list.join(", ")
        ))
        .await?;
    let cell = |row: &Vec<Option<String>>, at: usize| row.get(at).cloned().flatten();
    let existing: BTreeSet<String> = found.rows.iter().filter_map(|row| cell(row, 0)).collect();
    let first = found.rows.iter().find(|row| cell(row, 1).is_some());
    let may_create = first.and_then(|row| cell(row, 1)).as_deref() == Some("t");
    let missing: Vec<&String> = schemas.difference(&existing).collect();
    if !may_create {
        if missing.is_empty() {
            return Ok(CandidateHome::SameSchema(tag));
        }
        let user = first.and_then(|row| cell(row, 2)).unwrap_or_default();
        let database = first.and_then(|row| cell(row, 3)).unwrap_or_default();
        return Err(may_not_create(&missing, &user, &database));
    }
    let mut statements: Vec<String> = missing
        .iter()
        .map(|schema| format!("create schema if not exists {}", quote_ident(schema)))
        .collect();
    for schema in schemas {
        for own in [shadow_schema(schema, &tag), retired_schema(schema, &tag)] {
            statements.push(format!("create schema {}", quote_ident(&own)));
        }
    }
    let text = statements.join("; ");
    let mut tries = 1;
    loop {
        match keeper.execute((&text).into()).await {
            Ok(_) => return Ok(CandidateHome::ShadowSchemas(tag)),
            // Another run made the same schema at this moment: `if not exists` does not see what
            // is not committed. Nothing of the message is done, and now it is there.
            Err(error) if error.is("23505") && tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Why candidates cannot be kept apart from what is live.
pub(super) async fn needs_schemas(keeper: &RunSession) -> SessionError {
    let found = keeper
        .query("select current_database()::text, current_user::text")
        .await
        .unwrap_or_default();
    let cell = |at: usize| {
        let row = found.rows.first();
        row.and_then(|row| row.get(at).cloned().flatten())
            .unwrap_or_default()
    };
    let (database, user) = (quote_ident(&cell(0)), quote_ident(&cell(1)));
    SessionError::new(
        Diagnostic::error(
            codes::PUBLISH_MODE,
            "publishing after an audit needs schemas of its own for candidates, and this role may \
             not create schemas",
        )
        .hint(format!(
            "as the database's owner run: grant create on database {database} to {user}; or run \
             with --publish immediate"
        )),
    )
}

fn may_not_create(missing: &[&String], user: &str, database: &str) -> SessionError {
    let names: Vec<String> = missing.iter().map(|s| quote_ident(s)).collect();
    let user_ident = quote_ident(user);
    let create = |name: &String| format!("create schema {name} authorization {user_ident}");
    let create: Vec<String> = names.iter().map(create).collect();
    let what = match names.as_slice() {
        [one] => format!("schema {one} does not exist"),
        several => format!("schemas {} do not exist", several.join(", ")),
    };
    SessionError::new(
        Diagnostic::error(
            codes::SCHEMA_MISSING,
            format!("{what}, and {user} may not create schemas"),
        )
        .hint(format!(
            "as the database's owner run: grant create on database {} to {user_ident}; or: {}",
            quote_ident(database),
            create.join("; ")
        )),
    )
}
