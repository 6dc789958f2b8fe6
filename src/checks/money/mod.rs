//! Sums of money that mix currencies, found in a model's compiled SQL: a warning, never an
//! error. What cannot be read for certain is passed over.

mod lint;
mod scope;

use crate::diag::{Diagnostic, SourceMap, codes};
use crate::graph::{Detail, Graph, Node, NodeIx};
use crate::jinja::{Template, line_map};
use crate::money::TEST;

pub use lint::{Finding, lint};

/// A relation whose columns hold amounts in several currencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyRelation {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The amounts, each with the column that holds its currency.
    pub columns: Vec<(String, String)>,
}

/// Warnings for the sums in a model's compiled SQL that mix currencies.
pub fn warnings(graph: &Graph, ix: NodeIx, compiled: &str, sources: &SourceMap) -> Vec<Diagnostic> {
    let relations = read_by(graph, ix);
    if relations.is_empty() {
        return Vec::new();
    }
    let node = graph.node(ix);
    let found = lint(compiled, &relations);
    if found.is_empty() {
        return Vec::new();
    }
    let lines = node.file.map(|file| {
        let template = Template {
            file,
            text: node.raw_code.as_str().into(),
            first_line: node.first_line,
        };
        line_map(compiled, &template)
    });
    let place = |finding: &Finding| Some(*lines.as_ref()?.get(finding.line.checked_sub(1)?)?);
    let mut all: Vec<Diagnostic> = Vec::new();
    for finding in &found {
        let problem = diagnostic(finding);
        let problem = match (node.file, place(finding)) {
            (Some(file), Some(line)) => problem.at(sources.line_span(file, line), ""),
            _ => problem.in_file(&node.path),
        };
        if !all.contains(&problem) {
            all.push(problem);
        }
    }
    all
}

fn diagnostic(finding: &Finding) -> Diagnostic {
    let Finding {
        function,
        relation,
        column,
        currency,
        ..
    } = finding;
    let (by, add) = match finding.window {
        true => ("PARTITION BY", "the window's PARTITION BY"),
        false => ("GROUP BY", "GROUP BY"),
    };
    let one = currency.trim_matches('"');
    Diagnostic::warning(
        codes::MONEY_SUM,
        format!("`{function}` of {relation}.{column} mixes currencies: `{one}` is not in its {by}"),
    )
    .hint(format!(
        "add `{one}` to {add}, or keep one currency with `where {one} = 'USD'`"
    ))
}

/// The relations with money in several currencies that a node reads, through ephemeral models
/// too.
fn read_by(graph: &Graph, ix: NodeIx) -> Vec<MoneyRelation> {
    let mut parents: Vec<NodeIx> = Vec::new();
    let mut stack = vec![ix];
    while let Some(at) = stack.pop() {
        for parent in &graph.node(at).parents {
            if parents.contains(parent) {
                continue;
            }
            parents.push(*parent);
            if graph.node(*parent).is_ephemeral() {
                stack.push(*parent);
            }
        }
    }
    let mut relations: Vec<(NodeIx, MoneyRelation)> = Vec::new();
    for (parent, column, currency) in graph.nodes().filter_map(|(_, node)| declared(node)) {
        let relation = graph.node(parent).relation.as_ref();
        let Some(relation) = relation.filter(|_| parents.contains(&parent)) else {
            continue;
        };
        let column = (column, currency);
        match relations.iter_mut().find(|(of, _)| *of == parent) {
            Some((_, known)) => known.columns.push(column),
            None => relations.push((
                parent,
                MoneyRelation {
                    schema: relation.schema.clone(),
                    name: relation.identifier.clone(),
                    columns: vec![column],
                },
            )),
        }
    }
    relations
        .into_iter()
        .map(|(_, relation)| relation)
        .collect()
}

/// The node, amount and currency column of a `money` test, unless its currency is fixed.
fn declared(node: &Node) -> Option<(NodeIx, String, String)> {
    let Detail::GenericTest(test) = &node.detail else {
        return None;
    };
    if test.test != TEST || test.namespace.is_some() {
        return None;
    }
    let currency = test.arguments.get("currency_column")?.as_str()?;
    let column = test.arguments.get("column_name")?.as_str()?;
    Some((test.attached, column.to_owned(), currency.to_owned()))
}
