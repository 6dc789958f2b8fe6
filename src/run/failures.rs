//! What is kept and shown of a failing test: its rows in a relation of their own, a sample in
//! the report, and no sensitive value in either report or error.

use super::runner::Runner;
use super::session::RunSession;
use crate::checks::failures::{self, Keep};
use crate::checks::sample::{self, Wanted};
use crate::checks::{Sensitive, Verdict};
use crate::diag::{Diagnostic, codes};
use crate::event::Sample;
use crate::graph::{Detail, Node, NodeIx};
use crate::jinja::Arg;
use crate::names::{MAX_IDENT_BYTES, Relation, quote_ident, quote_literal};
use crate::plan::Plan;
use crate::project::StoreFailuresAs;
use crate::publish::{CandidateHome, hash64};
use crate::session::{Session, SessionError};
use serde_json::Value as Json;

/// A test's failing rows in a relation.
pub(super) struct Kept {
    /// Where they are.
    pub(super) relation: Relation,
    /// The query by which the test is judged.
    pub(super) query: String,
}

/// A test's SQL, once with the names that this run reads and once with those of what is
/// published.
#[derive(Clone, Copy)]
pub(super) struct TestSql<'a> {
    /// As it is asked.
    pub(super) asked: &'a str,
    /// As a view of it must be.
    pub(super) live: &'a str,
}

impl Runner {
    /// Stores a test's failing rows, if its config or `--store-failures` asks for it. `none`
    /// says that it is known to have no rows.
    pub(super) async fn keep_failures(
        &self,
        ix: NodeIx,
        sql: TestSql<'_>,
        none: bool,
        session: &RunSession,
    ) -> Result<Option<Kept>, SessionError> {
        let node = self.graph().node(ix);
        let Some(kind) = failures::stored_as(&node.config, self.store_failures()) else {
            return Ok(None);
        };
        let relation = self.failures_relation(ix)?;
        self.make_schema(&relation, session).await?;
        let home = CandidateHome::SameSchema(self.home().tag().clone());
        failures::keep(
            &Keep {
                test: &node.id,
                relation: &relation,
                candidate: &home.candidate(&relation),
                kind,
                sql: sql.asked,
                live_sql: sql.live,
                limit: node.config.limit,
                none,
            },
            session,
        )
        .await?;
        self.pending().done(&relation);
        let query = match kind {
            StoreFailuresAs::View => sql.asked.to_owned(),
            _ => format!("select * from {relation}"),
        };
        Ok(Some(Kept { relation, query }))
    }

    /// Where a test's failing rows go: by the project's macros for schema and name, with
    /// dbt's `dbt_test__audit` as the schema and the test's short name as the name.
    fn failures_relation(&self, ix: NodeIx) -> Result<Relation, SessionError> {
        let node = self.graph().node(ix);
        let config = &node.config;
        let schema = config.schema.as_deref().unwrap_or(failures::SCHEMA);
        let short = match &node.detail {
            Detail::GenericTest(test) => &test.short_name,
            _ => &node.name,
        };
        let alias = config.alias.as_deref().unwrap_or(short);
        let schema = self.name_by("generate_schema_name", schema, ix)?;
        let name = self.name_by("generate_alias_name", alias, ix)?;
        let mut relation = Relation::new("", shortened(&schema), shortened(&name));
        let tested = self.tested(node).and_then(|id| self.graph().find(&id));
        let tested = tested.and_then(|ix| self.graph().node(ix).relation.as_ref());
        if let Some(tested) = tested {
            relation.database.clone_from(&tested.database);
            relation.quoting = tested.quoting;
        }
        let named = |other: &Node| {
            let other = other.relation.as_ref();
            other
                .is_some_and(|r| r.schema == relation.schema && r.identifier == relation.identifier)
        };
        match self.graph().nodes().find(|(_, other)| named(other)) {
            None => Ok(relation),
            Some((_, other)) => Err(SessionError::new(
                Diagnostic::error(
                    codes::FAILURES_NAME_TAKEN,
                    format!(
                        "the failing rows of `{}` would replace {} `{}`",
                        node.name,
                        other.kind.as_str(),
                        other.name
                    ),
                )
                .in_file(&node.path)
                .hint("give the test an `alias` or a `schema` of its own"),
            )),
        }
    }

    /// Asks a naming macro as the graph does for models, by position.
    fn name_by(&self, name: &str, custom: &str, ix: NodeIx) -> Result<String, SessionError> {
        let context = self.context(ix);
        let custom = Arg::Json(Json::String(custom.to_owned()));
        let args = [(None, custom), (None, Arg::Json(context.model.clone()))];
        let engine = self.engine();
        let output = engine.call_macro(context, name, &args, self.names(Some(ix)), None);
        Ok(output.map_err(SessionError::new)?.text.trim().to_owned())
    }

    /// The views of failing rows that the tests of a plan will make anew: until then they need
    /// not keep up with the tables that they read.
    pub(super) fn failure_views(&self, plan: &Plan) -> Vec<Relation> {
        let is_view = |ix: &NodeIx| {
            let node = self.graph().node(*ix);
            let kind = failures::stored_as(&node.config, self.store_failures());
            node.is_test() && kind == Some(StoreFailuresAs::View)
        };
        let views = plan.nodes().filter(is_view);
        views
            .filter_map(|ix| self.failures_relation(ix).ok())
            .collect()
    }

    /// Makes the schema of stored failures once a run.
    async fn make_schema(
        &self,
        relation: &Relation,
        session: &RunSession,
    ) -> Result<(), SessionError> {
        let mut made = self.failure_schemas().lock().await;
        if made.contains(&relation.schema) {
            return Ok(());
        }
        let ask = format!(
            "select 1 from pg_namespace where nspname = {}",
            quote_literal(&relation.schema)
        );
        if session.query(&ask).await?.rows.is_empty() {
            let create = format!("create schema if not exists {}", relation.schema_sql());
            let created = session.execute((&create).into()).await;
            // Another run may have been faster.
            if let Err(error) = created
                && session.query(&ask).await?.rows.is_empty()
            {
                return Err(no_schema(relation, error, session).await);
            }
        }
        made.insert(relation.schema.clone());
        Ok(())
    }

    /// The sample that a report shows of a test that found rows.
    pub(super) async fn shown_sample(
        &self,
        ix: NodeIx,
        sql: &str,
        verdict: Verdict,
        session: &RunSession,
    ) -> Option<Sample> {
        verdict.sample.as_ref()?;
        let test = self.graph().node(ix);
        let wanted = Wanted {
            graph: self.graph(),
            test,
            sql,
            failures: verdict.failures,
        };
        let mut shown = sample::better(wanted, verdict.sample, session).await?;
        let sensitive = self.sensitive(ix);
        if sensitive.any() {
            let columns = self.tested_columns(test, session).await;
            sensitive.mask(&mut shown, test, &columns);
        }
        Some(shown)
    }

    /// The columns of the relation that a generic test tests, where it is there.
    async fn tested_columns(&self, test: &Node, session: &RunSession) -> Vec<String> {
        let Detail::GenericTest(test) = &test.detail else {
            return Vec::new();
        };
        let tested = self.graph().node(test.attached);
        let described = tested.columns.keys().cloned();
        let found = match &tested.relation {
            Some(relation) => session.columns(relation).await.unwrap_or_default(),
            None => Vec::new(),
        };
        described.chain(found.into_iter().map(|c| c.name)).collect()
    }

    pub(super) fn sensitive(&self, ix: NodeIx) -> Sensitive {
        Sensitive::of(self.graph(), ix, self.sensitive_patterns())
    }

    /// An error of many nodes without the values of any sensitive column.
    pub(super) fn masked_all(&self, error: SessionError) -> SessionError {
        Sensitive::of_all(self.graph(), self.sensitive_patterns()).mask_error(error)
    }

    /// An error of a node without the values of its sensitive columns.
    pub(super) fn masked(&self, ix: NodeIx, error: SessionError) -> SessionError {
        self.sensitive(ix).mask_error(error)
    }
}

/// Postgres would cut a long name by itself, and two names to one.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_IDENT_BYTES {
        return name.to_owned();
    }
    let hash = format!("_{:016x}", hash64(name));
    let mut end = MAX_IDENT_BYTES - hash.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{hash}", &name[..end])
}

/// Why the schema of stored failures is not there, with the statement that makes it.
async fn no_schema(relation: &Relation, error: SessionError, session: &RunSession) -> SessionError {
    if !error.is("42501") {
        return error;
    }
    let found = session.query("select current_user::text").await;
    let found = found.unwrap_or_default();
    let user = found.rows.first().and_then(|row| row.first().cloned());
    let user = user.flatten().unwrap_or_default();
    SessionError::new(without_schema(&relation.schema, &user))
}

fn without_schema(schema: &str, user: &str) -> Diagnostic {
    let (schema, owner) = (quote_ident(schema), quote_ident(user));
    let message = format!(
        "schema {schema}, which stored failures of tests go to, does not exist, and {user} may not \
         create schemas"
    );
    Diagnostic::error(codes::SCHEMA_MISSING, message).hint(format!(
        "as the database's owner run: create schema {schema} authorization {owner}; or give the \
         tests a `schema` that is there"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_stay_apart_within_postgres_limit() {
        let a = shortened(&format!("{}a", "é".repeat(40)));
        let b = shortened(&format!("{}b", "é".repeat(40)));
        assert!(a.len() <= MAX_IDENT_BYTES && b.len() <= MAX_IDENT_BYTES);
        assert_ne!(a, b);
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn a_schema_that_may_not_be_made_is_named_with_the_statement_that_makes_it() {
        let told = without_schema("Tests of \"x\"", "loader");
        assert!(
            told.message
                .starts_with("schema \"Tests of \"\"x\"\"\", which"),
            "{}",
            told.message
        );
        let hint = told.hint.unwrap();
        assert!(
            hint.contains("create schema \"Tests of \"\"x\"\"\" authorization \"loader\";"),
            "{hint}"
        );
    }
}
