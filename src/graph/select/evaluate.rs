//! From a tree of criteria to the nodes that it means.
//!
//! Each part gives two sets: nodes that are in, and tests that may come in when the parts
//! are combined, because one of their parents is in and another may still turn up.

use super::matches::search;
use super::set::NodeSet;
use super::spec::{Combine, Criterion, IndirectSelection, Reach, Spec};
use super::{SelectContext, nothing};
use crate::diag::Diagnostic;
use crate::graph::{Graph, NodeIx};

pub(super) struct Evaluation<'a> {
    pub(super) graph: &'a Graph,
    pub(super) context: &'a SelectContext<'a>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// What a part of the tree gives.
pub(super) struct Found {
    /// Nodes that are in.
    pub(super) direct: NodeSet,
    /// Tests of which some parent is in.
    indirect: NodeSet,
}

impl Evaluation<'_> {
    pub(super) fn spec(&mut self, spec: &Spec) -> Result<Found, Diagnostic> {
        match spec {
            Spec::Criterion(criterion) => self.criterion(criterion),
            Spec::Group {
                combine,
                parts,
                indirect,
                expects,
            } => {
                let found = self.group(*combine, parts, *indirect)?;
                if let Some(text) = expects
                    && found.direct.is_empty()
                {
                    let warning = nothing::warning(text, parts, self.graph, self.context)?;
                    self.warnings.push(warning);
                }
                Ok(found)
            }
        }
    }

    fn group(
        &mut self,
        combine: Combine,
        parts: &[Spec],
        mode: IndirectSelection,
    ) -> Result<Found, Diagnostic> {
        let mut sets: Option<(NodeSet, NodeSet)> = None;
        for part in parts {
            let found = self.spec(part)?;
            let all = found.indirect.union(&found.direct);
            sets = Some(match sets {
                None => (found.direct, all),
                Some((direct, indirect)) => (
                    combined(combine, direct, &found.direct),
                    combined(combine, indirect, &all),
                ),
            });
        }
        let (direct, indirect) =
            sets.unwrap_or_else(|| (NodeSet::empty(self.graph), NodeSet::empty(self.graph)));
        let direct = self.incorporate(direct, &indirect, mode);
        Ok(Found { direct, indirect })
    }

    /// Takes in the tests whose parents have all turned up.
    fn incorporate(&self, direct: NodeSet, indirect: &NodeSet, mode: IndirectSelection) -> NodeSet {
        let near = match mode {
            IndirectSelection::Cautious => direct.clone(),
            IndirectSelection::Buildable => {
                let parents = direct.parents(self.graph, Reach::All);
                direct.clone().union(&parents)
            }
            IndirectSelection::Eager | IndirectSelection::Empty => return direct,
        };
        let mut selected = direct;
        for ix in indirect.iter().filter(|ix| self.reads_only(*ix, &near)) {
            selected.add(ix);
        }
        selected
    }

    fn reads_only(&self, ix: NodeIx, set: &NodeSet) -> bool {
        self.graph.node(ix).parents.iter().all(|p| set.has(*p))
    }

    fn criterion(&mut self, criterion: &Criterion) -> Result<Found, Diagnostic> {
        let graph = self.graph;
        let found = search(&criterion.method, graph, self.context)?;
        let mut selected = found.clone();
        if criterion.childrens_parents {
            let family = found.clone().union(&found.children(graph, Reach::All));
            let needed = family.parents(graph, Reach::All);
            selected = selected.union(&family).union(&needed);
        }
        selected = selected.union(&found.parents(graph, criterion.parents));
        selected = selected.union(&found.children(graph, criterion.children));
        Ok(self.with_tests(selected, criterion.indirect))
    }

    /// Adds the tests that come with selected parents.
    fn with_tests(&self, selected: NodeSet, mode: IndirectSelection) -> Found {
        let graph = self.graph;
        let mut indirect = NodeSet::empty(graph);
        if mode == IndirectSelection::Empty {
            return Found {
                direct: selected,
                indirect,
            };
        }
        let near = match mode {
            IndirectSelection::Buildable => {
                let parents = selected.parents(graph, Reach::All);
                let sources = NodeSet::of(graph, |ix| {
                    graph.node(ix).kind == crate::graph::ResourceKind::Source
                });
                selected.clone().union(&parents).union(&sources)
            }
            _ => selected.clone(),
        };
        let mut direct = selected.clone();
        for parent in selected.iter() {
            for test in graph.children(parent) {
                if !graph.node(test).is_test() {
                    continue;
                }
                if mode == IndirectSelection::Eager || self.reads_only(test, &near) {
                    direct.add(test);
                } else {
                    indirect.add(test);
                }
            }
        }
        Found { direct, indirect }
    }
}

fn combined(combine: Combine, first: NodeSet, second: &NodeSet) -> NodeSet {
    match combine {
        Combine::Union => first.union(second),
        Combine::Intersection => first.intersection(second),
        Combine::Difference => first.difference(second),
    }
}
