//! The inputs of a unit test: what is known of the relations that they stand in for, and the
//! queries that stand in.

use std::collections::{HashMap, HashSet};

use super::Bench;
use super::names::stand_in;
use crate::checks::unit::{self, Known, StandIn};
use crate::diag::Diagnostic;
use crate::graph::unit_test::{FixtureRows, Given, Record};
use crate::graph::{Detail, Node, csv_records};
use crate::jinja::{Column, Template};
use crate::names::{MAX_IDENT_BYTES, Relation};
use crate::project::FixtureFormat;
use crate::session::{Session, SessionError};

/// What `this` is where nothing is given for it.
pub(super) const THIS_NOT_GIVEN: &str = "__dbt__cte__this_not_given";

/// A given input on its way to a stand-in.
pub(super) struct Input<'a> {
    /// As declared.
    pub(super) given: &'a Given,
    /// The relation by which the model reads it.
    pub(super) relation: Relation,
    /// What is known of the one that it stands in for.
    pub(super) known: Known,
    /// Its rows, unless it is a query.
    pub(super) records: Option<Records>,
    /// What came of it.
    pub(super) made: Option<StandIn>,
}

/// Rows of an input.
pub(super) struct Records {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Record>,
    pub(super) format: FixtureFormat,
}

/// Reads what is known of each input.
pub(super) async fn read<'a>(bench: &Bench<'a>) -> Result<Vec<Input<'a>>, SessionError> {
    let mut inputs = Vec::new();
    let mut names = HashSet::new();
    for given in &bench.test.given {
        let of = bench.runner.graph().node(given.of);
        let relation = stand_in(&free_name(of, &mut names));
        let records = records(bench, given, of)?;
        let catalog = match of.relation.as_ref().filter(|_| !of.is_ephemeral()) {
            Some(live) if records.is_some() => bench.session.columns(live).await?,
            _ => Vec::new(),
        };
        let known = Known {
            catalog: catalog.into_iter().map(|c| (c.name, c.data_type)).collect(),
            declared: declared(of),
            sql: String::new(),
        };
        inputs.push(Input {
            given,
            relation,
            known,
            records,
            made: None,
        });
    }
    // Macros may ask for the columns before the model's SQL is known.
    for input in &mut inputs {
        input.known.sql.clone_from(&bench.model.raw_code);
        input.made = input.make().ok().flatten();
    }
    Ok(inputs)
}

impl Input<'_> {
    fn make(&self) -> Result<Option<StandIn>, unit::UnknownColumn> {
        let Some(of) = &self.records else {
            return Ok(None);
        };
        unit::stand_in(&of.columns, &of.rows, of.format, &self.known).map(Some)
    }
}

/// A name for a common table expression, as dbt's where that is free and short enough.
fn free_name(node: &Node, taken: &mut HashSet<String>) -> String {
    let name = match &node.detail {
        Detail::Source { source, .. } => format!("__dbt__cte__{source}__{}", node.name),
        _ => format!("__dbt__cte__{}", node.name),
    };
    let fits = name.len() <= MAX_IDENT_BYTES;
    if fits && taken.insert(name.clone()) {
        return name;
    }
    let mut end = name.len().min(MAX_IDENT_BYTES - 6);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let mut number = 2;
    loop {
        let name = format!("{}_{number}", &name[..end]);
        if taken.insert(name.clone()) {
            return name;
        }
        number += 1;
    }
}

/// Columns that properties describe, with their types; of seeds those of `column_types` too.
fn declared(node: &Node) -> Vec<(String, Option<String>)> {
    let mut columns: Vec<(String, Option<String>)> = node
        .columns
        .iter()
        .map(|(name, info)| (name.clone(), info.data_type.clone()))
        .collect();
    let types = node.config.raw.get("column_types");
    for (name, data_type) in types.and_then(|t| t.as_object()).into_iter().flatten() {
        let data_type = data_type.as_str().map(str::to_owned);
        match columns.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = data_type,
            None => columns.push((name.clone(), data_type)),
        }
    }
    columns
}

fn records(bench: &Bench<'_>, given: &Given, of: &Node) -> Result<Option<Records>, SessionError> {
    match &given.fixture.rows {
        FixtureRows::Query { .. } => Ok(None),
        FixtureRows::Records { columns, rows } => Ok(Some(Records {
            columns: columns.clone(),
            rows: rows.clone(),
            format: given.fixture.format,
        })),
        FixtureRows::SeedFile => seed_rows(bench, given, of).map(Some),
    }
}

/// The rows of a seed's own file, which stand in for it where nothing else is given.
fn seed_rows(bench: &Bench<'_>, given: &Given, of: &Node) -> Result<Records, SessionError> {
    let Detail::Seed { path } = &of.detail else {
        let message = format!("{} has no rows", given.input);
        return Err(SessionError::materialization(message));
    };
    let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let (columns, rows) = read
        .and_then(|text| csv_records(&text))
        .map_err(|problem| {
            let message = format!("the seed of {} cannot be read: {problem}", given.input);
            bench.rows_problem(
                Diagnostic::error(crate::diag::codes::UNIT_TEST_ROWS, message)
                    .at(given.span, "")
                    .hint("give `rows:` here"),
            )
        })?;
    let record = |values| Record {
        span: given.span,
        values,
    };
    Ok(Records {
        columns,
        rows: rows.into_iter().map(record).collect(),
        format: FixtureFormat::Csv,
    })
}

impl Bench<'_> {
    /// The columns of each stand-in, as far as they are known.
    pub(super) fn known_columns(&self) -> HashMap<String, Vec<Column>> {
        let columns = |input: &Input<'_>| {
            let made = input.made.as_ref();
            let columns = made.map_or(&[][..], |made| made.columns.as_slice());
            let column = |c: &unit::TypedColumn| Column {
                name: c.name.clone(),
                data_type: c.data_type.clone(),
            };
            columns.iter().map(column).collect()
        };
        let inputs = self.inputs.iter();
        inputs
            .map(|input| (input.relation.identifier.clone(), columns(input)))
            .collect()
    }

    /// The stand-ins as common table expressions, now that the model's SQL is known.
    pub(super) async fn stand_ins(
        &mut self,
        sql: &str,
    ) -> Result<Vec<(String, String)>, SessionError> {
        let mut ctes = Vec::new();
        for at in 0..self.inputs.len() {
            sql.clone_into(&mut self.inputs[at].known.sql);
            let made = self.inputs[at].make();
            let made = made.map_err(|unknown| self.unknown_column(&self.inputs[at], &unknown))?;
            let made = match made {
                Some(made) => made,
                None => StandIn {
                    sql: self.query_of(&self.inputs[at].given.fixture.rows).await?,
                    columns: Vec::new(),
                },
            };
            ctes.push((self.inputs[at].relation.to_string(), made.sql.clone()));
            self.inputs[at].made = Some(made);
        }
        Ok(ctes)
    }

    /// A fixture that is a query, rendered where it holds Jinja.
    pub(super) async fn query_of(&self, rows: &FixtureRows) -> Result<String, SessionError> {
        let FixtureRows::Query {
            text,
            file,
            first_line,
        } = rows
        else {
            return Ok(String::new());
        };
        if !text.contains("{{") && !text.contains("{%") && !text.contains("{#") {
            return Ok(text.to_string());
        }
        let template = Template {
            file: *file,
            text: std::sync::Arc::clone(text),
            first_line: *first_line,
        };
        let context = self.context(self.test.tested);
        let text = self.session.render_template(&template, context)?;
        Ok(super::trim_sql(&text).to_owned())
    }
}
