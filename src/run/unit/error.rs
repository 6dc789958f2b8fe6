//! What is told when a unit test cannot be run: inputs that are missing, columns that nothing
//! knows, values that do not fit, and which types were guessed.

use std::sync::LazyLock;

use regex::Regex;

use super::Bench;
use super::inputs::Input;
use crate::checks::unit::{self, Origin, TypedColumn};
use crate::diag::{Diagnostic, Span, codes, nearest};
use crate::graph::unit_test::FixtureRows;
use crate::graph::{NodeIx, input_of};
use crate::session::{Session, SessionError};

static NO_COLUMN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"column "?(?:[^\s"]+\.)?([^"]+?)"? does not exist"#)
        .expect("a constant pattern compiles")
});

/// So many values are tried one by one to find the one that cannot be cast.
const VALUES_TRIED: usize = 5_000;

impl Bench<'_> {
    /// Says what the model reads and the test does not give.
    pub(super) fn nothing_missing(
        &self,
        missing: &[NodeIx],
        this: bool,
    ) -> Result<(), SessionError> {
        let graph = self.runner.graph();
        let mut inputs: Vec<String> = missing.iter().map(|ix| input_of(graph.node(*ix))).collect();
        if this {
            inputs.push("this".to_owned());
        }
        if inputs.is_empty() {
            return Ok(());
        }
        let yaml: Vec<String> = inputs
            .iter()
            .map(|input| format!("- {{input: {}, rows: []}}", yaml_text(input)))
            .collect();
        let message = format!(
            "unit test `{}` does not give {}, which model `{}` reads",
            self.node.name,
            inputs.join(", "),
            self.model.name
        );
        let problem = Diagnostic::error(codes::UNIT_TEST_INPUT, message);
        let problem = match self.node.span {
            Some(span) => problem.at(span, ""),
            None => problem,
        };
        Err(problem
            .hint(format!("add under `given:` {}", yaml.join(" ")))
            .into())
    }

    /// A problem of rows, as an error of this step.
    pub(super) fn rows_problem(&self, problem: Diagnostic) -> SessionError {
        SessionError::new(problem.note(format!(
            "in unit test `{}` of model `{}`",
            self.node.name, self.model.name
        )))
    }

    /// A row names a column that its relation does not have.
    pub(super) fn unknown_column(
        &self,
        input: &Input<'_>,
        unknown: &unit::UnknownColumn,
    ) -> SessionError {
        let message = format!("{} has no column `{}`", input.given.input, unknown.name);
        let span = input.span_of(&unknown.name);
        let of = &self.runner.graph().node(input.given.of).name;
        let problem = Diagnostic::error(codes::UNIT_TEST_ROWS, message)
            .at(span, "")
            .in_dbts_words(invalid_column(&unknown.name, &format!("'{of}'")));
        let known = unknown.known.iter().map(String::as_str);
        self.rows_problem(match nearest(&unknown.name, known) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem
                .note(format!("it has {}", unknown.known.join(", ")))
                .hint("remove the column, or describe it with its data_type under `columns:`"),
        })
    }

    /// The expectation names a column that the model does not give.
    pub(super) fn unknown_expected(&self, name: &str, actual: &[TypedColumn]) -> SessionError {
        let message = format!(
            "`expect` names the column `{name}`, which model `{}` does not give",
            self.model.name
        );
        let names: Vec<&str> = actual.iter().map(|c| c.name.as_str()).collect();
        let problem = Diagnostic::error(codes::UNIT_TEST_ROWS, message)
            .at(self.test.expect.span, "")
            .in_dbts_words(invalid_column(name, "expected output"));
        let problem = match nearest(name, names.iter().copied()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(format!("the model gives {}", names.join(", "))),
        };
        self.rows_problem(problem)
    }

    /// An error in a fixture that is a query; without an input it is the expected rows'.
    pub(super) fn in_fixture(
        &self,
        error: SessionError,
        input: Option<&Input<'_>>,
    ) -> SessionError {
        let (what, span) = match input {
            Some(input) => (input.given.input.as_str(), input.given.fixture.span),
            None => ("`expect`", self.test.expect.span),
        };
        let message = format!("the query of {what} fails: {}", error.diagnostic.message);
        let problem = Diagnostic::error(codes::UNIT_TEST_ROWS, message)
            .at(span, "")
            .hint("correct the query; run it alone with `marts db psql` to see more");
        SessionError {
            diagnostic: self.rows_problem(problem).diagnostic,
            ..error
        }
    }

    /// An error of Postgres with what a reader has to know of the test to understand it.
    pub(super) async fn explained(&self, error: SessionError) -> SessionError {
        let Some(state) = error.sqlstate.clone() else {
            return error;
        };
        if error.transient || state == super::super::session::CANCELLED {
            return error;
        }
        if let Some(found) = self.broken_query().await {
            return found;
        }
        // Class 22 are values, 42804 and 42846 types that a value cannot be cast to.
        if (state.starts_with("22") || state.starts_with("42") || state.starts_with("23"))
            && let Some(found) = self.broken_value().await
        {
            return found;
        }
        self.with_columns(error)
    }

    /// The input whose query fails alone.
    async fn broken_query(&self) -> Option<SessionError> {
        for input in self.inputs.iter().filter(|input| input.records.is_none()) {
            let made = input.made.as_ref()?;
            let alone = self.session.query(&unit::describe_columns(&made.sql)).await;
            if let Err(error) = alone {
                return Some(self.in_fixture(error, Some(input)));
            }
        }
        None
    }

    /// The value that cannot be cast to its column's type.
    async fn broken_value(&self) -> Option<SessionError> {
        for input in &self.inputs {
            let (Some(of), Some(made)) = (&input.records, &input.made) else {
                continue;
            };
            let checks = unit::value_checks(&made.columns, &of.columns, &of.rows);
            for (row, column, sql) in checks.take(VALUES_TRIED) {
                if let Err(error) = self.session.query(&sql).await {
                    return Some(self.bad_value(&input.given.input, row.span, column, &error));
                }
            }
        }
        let FixtureRows::Records { columns, rows } = &self.test.expect.rows else {
            return None;
        };
        let checks = unit::value_checks(&self.compared, columns, rows);
        for (row, column, sql) in checks.take(VALUES_TRIED) {
            if let Err(error) = self.session.query(&sql).await {
                return Some(self.bad_value("`expect`", row.span, column, &error));
            }
        }
        None
    }

    pub(super) fn bad_value(
        &self,
        what: &str,
        span: Span,
        column: &TypedColumn,
        error: &SessionError,
    ) -> SessionError {
        let message = format!(
            "a value of column `{}` of {what} does not fit: {}",
            column.name, error.diagnostic.message
        );
        let says = match column.origin {
            _ if what == "`expect`" => "the model gives it so",
            Origin::Catalog => "the relation in the database says so",
            Origin::Declared => "`columns:` says so",
            Origin::Guessed | Origin::Unknown => "guessed from the rows",
        };
        self.rows_problem(
            Diagnostic::error(codes::UNIT_TEST_ROWS, message)
                .at(span, "")
                .note(format!("the column is {} ({says})", column.data_type))
                .hint(match what {
                    "`expect`" => "correct the value",
                    _ => "correct the value, or the column's data_type under `columns:`",
                }),
        )
    }

    /// Adds the types of the inputs, and where a column could come from that is not there.
    fn with_columns(&self, mut error: SessionError) -> SessionError {
        let mut problem = *error.diagnostic;
        let guessed = |c: &TypedColumn| matches!(c.origin, Origin::Guessed | Origin::Unknown);
        for input in &self.inputs {
            let Some(made) = input.made.as_ref().filter(|_| input.records.is_some()) else {
                continue;
            };
            let columns: Vec<String> = made.columns.iter().map(shown).collect();
            let columns = match columns.is_empty() {
                true => "no columns that are known".to_owned(),
                false => columns.join(", "),
            };
            problem = problem.note(format!("{} has {columns}", input.given.input));
        }
        let any_guess = self
            .inputs
            .iter()
            .filter_map(|input| input.made.as_ref())
            .any(|made| made.columns.iter().any(guessed));
        let lacks = NO_COLUMN
            .captures(&problem.message)
            .map(|c| c[1].to_owned());
        let unknown =
            |input: &&Input<'_>| input.records.is_some() && input.known.catalog.is_empty();
        let open: Vec<&str> = self
            .inputs
            .iter()
            .filter(unknown)
            .map(|input| input.given.input.as_str())
            .collect();
        if let Some(column) = lacks.filter(|_| !open.is_empty()) {
            problem = problem.hint(format!(
                "give `{column}` in the rows of {}, or describe it there under `columns:` with its \
                 data_type; the relation does not exist yet, so its columns are not known",
                open.join(" or ")
            ));
        } else if any_guess && problem.hint.is_none() {
            problem = problem.hint(
                "where a guessed type is wrong, describe the column with its data_type under \
                 `columns:` of the input's own YAML",
            );
        }
        problem = problem.note(format!("in unit test `{}`", self.node.name));
        error.diagnostic = Box::new(problem);
        error
    }
}

fn invalid_column(name: &str, of: &str) -> String {
    format!("Invalid column name: '{name}' in unit test fixture for {of}.")
}

fn shown(column: &TypedColumn) -> String {
    let guess = match column.origin {
        Origin::Guessed => " (guessed)",
        Origin::Unknown => " (all null, type not known)",
        Origin::Catalog | Origin::Declared => "",
    };
    format!("{} {}{guess}", column.name, column.data_type)
}

/// An input as it can stand in YAML's flow form.
fn yaml_text(input: &str) -> String {
    match input {
        "this" => input.to_owned(),
        call => format!("\"{call}\""),
    }
}

impl Input<'_> {
    /// The first row that names a column.
    fn span_of(&self, column: &str) -> Span {
        let rows = self.records.as_ref().map_or(&[][..], |r| r.rows.as_slice());
        let named = rows.iter().find(|row| row.values.contains_key(column));
        named.map_or(self.given.span, |row| row.span)
    }
}
