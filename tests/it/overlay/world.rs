//! A live table, a query for its new rows, and the two ways from one to the other.

use std::sync::Arc;

use marts::graph::{Node, model_json};
use marts::jinja::NodeContext;
use marts::materialize::{self, Candidate, Spec};
use marts::names::RelationKind;
use marts::pg::Connection;
use marts::publish::{
    CandidateHome, Pending, Publication, RunTag,
    home::{retired_schema, shadow_schema},
};
use marts::session::{Session, SessionError};

use super::session::TestSession;
use crate::graph::{Resolved, resolved};
use crate::project::support::Scratch;
use crate::support::TestDb;

/// A database with the schemas that a run makes.
pub(super) struct World {
    runtime: tokio::runtime::Runtime,
    connection: Arc<Connection>,
    tag: RunTag,
    _db: TestDb,
}

/// What a table or view holds: its columns as Postgres describes them, and its rows, sorted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contents {
    columns: Vec<Vec<Option<String>>>,
    rows: Vec<Vec<Option<String>>>,
}

/// A node of a project.
pub(super) struct Case {
    project: Resolved,
    id: &'static str,
    query: String,
}

impl Case {
    /// An incremental model `f` with this config in a project with macros of its own.
    pub(super) fn with_macros(config: &str, query: &str, macros: &str) -> Self {
        let config = format!("{{{{ config(materialized='incremental', schema='x', {config}) }}}}");
        let name = "{% macro generate_schema_name(name, node) %}live{% endmacro %}";
        let scratch = Scratch::new()
            .file("models/f.sql", format!("{config} select 1 as id"))
            .file("macros/m.sql", format!("{name}\n{macros}"));
        Self {
            project: resolved(&scratch),
            id: "model.shop.f",
            query: query.to_owned(),
        }
    }

    /// A snapshot `f` with this config.
    pub(super) fn snapshot(config: &str, query: &str) -> Self {
        let name = "{% macro generate_schema_name(name, node) %}live{% endmacro %}";
        let scratch = Scratch::new()
            .file(
                "snapshots/f.sql",
                format!(
                    "{{% snapshot f %}}{{{{ config(schema='x', {config}) }}}}{query}{{% \
                     endsnapshot %}}"
                ),
            )
            .file("macros/m.sql", name);
        Self {
            project: resolved(&scratch),
            id: "snapshot.shop.f",
            query: query.to_owned(),
        }
    }

    fn node(&self) -> &Node {
        self.project.node(self.id)
    }
}

impl World {
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let db = TestDb::new();
        let world = Self {
            connection: Arc::new(runtime.block_on(db.connect())),
            runtime,
            _db: db,
            tag: RunTag::from_unique("overlay"),
        };
        world.reset();
        world
    }

    /// Runs SQL and gives the last statement's rows.
    #[track_caller]
    pub(super) fn sql(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let done = self.runtime.block_on(self.connection.query_untyped(sql));
        match done {
            Ok(rows) => rows.rows,
            Err(error) => panic!("{error}: {sql}"),
        }
    }

    /// Empties the database.
    pub(super) fn reset(&self) {
        let shadow = shadow_schema("live", &self.tag);
        let old = retired_schema("live", &self.tag);
        let schemas = ["live", "public", &shadow, &old];
        let sql = schemas.map(|s| format!("drop schema if exists {s} cascade; create schema {s}"));
        self.sql(&sql.join(";"));
    }

    fn run<T>(&self, work: impl AsyncFnOnce(TestSession) -> T, case: &Case) -> T {
        self.runtime.block_on(async {
            let node = case.node();
            let mut model = model_json(node, |_| String::new());
            model["compiled_code"] = case.query.as_str().into();
            let context = NodeContext {
                id: node.id.clone(),
                package: node.package.clone(),
                this: node.relation.as_ref().map(|r| marts::names::Relation {
                    database: String::new(),
                    ..r.clone()
                }),
                model,
                config: node.config.raw.clone(),
                extra: indexmap::IndexMap::new(),
                execute: true,
            };
            work(TestSession {
                connection: Arc::clone(&self.connection),
                engine: case.project.engine.clone(),
                context: Arc::new(context),
                file: node.file.expect("has a file"),
            })
            .await
        })
    }

    /// Builds the candidate.
    pub(super) fn candidate(&self, case: &Case) -> Result<Candidate, SessionError> {
        self.run(
            async |session| {
                let live = self.live(case);
                let home = CandidateHome::ShadowSchemas(self.tag.clone());
                let pending = Pending::default();
                let spec = spec(case, &live, &home, &pending, Some(RelationKind::Table));
                let built = materialize::candidate(spec, &session).await;
                let _ = session.execute("rollback".into()).await;
                built
            },
            case,
        )
    }

    /// Builds the node as `publish: immediate` does.
    pub(super) fn immediate(&self, case: &Case, first: bool) -> Result<(), SessionError> {
        let existing = (!first).then_some(RelationKind::Table);
        self.run(
            async |session| {
                let live = self.live(case);
                let home = CandidateHome::ShadowSchemas(self.tag.clone());
                let pending = Pending::default();
                let spec = spec(case, &live, &home, &pending, existing);
                let built = materialize::materialize(spec, &session).await;
                let _ = session.execute("rollback".into()).await;
                built.map(|_| ())
            },
            case,
        )
    }

    fn live(&self, case: &Case) -> marts::names::Relation {
        let live = case.node().relation.as_ref().expect("has a relation");
        marts::names::Relation {
            database: String::new(),
            ..live.clone()
        }
    }

    /// Applies a delta as a publish transaction would; false for a copy, which is swapped.
    pub(super) fn publish(&self, candidate: &Candidate) -> bool {
        let Publication::Delta {
            alter, apply, then, ..
        } = &candidate.publication
        else {
            return false;
        };
        let all = alter.iter().chain(apply).chain(then);
        let all: Vec<&str> = all.map(String::as_str).collect();
        self.sql(&format!("begin; {}; commit", all.join(";\n")));
        true
    }

    /// What a relation holds.
    #[track_caller]
    pub(super) fn contents(&self, relation: &str) -> Contents {
        Contents {
            columns: self.sql(&format!(
                "select attname, format_type(atttypid, atttypmod), attcollation::regcollation \
                 from pg_attribute where attrelid = '{relation}'::regclass and attnum > 0 and not \
                 attisdropped order by attnum"
            )),
            rows: self.sql(&format!("select r::text from {relation} as r order by 1")),
        }
    }

    /// What tests of a candidate read.
    #[track_caller]
    pub(super) fn foretold(&self, candidate: &Candidate) -> Contents {
        self.contents(&candidate.relation.to_string())
    }
}

fn spec<'a>(
    case: &'a Case,
    live: &'a marts::names::Relation,
    home: &'a CandidateHome,
    pending: &'a Pending,
    existing: Option<RelationKind>,
) -> Spec<'a> {
    Spec {
        node: case.node(),
        live,
        sql: &case.query,
        live_sql: &case.query,
        home,
        existing,
        strict_seeds: true,
        full_refresh: false,
        pending,
    }
}
