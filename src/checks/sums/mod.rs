//! Sums of measures over what they must not be added up over, found in a model's compiled SQL: a
//! warning, never an error. What cannot be read for certain is passed over.
//!
//! Start at [`lint()`]; `money` and `additivity` say which columns are meant and what to tell.

mod lint;
mod scope;
#[cfg(test)]
mod tests;

use crate::diag::{Diagnostic, SourceMap};
use crate::graph::{Graph, NodeIx};
use crate::jinja::{Template, line_map};

pub(crate) use lint::lint;

/// What is meant by a measure's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The currency of an amount. Sums and means that mix currencies say nothing; who speaks of
    /// the currency anywhere beside them is taken to have thought of it.
    Currency,
    /// The period of a closing or a count of people. Sums over periods say nothing, means do; the
    /// period itself must be grouped by, not a longer one.
    Period,
}

impl Rule {
    /// Whether this aggregate over several keys says nothing.
    fn forbids(self, function: &str) -> bool {
        function == "sum" || (self == Rule::Currency && function == "avg")
    }
}

/// A node, a measure of it, and the column that is the measure's key.
pub(super) type Declared = (NodeIx, String, String);

/// A relation with measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measures {
    /// Its schema.
    pub(crate) schema: String,
    /// Its name.
    pub(crate) name: String,
    /// The measures, each with the column that is its key.
    pub(crate) columns: Vec<(String, String)>,
}

/// A sum over several keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// `sum` or `avg`.
    pub(crate) function: String,
    /// The relation whose column is summed, as `schema.name`.
    pub(crate) relation: String,
    /// The column.
    pub(crate) column: String,
    /// The column that is its key.
    pub(crate) key: String,
    /// Whether it is a window function.
    pub(crate) window: bool,
    /// The line of the SQL, from 1.
    pub(crate) line: usize,
}

impl Finding {
    /// Where the key would have to stand, as a word and as something to add to.
    pub(super) fn clause(&self) -> (&'static str, &'static str) {
        match self.window {
            true => ("PARTITION BY", "the window's PARTITION BY"),
            false => ("GROUP BY", "GROUP BY"),
        }
    }
}

/// Each finding as `tell` words it, at its line of the model's file; each once.
pub(super) fn placed(
    graph: &Graph,
    (ix, compiled): (NodeIx, &str),
    sources: &SourceMap,
    found: &[(Finding, Diagnostic)],
) -> Vec<Diagnostic> {
    let node = graph.node(ix);
    let lines = node.file.filter(|_| !found.is_empty()).map(|file| {
        let template = Template {
            file,
            text: node.raw_code.as_str().into(),
            first_line: node.first_line,
        };
        line_map(compiled, &template)
    });
    let place = |finding: &Finding| Some(*lines.as_ref()?.get(finding.line.checked_sub(1)?)?);
    let mut all: Vec<Diagnostic> = Vec::new();
    for (finding, problem) in found {
        let problem = match (node.file, place(finding)) {
            (Some(file), Some(line)) => problem.clone().at(sources.line_span(file, line), ""),
            _ => problem.clone().in_file(&node.path),
        };
        if !all.contains(&problem) {
            all.push(problem);
        }
    }
    all
}

/// The nodes that a node reads, through ephemeral models too.
pub(super) fn read_by(graph: &Graph, ix: NodeIx) -> Vec<NodeIx> {
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
    parents
}

/// Measures of nodes among those that are read, put together by relation.
pub(super) fn measures(
    graph: &Graph,
    parents: &[NodeIx],
    declared: impl Iterator<Item = Declared>,
) -> Vec<Measures> {
    let mut relations: Vec<(NodeIx, Measures)> = Vec::new();
    for (parent, column, key) in declared {
        let relation = graph.node(parent).relation.as_ref();
        let Some(relation) = relation.filter(|_| parents.contains(&parent)) else {
            continue;
        };
        match relations.iter_mut().find(|(of, _)| *of == parent) {
            Some((_, known)) => known.columns.push((column, key)),
            None => relations.push((
                parent,
                Measures {
                    schema: relation.schema.clone(),
                    name: relation.identifier.clone(),
                    columns: vec![(column, key)],
                },
            )),
        }
    }
    relations
        .into_iter()
        .map(|(_, measures)| measures)
        .collect()
}
