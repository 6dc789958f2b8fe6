//! Views that a run does not select, between nodes that it publishes at one moment: through
//! such a view a candidate reads the live rows of the other, as they were before the run.

use std::collections::HashSet;

use super::Plan;
use crate::graph::{Graph, NodeIx};

/// A view that stands in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// What is built and reads the view.
    pub reader: NodeIx,
    /// The view, which is not selected.
    pub view: NodeIx,
    /// What the view reads, directly or through other such views.
    pub below: NodeIx,
}

impl Plan {
    /// The views in between, one for each node that reads one.
    pub fn views_between(&self, graph: &Graph) -> Vec<Between> {
        let selected: HashSet<NodeIx> = self.nodes().collect();
        let is_open = |ix: &NodeIx| {
            let materialized = graph.node(*ix).config.materialized.as_str();
            !selected.contains(ix) && matches!(materialized, "view" | "ephemeral")
        };
        let mut found = Vec::new();
        for (group, members) in self.groups.iter().map(|g| &g.members).enumerate() {
            let hidden = |ix: &NodeIx| self.group_of.get(ix) == Some(&group);
            for reader in members {
                let parents = graph.node(*reader).parents.iter();
                let below = parents.filter(|p| is_open(p)).find_map(|first| {
                    let path = path_to(graph, *first, &is_open, &hidden)?;
                    let is_view = |ix: &&NodeIx| !graph.node(**ix).is_ephemeral();
                    let view = *path[..path.len() - 1].iter().find(is_view)?;
                    Some((view, *path.last()?))
                });
                found.extend(below.map(|(view, below)| Between {
                    reader: *reader,
                    view,
                    below,
                }));
            }
        }
        found
    }
}

/// The way up from a node through open ones to the first that is wanted, which ends it.
fn path_to(
    graph: &Graph,
    from: NodeIx,
    is_open: &dyn Fn(&NodeIx) -> bool,
    wanted: &dyn Fn(&NodeIx) -> bool,
) -> Option<Vec<NodeIx>> {
    let mut seen = HashSet::from([from]);
    let mut paths = vec![vec![from]];
    while let Some(path) = paths.pop() {
        for parent in &graph.node(*path.last()?).parents {
            let longer = || path.iter().copied().chain([*parent]).collect();
            if wanted(parent) {
                return Some(longer());
            }
            if is_open(parent) && seen.insert(*parent) {
                paths.push(longer());
            }
        }
    }
    None
}
