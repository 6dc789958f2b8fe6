//! Sums of money that mix currencies, found in a model's compiled SQL: a warning, never an
//! error.

use super::sums::{Declared, Finding, Rule, lint, measures, placed, read_by};
use crate::diag::{Diagnostic, SourceMap, codes};
use crate::graph::{Detail, Graph, Node, NodeIx};
use crate::money::TEST;

/// The amounts of a project whose currency is a column.
pub struct Amounts(Vec<Declared>);

impl Amounts {
    /// What the `money` tests of a project declare.
    pub fn of(graph: &Graph) -> Self {
        let nodes = graph.nodes();
        Self(nodes.filter_map(|(_, node)| declared(node)).collect())
    }

    /// Warnings for the sums in a model's compiled SQL that mix currencies.
    pub fn warnings(
        &self,
        graph: &Graph,
        (ix, compiled): (NodeIx, &str),
        sources: &SourceMap,
    ) -> Vec<Diagnostic> {
        let relations = measures(graph, &read_by(graph, ix), self.0.iter().cloned());
        if relations.is_empty() {
            return Vec::new();
        }
        let found: Vec<(Finding, Diagnostic)> = lint(compiled, &relations, Rule::Currency)
            .into_iter()
            .map(|finding| {
                let told = diagnostic(&finding);
                (finding, told)
            })
            .collect();
        placed(graph, (ix, compiled), sources, &found)
    }
}

fn diagnostic(finding: &Finding) -> Diagnostic {
    let Finding {
        function,
        relation,
        column,
        key,
        ..
    } = finding;
    let (by, add) = finding.clause();
    let one = key.trim_matches('"');
    Diagnostic::warning(
        codes::MONEY_SUM,
        format!("`{function}` of {relation}.{column} mixes currencies: `{one}` is not in its {by}"),
    )
    .hint(format!(
        "add `{one}` to {add}, or keep one currency with `where {one} = 'USD'`"
    ))
}

/// The node, amount and currency column of a `money` test, unless its currency is fixed.
fn declared(node: &Node) -> Option<Declared> {
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
