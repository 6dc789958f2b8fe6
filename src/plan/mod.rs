//! Which nodes run, and what each waits for.
//!
//! A step waits for the nearest selected nodes that it reads, through whatever is not
//! selected; in a build it also waits for the tests that gate it.

mod gates;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::graph::{Graph, NodeIx, ResourceKind};

/// What a command does with the selected nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Models only.
    Run,
    /// Data tests only.
    Test,
    /// Seeds only.
    Seed,
    /// Snapshots only.
    Snapshot,
    /// All of these, with tests as gates, and with the sources that are given, whose freshness
    /// is a gate.
    Build,
}

impl Work {
    /// Whether the command runs nodes of this kind.
    pub fn covers(self, kind: ResourceKind) -> bool {
        match self {
            Self::Run => kind == ResourceKind::Model,
            Self::Test => kind == ResourceKind::Test,
            Self::Seed => kind == ResourceKind::Seed,
            Self::Snapshot => kind == ResourceKind::Snapshot,
            Self::Build => matches!(
                kind,
                ResourceKind::Model
                    | ResourceKind::Test
                    | ResourceKind::Seed
                    | ResourceKind::Snapshot
                    | ResourceKind::Source
            ),
        }
    }
}

/// One node to run.
#[derive(Clone, Debug)]
pub struct Step {
    /// The node.
    pub node: NodeIx,
    /// Steps that must have ended well before this one starts, as indices.
    pub needs: Vec<usize>,
    /// Steps that wait for this one.
    pub feeds: Vec<usize>,
    /// Seconds from this step's start to the end of the longest chain behind it, by past run
    /// times or by guesses where there are none.
    pub remaining: f64,
}

/// The steps of a run; `needs` and `feeds` form no cycle.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In the order of the graph.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Plans the selected nodes. `seconds` gives a node's past run time.
    pub fn new(
        graph: &Graph,
        selected: &[NodeIx],
        work: Work,
        seconds: impl Fn(NodeIx) -> Option<f64>,
    ) -> Self {
        let nodes: Vec<NodeIx> = selected
            .iter()
            .copied()
            .filter(|ix| {
                let node = graph.node(*ix);
                work.covers(node.kind) && !node.is_ephemeral()
            })
            .collect();
        let index: HashMap<NodeIx, usize> =
            nodes.iter().enumerate().map(|(i, n)| (*n, i)).collect();
        let mut nearest = Nearest {
            graph,
            index: &index,
            memo: HashMap::new(),
        };
        let mut needs: Vec<Vec<usize>> = nodes.iter().map(|ix| nearest.of(*ix)).collect();
        if work == Work::Build {
            gates::add(graph, &nodes, &mut needs);
        }
        let mut steps: Vec<Step> = nodes
            .iter()
            .zip(needs)
            .map(|(node, needs)| Step {
                node: *node,
                needs,
                feeds: Vec::new(),
                remaining: 0.0,
            })
            .collect();
        for step in 0..steps.len() {
            for need in steps[step].needs.clone() {
                steps[need].feeds.push(step);
            }
        }
        let mut plan = Self { steps };
        plan.weigh(graph, seconds);
        plan
    }

    /// Fills in `remaining`, children before parents.
    fn weigh(&mut self, graph: &Graph, seconds: impl Fn(NodeIx) -> Option<f64>) {
        for at in self.order().into_iter().rev() {
            let step = &self.steps[at];
            let behind = step
                .feeds
                .iter()
                .map(|f| self.steps[*f].remaining)
                .fold(0.0, f64::max);
            let own = seconds(step.node).unwrap_or_else(|| guess(graph, step.node));
            self.steps[at].remaining = own + behind;
        }
    }

    /// Steps in an order in which each comes after what it needs.
    pub fn order(&self) -> Vec<usize> {
        let mut open: Vec<usize> = self.steps.iter().map(|s| s.needs.len()).collect();
        let mut ready: std::collections::VecDeque<usize> =
            (0..self.steps.len()).filter(|i| open[*i] == 0).collect();
        let mut order = Vec::with_capacity(self.steps.len());
        while let Some(at) = ready.pop_front() {
            order.push(at);
            for next in &self.steps[at].feeds {
                open[*next] -= 1;
                if open[*next] == 0 {
                    ready.push_back(*next);
                }
            }
        }
        order
    }
}

/// Seconds for a node that never ran: only their order matters.
fn guess(graph: &Graph, ix: NodeIx) -> f64 {
    let node = graph.node(ix);
    match (node.kind, node.config.materialized.as_str()) {
        (ResourceKind::Model, "view") => 0.01,
        (ResourceKind::Test, _) => 0.02,
        _ => 0.2,
    }
}

/// The nearest selected ancestors of nodes, through unselected ones.
struct Nearest<'a> {
    graph: &'a Graph,
    index: &'a HashMap<NodeIx, usize>,
    memo: HashMap<NodeIx, Vec<usize>>,
}

impl Nearest<'_> {
    fn of(&mut self, ix: NodeIx) -> Vec<usize> {
        // Iterative post-order, because a chain of models may be thousands long.
        let mut stack = vec![(ix, false)];
        while let Some((at, parents_done)) = stack.pop() {
            if self.memo.contains_key(&at) {
                continue;
            }
            let parents = &self.graph.node(at).parents;
            if parents_done {
                let mut found: Vec<usize> = Vec::new();
                for parent in parents {
                    match self.index.get(parent) {
                        Some(step) => found.push(*step),
                        None => {
                            let above = self.memo.get(parent);
                            found.extend(above.map_or(&[][..], Vec::as_slice));
                        }
                    }
                }
                found.sort_unstable();
                found.dedup();
                self.memo.insert(at, found);
            } else {
                stack.push((at, true));
                let open = parents.iter().filter(|p| !self.index.contains_key(p));
                stack.extend(open.map(|p| (*p, false)));
            }
        }
        self.memo.get(&ix).cloned().unwrap_or_default()
    }
}
