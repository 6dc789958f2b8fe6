//! Sets of nodes of one graph, and how far sets reach along its edges.

use crate::graph::{Graph, NodeIx};

use super::spec::Reach;

/// A set of nodes, a flag for each node of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeSet(Vec<bool>);

impl NodeSet {
    pub(super) fn empty(graph: &Graph) -> Self {
        Self(vec![false; graph.nodes().len()])
    }

    pub(super) fn of(graph: &Graph, wanted: impl Fn(NodeIx) -> bool) -> Self {
        Self(graph.nodes().map(|(ix, _)| wanted(ix)).collect())
    }

    pub(super) fn has(&self, ix: NodeIx) -> bool {
        self.0[ix.index()]
    }

    /// Adds a node; whether it was not there yet.
    pub(super) fn add(&mut self, ix: NodeIx) -> bool {
        !std::mem::replace(&mut self.0[ix.index()], true)
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = NodeIx> + '_ {
        let flags = self.0.iter().enumerate();
        flags
            .filter(|(_, is_in)| **is_in)
            .map(|(index, _)| NodeIx(index as u32))
    }

    pub(super) fn union(mut self, other: &Self) -> Self {
        self.zip(other, |own, its| own | its);
        self
    }

    pub(super) fn intersection(mut self, other: &Self) -> Self {
        self.zip(other, |own, its| own & its);
        self
    }

    pub(super) fn difference(mut self, other: &Self) -> Self {
        self.zip(other, |own, its| own & !its);
        self
    }

    fn zip(&mut self, other: &Self, combine: impl Fn(bool, bool) -> bool) {
        for (own, its) in self.0.iter_mut().zip(&other.0) {
            *own = combine(*own, *its);
        }
    }

    /// What members read, as far as `reach`; a member is in it only if another reads it.
    pub(super) fn parents(&self, graph: &Graph, reach: Reach) -> Self {
        self.reached(graph, reach, |at, visit| {
            graph.node(at).parents.iter().copied().for_each(visit);
        })
    }

    /// What reads members, as far as `reach`; a member is in it only if it reads another.
    pub(super) fn children(&self, graph: &Graph, reach: Reach) -> Self {
        self.reached(graph, reach, |at, visit| {
            graph.children(at).for_each(visit);
        })
    }

    fn reached(
        &self,
        graph: &Graph,
        reach: Reach,
        next: impl Fn(NodeIx, &mut dyn FnMut(NodeIx)),
    ) -> Self {
        let mut found = Self::empty(graph);
        let mut steps = match reach {
            Reach::Nothing => 0,
            Reach::Steps(steps) => steps,
            Reach::All => usize::MAX,
        };
        let mut level: Vec<NodeIx> = self.iter().collect();
        while !level.is_empty() && steps > 0 {
            let mut beyond = Vec::new();
            for at in level {
                next(at, &mut |ix| {
                    if found.add(ix) {
                        beyond.push(ix);
                    }
                });
            }
            level = beyond;
            steps -= 1;
        }
        found
    }
}
