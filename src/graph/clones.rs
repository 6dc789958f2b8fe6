//! The graph of `marts clone`: chosen nodes as views over relations that other targets have.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Detail, Graph, NodeIx, ResourceKind};
use crate::diag::SourceMap;
use crate::names::Relation;
use crate::project::NodeConfig;

impl Graph {
    /// The same nodes, of which those of `over` are views of one relation each. They keep their
    /// ids and names, and read nothing of the graph.
    #[must_use]
    pub fn cloned_over(&self, over: &HashMap<NodeIx, Relation>, sources: &SourceMap) -> Self {
        let nodes = self.nodes.iter().enumerate().map(|(at, node)| {
            let mut node = node.clone();
            let Some(relation) = over.get(&NodeIx(at as u32)) else {
                return node;
            };
            node.kind = ResourceKind::Model;
            node.detail = Detail::None;
            node.raw_code = format!("select * from {relation}");
            let name = format!("clone of {relation}");
            node.file = Some(sources.add(name, node.raw_code.as_str()));
            node.first_line = 1;
            node.parents.clear();
            let raw = [("materialized".to_owned(), "view".into())];
            node.config = Arc::new(NodeConfig {
                raw: raw.into_iter().collect(),
                ..NodeConfig::default()
            });
            node
        });
        Self::new(nodes.collect(), self.names.clone(), self.disabled.clone())
    }
}
