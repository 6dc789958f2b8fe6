//! What reports need of the graph: who reads whom, and which relation a test is about.

use std::collections::HashMap;

use crate::graph::{Detail, Graph};
use crate::names::NodeId;

/// Edges and subjects by node; empty where the project could not be read.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    parents: HashMap<NodeId, Vec<NodeId>>,
    subjects: HashMap<NodeId, String>,
}

impl Lineage {
    /// Of a whole project.
    pub fn of(graph: &Graph) -> Self {
        let mut lineage = Self::default();
        for (_, node) in graph.nodes() {
            let parents = node.parents.iter().map(|ix| graph.node(*ix));
            let ids = parents.clone().map(|parent| parent.id.clone()).collect();
            let subject = match &node.detail {
                Detail::GenericTest(test) => Some(graph.node(test.attached)),
                _ if node.is_test() => parents.clone().next(),
                _ => Some(node),
            };
            if let Some(subject) = subject {
                lineage.subjects.insert(node.id.clone(), subject.label());
            }
            lineage.parents.insert(node.id.clone(), ids);
        }
        lineage
    }

    /// The relation that a node makes or a test is about, as people name it.
    pub fn subject(&self, node: &NodeId) -> Option<&str> {
        self.subjects.get(node).map(String::as_str)
    }

    /// What a node reads.
    pub fn parents(&self, node: &NodeId) -> &[NodeId] {
        self.parents.get(node).map_or(&[], Vec::as_slice)
    }

    /// Adds a node by hand, for tests.
    #[cfg(test)]
    pub(super) fn add(&mut self, node: &str, subject: &str, parents: &[&str]) {
        let id = NodeId::new(node);
        self.subjects.insert(id.clone(), subject.to_owned());
        let parents = parents.iter().map(|p| NodeId::new(*p)).collect();
        self.parents.insert(id, parents);
    }
}
