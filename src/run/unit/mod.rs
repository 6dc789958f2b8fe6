//! A unit test as a step: its model is rendered with stand-ins for what it reads, and one
//! statement compares what it gives with what it should give. Nothing is created, and no parent
//! has to exist.

mod error;
mod inputs;
mod names;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;

use super::compile::{compiled_path, trim_sql, with_ctes};
use super::database::SessionDatabase;
use super::names::ephemeral_cte;
use super::runner::Runner;
use super::session::RunSession;
use super::step::StepDone;
use crate::checks::unit::{self, Comparison, Difference, Expected, Origin, TypedColumn};
use crate::event::{Outcome, Status};
use crate::graph::unit_test::FixtureRows;
use crate::graph::{Detail, Node, NodeIx, UnitTest};
use crate::jinja::{EngineOverrides, NodeContext, Template};
use crate::names::Relation;
use crate::session::{Embedded, Session, SessionError};
use inputs::Input;
use names::{UnitDatabase, UnitNames};

/// SQLSTATE of an operator or function that a type does not have.
const UNDEFINED_FUNCTION: &str = "42883";

impl Runner {
    /// Runs a unit test to its verdict.
    pub(super) async fn unit_test(
        &self,
        ix: NodeIx,
        mut session: RunSession,
        path: &mut Option<PathBuf>,
    ) -> Result<StepDone, SessionError> {
        let node = self.graph().node(ix);
        let Detail::UnitTest(test) = &node.detail else {
            let message = format!("{} is no unit test", node.name);
            return Err(SessionError::materialization(message));
        };
        let overrides = EngineOverrides {
            macros: test.overrides.macros.clone(),
            vars: test.overrides.vars.clone(),
            env_vars: test.overrides.env_vars.clone(),
        };
        if !overrides.is_empty() {
            session.engine = session.engine.with_overrides(&overrides);
        }
        let mut bench = Bench {
            runner: self,
            node,
            test,
            model: self.graph().node(test.tested),
            session,
            inputs: Vec::new(),
            compared: Vec::new(),
        };
        let outcome = match bench.run(path).await {
            Ok(found) => verdict(&found, self.color()),
            Err(error) => return Err(bench.explained(error).await),
        };
        Ok(StepDone {
            outcome: Outcome {
                line: Some(node.first_line),
                ..outcome
            },
            warnings: Vec::new(),
        })
    }
}

fn verdict(found: &Difference, color: bool) -> Outcome {
    if found.is_empty() {
        return Outcome {
            failures: Some(0),
            ..Outcome::new(Status::Pass)
        };
    }
    let diff = unit::render(found, color);
    Outcome {
        failures: Some(1),
        message: Some(format!("actual differs from expected: {diff}")),
        ..Outcome::new(Status::Fail)
    }
}

/// One unit test on its connection.
struct Bench<'a> {
    runner: &'a Runner,
    node: &'a Node,
    test: &'a UnitTest,
    model: &'a Node,
    session: RunSession,
    inputs: Vec<Input<'a>>,
    /// The compared columns, once they are known.
    compared: Vec<TypedColumn>,
}

impl Bench<'_> {
    async fn run(&mut self, path: &mut Option<PathBuf>) -> Result<Difference, SessionError> {
        self.inputs = inputs::read(self).await?;
        let model = self.model_sql().await?;
        let relative = compiled_path(self.runner.target_path(), self.node);
        self.keep(&relative, &model).await?;
        *path = Some(relative.clone());
        if let Some(header) = self.header().await? {
            self.session.execute((&header).into()).await?;
        }
        let actual = self.actual_columns(&model).await?;
        let (sql, columns) = self.expected(actual).await?;
        self.compared.clone_from(&columns);
        let expected = Expected {
            sql: &sql,
            columns: &columns,
        };
        let mut of = Comparison {
            model: &model,
            expected: &expected,
            by_text: false,
        };
        let statement = unit::comparison(of);
        self.keep(&relative, &statement).await?;
        let table = match self.ask(&statement, &statement).await {
            Err(error) if error.is(UNDEFINED_FUNCTION) => {
                of.by_text = true;
                let statement = unit::comparison(of);
                self.keep(&relative, &statement).await?;
                self.ask(&statement, &statement).await?
            }
            other => other?,
        };
        Ok(unit::read(table, &columns))
    }

    /// Runs a query that holds `compiled`, the text that was kept.
    async fn ask(&self, sql: &str, compiled: &str) -> Result<crate::jinja::Table, SessionError> {
        let embedded = Embedded {
            text: sql,
            compiled_at: sql.find(compiled),
        };
        self.session.query_embedded(embedded).await
    }

    /// Writes SQL under the target path; errors of Postgres point into it from now on.
    async fn keep(&mut self, relative: &Path, sql: &str) -> Result<(), SessionError> {
        self.runner.write_compiled(relative, sql).await?;
        self.session.compiled = Some(self.runner.sources().add(relative, sql));
        Ok(())
    }

    /// What the model's `sql_header` prepares.
    async fn header(&self) -> Result<Option<String>, SessionError> {
        let header = self.model.config.raw.get("sql_header");
        let header = header.and_then(serde_json::Value::as_str);
        let Some((header, file)) = header.zip(self.model.file) else {
            return Ok(None);
        };
        let template = Template {
            file,
            text: Arc::from(header),
            first_line: 1,
        };
        let text = self
            .session
            .render_template(&template, self.context(self.test.tested));
        Ok(Some(text?).filter(|text| !text.trim().is_empty()))
    }

    /// The context of a node, in which `this` is what stands in for it.
    fn context(&self, ix: NodeIx) -> Arc<NodeContext> {
        let context = self.runner.context(ix);
        if ix != self.test.tested {
            return context;
        }
        let mut context = (*context).clone();
        context.this = Some(self.this());
        Arc::new(context)
    }

    fn this(&self) -> Relation {
        let given = self.inputs.iter().find(|input| input.given.is_this);
        given.map_or_else(
            || names::stand_in(inputs::THIS_NOT_GIVEN),
            |input| input.relation.clone(),
        )
    }

    /// The model's query with those of the ephemeral models that it reads and of its inputs.
    async fn model_sql(&mut self) -> Result<String, SessionError> {
        let given: HashMap<NodeIx, Relation> = self
            .inputs
            .iter()
            .filter(|input| !input.given.is_this)
            .map(|input| (input.given.of, input.relation.clone()))
            .collect();
        let names = Arc::new(UnitNames::new(self.runner.shared_graph(), given.clone()));
        let own = self.render(self.test.tested, &names)?;
        let mut ephemeral = Vec::new();
        for ix in self.ephemeral(&given) {
            let name = ephemeral_cte(&self.runner.graph().node(ix).name);
            ephemeral.push((name.to_string(), self.render(ix, &names)?));
        }
        let unread = own.contains(inputs::THIS_NOT_GIVEN);
        self.nothing_missing(&names.missing(), unread)?;
        let read = ephemeral.iter().map(|(_, sql)| sql.as_str());
        let all: Vec<&str> = std::iter::once(own.as_str()).chain(read).collect();
        let mut ctes = self.stand_ins(&all.join("\n")).await?;
        ctes.extend(ephemeral);
        Ok(with_ctes(&own, &ctes))
    }

    /// Ephemeral models that are rendered through, each after what it reads.
    fn ephemeral(&self, given: &HashMap<NodeIx, Relation>) -> Vec<NodeIx> {
        fn visit(
            bench: &Bench<'_>,
            ix: NodeIx,
            given: &HashMap<NodeIx, Relation>,
            found: &mut Vec<NodeIx>,
        ) {
            let graph = bench.runner.graph();
            for parent in &graph.node(ix).parents {
                let through = graph.node(*parent).is_ephemeral() && !given.contains_key(parent);
                if through && !found.contains(parent) {
                    visit(bench, *parent, given, found);
                    found.push(*parent);
                }
            }
        }
        let mut found = Vec::new();
        visit(self, self.test.tested, given, &mut found);
        found
    }

    fn render(&self, ix: NodeIx, names: &Arc<UnitNames>) -> Result<String, SessionError> {
        let node = self.runner.graph().node(ix);
        let Some(file) = node.file else {
            return Ok(String::new());
        };
        let template = Template {
            file,
            text: Arc::from(node.raw_code.as_str()),
            first_line: node.first_line,
        };
        let text = self.render_given(template, self.context(ix), names)?;
        Ok(trim_sql(&text).to_owned())
    }

    /// Renders with stand-ins instead of relations.
    fn render_given(
        &self,
        template: Template,
        context: Arc<NodeContext>,
        names: &Arc<UnitNames>,
    ) -> Result<String, SessionError> {
        let engine = &self.session.engine;
        let names = Arc::clone(names);
        let database = UnitDatabase {
            inner: SessionDatabase {
                transaction: None,
                connection: Arc::clone(&self.session.connection),
                handle: Handle::current(),
                log: self.session.log.clone(),
            },
            stand_ins: self.known_columns(),
        };
        let rendered = engine.render(context, &template, names, Some(Arc::new(database)));
        rendered.map(|r| r.text).map_err(SessionError::new)
    }

    /// The columns that the model gives, with their types.
    async fn actual_columns(&self, model: &str) -> Result<Vec<TypedColumn>, SessionError> {
        let table = self.ask(&unit::describe_columns(model), model).await?;
        let names: Vec<String> = table.columns.into_iter().map(|c| c.name).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let types = self
            .ask(&unit::describe_types(model, &names), model)
            .await?;
        let types = types.rows.into_iter().next().unwrap_or_default();
        let column = |(name, data_type): (String, Option<String>)| TypedColumn {
            name,
            data_type: data_type.unwrap_or_else(|| "text".to_owned()),
            origin: Origin::Catalog,
        };
        Ok(names.into_iter().zip(types).map(column).collect())
    }

    /// The query of the expected rows, and the columns that they name.
    async fn expected(
        &mut self,
        actual: Vec<TypedColumn>,
    ) -> Result<(String, Vec<TypedColumn>), SessionError> {
        let fixture = &self.test.expect;
        match &fixture.rows {
            FixtureRows::Records { columns, rows } => {
                let keys: Vec<Option<&str>> = match columns.is_empty() {
                    true => vec![None; actual.len()],
                    false => columns.iter().map(|c| Some(c.as_str())).collect(),
                };
                let columns = match columns.is_empty() {
                    true => actual,
                    false => self.expected_columns(columns, &actual)?,
                };
                Ok((unit::rows_sql(&columns, &keys, rows), columns))
            }
            FixtureRows::Query { .. } => {
                let sql = self.query_of(&fixture.rows).await?;
                let described = self.session.query(&unit::describe_columns(&sql)).await;
                let described = described.map_err(|error| self.in_fixture(error, None))?;
                let names: Vec<String> = described.columns.into_iter().map(|c| c.name).collect();
                let columns = self.expected_columns(&names, &actual)?;
                Ok((renamed(&sql, &names, &columns), columns))
            }
            FixtureRows::SeedFile => Ok((unit::rows_sql(&actual, &[], &[]), actual)),
        }
    }

    /// The model's columns of these names, alike in case or the only ones that differ in case.
    fn expected_columns(
        &self,
        names: &[String],
        actual: &[TypedColumn],
    ) -> Result<Vec<TypedColumn>, SessionError> {
        let find = |name: &String| {
            let exact = actual.iter().find(|c| c.name == *name);
            let lower = name.to_lowercase();
            let mut alike = actual.iter().filter(|c| c.name.to_lowercase() == lower);
            exact.or_else(|| alike.next().filter(|_| alike.next().is_none()))
        };
        names
            .iter()
            .map(|name| match find(name) {
                Some(column) => Ok(column.clone()),
                None => Err(self.unknown_expected(name, actual)),
            })
            .collect()
    }
}

/// A query of expected rows whose columns are called as the model's.
fn renamed(sql: &str, names: &[String], columns: &[TypedColumn]) -> String {
    let pairs = names.iter().zip(columns);
    let list: Vec<String> = pairs
        .map(|(name, column)| {
            format!(
                "{} as {}",
                crate::names::quote_ident(name),
                crate::names::quote_ident(&column.name)
            )
        })
        .collect();
    format!("select {} from (\n{sql}\n) as marts_rows", list.join(", "))
}
