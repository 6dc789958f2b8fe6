//! The resolved project: nodes, what each reads, and the questions asked of that.
//!
//! [`build::build`] drives the scan of every template and resolves names; a [`Graph`] has no
//! cycle and no unknown name. It also answers the engine's [`crate::jinja::Names`] at run time.

pub mod build;
mod clones;
mod config_json;
mod configs;
mod contracts;
mod cycle;
mod deprecation;
mod docs;
mod draft;
mod duplicates;
mod exposures;
#[cfg(test)]
pub(crate) mod fixture;
mod functions;
mod generic_nodes;
mod generic_test;
mod hook_work;
pub mod listing;
mod lookup;
pub mod manifest;
mod materialization;
pub mod microbatch;
mod model_json;
mod money;
pub(crate) mod naming;
mod node;
mod plain_tests;
mod resolve;
mod run_hooks;
pub mod select;
mod semantic;
mod shares;
pub mod state;
mod tags;
pub mod unit_test;
mod unit_tests;

pub use docs::{DocsBlock, DocsBlocks};
pub use lookup::NameTable;
pub use model_json::model_json;
pub use node::*;
pub use run_hooks::{ON_RUN_END, ON_RUN_START};
pub use semantic::Semantic;
pub use unit_test::UnitTest;
pub use unit_tests::{csv_records, input_of};

use std::collections::HashMap;
use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Bfs, Reversed};

use crate::names::NodeId;

/// All enabled resources of a project and its packages, and what each reads.
#[derive(Debug)]
pub struct Graph {
    nodes: Vec<Box<Node>>,
    by_id: HashMap<NodeId, NodeIx>,
    /// An edge goes from a node to one that reads it; node weights equal petgraph's indices.
    dag: DiGraph<NodeIx, ()>,
    names: NameTable,
    /// Nodes that `enabled: false` took out, for messages.
    disabled: Vec<Box<Node>>,
    /// What `on-run-start` and `on-run-end` do, in the order in which it is done.
    hooks: Vec<Box<Node>>,
}

impl Graph {
    fn new(nodes: Vec<Box<Node>>, names: NameTable, disabled: Vec<Box<Node>>) -> Self {
        let mut dag = DiGraph::with_capacity(nodes.len(), nodes.len() * 2);
        for index in 0..nodes.len() {
            dag.add_node(NodeIx(index as u32));
        }
        for (index, node) in nodes.iter().enumerate() {
            for parent in &node.parents {
                dag.add_edge(NodeIndex::new(parent.index()), NodeIndex::new(index), ());
            }
        }
        let by_id = nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (node.id.clone(), NodeIx(index as u32)))
            .collect();
        Self {
            nodes,
            by_id,
            dag,
            names,
            disabled,
            hooks: Vec::new(),
        }
    }

    /// The same graph, where what a test would warn of is an error.
    #[must_use]
    pub fn with_warnings_as_errors(mut self) -> Self {
        for node in self.nodes.iter_mut().filter(|node| node.is_test()) {
            let config = Arc::make_mut(&mut node.config);
            config.severity = crate::project::TestSeverity::Error;
            config.error_if.clone_from(&config.warn_if);
        }
        self
    }

    /// All nodes, in the order of declaration.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (NodeIx, &Node)> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (NodeIx(index as u32), &**node))
    }

    /// A node.
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix.index()]
    }

    /// The node of a unique id.
    pub fn find(&self, id: &NodeId) -> Option<NodeIx> {
        self.by_id.get(id).copied()
    }

    /// Nodes that were disabled by config.
    pub fn disabled(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.disabled.iter().map(|node| &**node)
    }

    /// How names resolve.
    pub fn names(&self) -> &NameTable {
        &self.names
    }

    /// Nodes that read this one, directly.
    pub fn children(&self, ix: NodeIx) -> impl Iterator<Item = NodeIx> + '_ {
        self.dag
            .neighbors(NodeIndex::new(ix.index()))
            .map(|n| NodeIx(n.index() as u32))
    }

    /// Nodes that read this one, at up to `depth` steps (all when `None`), without itself.
    pub fn descendants(&self, ix: NodeIx, depth: Option<usize>) -> Vec<NodeIx> {
        self.walk(ix, depth, |graph, at| graph.children(at).collect())
    }

    /// Nodes that this one reads, at up to `depth` steps (all when `None`), without itself.
    pub fn ancestors(&self, ix: NodeIx, depth: Option<usize>) -> Vec<NodeIx> {
        self.walk(ix, depth, |graph, at| graph.node(at).parents.clone())
    }

    fn walk(
        &self,
        start: NodeIx,
        depth: Option<usize>,
        next: impl Fn(&Self, NodeIx) -> Vec<NodeIx>,
    ) -> Vec<NodeIx> {
        let mut seen = vec![false; self.nodes.len()];
        seen[start.index()] = true;
        let mut found = Vec::new();
        let mut level = vec![start];
        let mut steps = 0;
        while !level.is_empty() && depth.is_none_or(|limit| steps < limit) {
            let mut below = Vec::new();
            for at in level {
                for ix in next(self, at) {
                    if !std::mem::replace(&mut seen[ix.index()], true) {
                        found.push(ix);
                        below.push(ix);
                    }
                }
            }
            level = below;
            steps += 1;
        }
        found
    }

    /// Whether `ancestor` is read by `node`, directly or not.
    pub fn reads(&self, node: NodeIx, ancestor: NodeIx) -> bool {
        let reversed = Reversed(&self.dag);
        let mut bfs = Bfs::new(reversed, NodeIndex::new(node.index()));
        while let Some(at) = bfs.next(reversed) {
            if at.index() == ancestor.index() && at.index() != node.index() {
                return true;
            }
        }
        false
    }
}
