//! Sums of semi-additive measures over their periods, found in a model's compiled SQL: a warning,
//! never an error. Which measures those are is what a metric catalog says.
//!
//! A catalog is any model whose `meta` has a list `metrics`; an entry with `additivity:
//! semi-additive` names its `relation`, its `column`, and what it is not added up over:
//! `not_over_columns`, else its `period`, else `month_start`.

use serde_json::Value as Json;

use super::sums::{Finding, Rule, lint, measures, placed, read_by};
use crate::diag::{Diagnostic, SourceMap, codes};
use crate::graph::{Graph, Node, NodeIx, ResourceKind};

/// A semi-additive measure.
struct SemiAdditive {
    metric: String,
    model: NodeIx,
    column: String,
    not_over: Vec<String>,
}

/// The semi-additive measures of all catalogs of a project.
pub struct Catalog(Vec<SemiAdditive>);

impl Catalog {
    /// Reads the catalogs.
    pub fn of(graph: &Graph) -> Self {
        let entries = graph.nodes().flat_map(|(_, node)| {
            let metrics = node.config.meta.get("metrics").and_then(Json::as_array);
            metrics.into_iter().flatten()
        });
        Self(entries.filter_map(|entry| measure(graph, entry)).collect())
    }

    /// Warnings for the sums in a model's compiled SQL that add a measure up over what its
    /// catalog says that it does not add up over.
    pub fn warnings(
        &self,
        graph: &Graph,
        (ix, compiled): (NodeIx, &str),
        sources: &SourceMap,
    ) -> Vec<Diagnostic> {
        let parents = read_by(graph, ix);
        let read = |measure: &&SemiAdditive| parents.contains(&measure.model);
        let known: Vec<&SemiAdditive> = self.0.iter().filter(read).collect();
        // One column at a time, since a measure may have several that it is not added up over.
        let mut keys: Vec<&String> = known.iter().flat_map(|m| &m.not_over).collect();
        keys.sort();
        keys.dedup();
        let mut found: Vec<(Finding, Diagnostic)> = Vec::new();
        for key in keys {
            let over = known.iter().filter(|m| m.not_over.contains(key));
            let declared = over.map(|m| (m.model, m.column.clone(), key.clone()));
            let relations = measures(graph, &parents, declared);
            for finding in lint(compiled, &relations, Rule::Period) {
                let told = diagnostic(&finding, metric_of(&finding, &known, graph));
                found.push((finding, told));
            }
        }
        placed(graph, (ix, compiled), sources, &found)
    }
}

fn diagnostic(finding: &Finding, metric: &str) -> Diagnostic {
    let Finding {
        function,
        relation,
        column,
        key,
        ..
    } = finding;
    let (by, add) = finding.clause();
    Diagnostic::warning(
        codes::SEMI_ADDITIVE_SUM,
        format!(
            "`{function}` of {relation}.{column} adds the metric {metric} up over `{key}`, over \
             which it is semi-additive: `{key}` is not in its {by}"
        ),
    )
    .hint(format!(
        "add `{key}` to {add}, keep one with `where {key} = ...`, or take the last value or the \
         mean of them"
    ))
}

fn metric_of<'m>(finding: &Finding, known: &[&'m SemiAdditive], graph: &Graph) -> &'m str {
    let is = |m: &&&SemiAdditive| {
        let relation = graph.node(m.model).relation.as_ref();
        let name = relation.map(|r| format!("{}.{}", r.schema, r.identifier));
        m.column == finding.column && name.as_deref() == Some(finding.relation.as_str())
    };
    known.iter().find(is).map_or("", |m| m.metric.as_str())
}

fn measure(graph: &Graph, entry: &Json) -> Option<SemiAdditive> {
    let text = |key: &str| entry.get(key).and_then(Json::as_str);
    if text("additivity")? != "semi-additive" {
        return None;
    }
    let relation = text("relation")?;
    let is =
        |(_, node): &(NodeIx, &Node)| node.kind == ResourceKind::Model && node.name == relation;
    let columns = entry.get("not_over_columns").and_then(Json::as_array);
    let named = columns.map(|columns| columns.iter().filter_map(Json::as_str));
    let not_over: Vec<String> = match named {
        Some(named) => named.map(str::to_owned).collect(),
        None => vec![text("period").unwrap_or("month_start").to_owned()],
    };
    Some(SemiAdditive {
        metric: text("name").unwrap_or(relation).to_owned(),
        model: graph.nodes().find(is)?.0,
        column: text("column")?.to_owned(),
        not_over,
    })
}
