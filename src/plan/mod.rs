//! Which nodes run, and what each waits for.
//!
//! A step waits for the nearest selected nodes that it reads, through whatever is not
//! selected; in a build it also waits for the tests that gate it, and a model for its unit
//! tests, which need nothing. Nodes that are published only after their tests form groups,
//! each with a step of its own that publishes it.

mod between;
mod gates;
mod groups;
#[cfg(test)]
mod tests;
mod unit_tests;

use std::collections::HashMap;

pub use between::Between;
pub use groups::{Group, Mode};

use crate::graph::{Graph, Node, NodeIx, ResourceKind};

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
            Self::Test => matches!(kind, ResourceKind::Test | ResourceKind::UnitTest),
            Self::Seed => kind == ResourceKind::Seed,
            Self::Snapshot => kind == ResourceKind::Snapshot,
            Self::Build => matches!(
                kind,
                ResourceKind::Model
                    | ResourceKind::Test
                    | ResourceKind::UnitTest
                    | ResourceKind::Seed
                    | ResourceKind::Snapshot
                    | ResourceKind::Function
                    | ResourceKind::Source
            ),
        }
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Builds or asks a node.
    Node(NodeIx),
    /// Publishes a group of [`Plan::groups`].
    Publish(usize),
}

/// One step of a run.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it does.
    pub task: Task,
    /// Steps that must have ended well before this one starts, as indices.
    pub needs: Vec<usize>,
    /// Steps that must have ended before this one starts, however they ended.
    pub after: Vec<usize>,
    /// Steps that need this one.
    pub feeds: Vec<usize>,
    /// Steps that only come after this one.
    pub precedes: Vec<usize>,
    /// Seconds from this step's start to the end of the longest chain behind it, by past run
    /// times or by guesses where there are none.
    pub remaining: f64,
}

impl Step {
    fn new(task: Task, needs: Vec<usize>) -> Self {
        Self {
            task,
            needs,
            after: Vec::new(),
            feeds: Vec::new(),
            precedes: Vec::new(),
            remaining: 0.0,
        }
    }

    /// The node of a step that builds or asks one.
    pub fn node(&self) -> Option<NodeIx> {
        match self.task {
            Task::Node(ix) => Some(ix),
            Task::Publish(_) => None,
        }
    }
}

/// The steps of a run; `needs`, `after` and `feeds` form no cycle.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Nodes in the order of the graph, then publications.
    pub steps: Vec<Step>,
    /// What is published together, each by one step.
    pub groups: Vec<Group>,
    /// The group of each node that is published after its tests.
    pub group_of: HashMap<NodeIx, usize>,
}

/// How a plan is made.
pub struct PlanOptions<'a> {
    /// The command.
    pub work: Work,
    /// When a node becomes visible, by its config and the command line.
    pub mode: &'a dyn Fn(NodeIx) -> Mode,
    /// A node's past run time in seconds.
    pub seconds: &'a dyn Fn(NodeIx) -> Option<f64>,
}

/// A model whose file holds nothing is not built, as in dbt.
fn is_blank(node: &Node) -> bool {
    node.kind == ResourceKind::Model && node.raw_code.trim().is_empty()
}

impl Plan {
    /// Plans the selected nodes.
    pub fn new(graph: &Graph, selected: &[NodeIx], options: &PlanOptions<'_>) -> Self {
        let nodes: Vec<NodeIx> = selected
            .iter()
            .copied()
            .filter(|ix| {
                let node = graph.node(*ix);
                options.work.covers(node.kind) && !node.is_ephemeral() && !is_blank(node)
            })
            .collect();
        let index: HashMap<NodeIx, usize> =
            nodes.iter().enumerate().map(|(i, n)| (*n, i)).collect();
        let mut nearest = Nearest {
            graph,
            index: &index,
            memo: HashMap::new(),
        };
        let reads: Vec<Vec<usize>> = nodes
            .iter()
            .map(|ix| match graph.node(*ix).kind {
                // It reads rows of its own, so nothing has to be built for it.
                ResourceKind::UnitTest => Vec::new(),
                _ => nearest.of(*ix),
            })
            .collect();
        let mut needs = reads.clone();
        if options.work == Work::Build {
            // A macro of the tested model may ask for the columns of what the model reads.
            for (step, ix) in nodes.iter().enumerate() {
                if graph.node(*ix).kind == ResourceKind::UnitTest {
                    let tested = &graph.node(*ix).parents;
                    needs[step].extend(tested.iter().flat_map(|ix| nearest.of(*ix)));
                }
            }
            unit_tests::add(graph, &index, &mut needs);
            gates::add(graph, &nodes, &index, &mut needs);
        }
        let steps = nodes
            .iter()
            .zip(needs)
            .map(|(node, needs)| Step::new(Task::Node(*node), needs))
            .collect();
        let mut plan = Self {
            steps,
            ..Self::default()
        };
        groups::add(graph, &mut plan, &reads, options.mode);
        for step in 0..plan.steps.len() {
            for need in plan.steps[step].needs.clone() {
                plan.steps[need].feeds.push(step);
            }
            for first in plan.steps[step].after.clone() {
                plan.steps[first].precedes.push(step);
            }
        }
        plan.weigh(graph, options.seconds);
        plan
    }

    /// The nodes of the plan, in the order of the graph.
    pub fn nodes(&self) -> impl Iterator<Item = NodeIx> {
        self.steps.iter().filter_map(Step::node)
    }

    /// Fills in `remaining`, children before parents.
    fn weigh(&mut self, graph: &Graph, seconds: &dyn Fn(NodeIx) -> Option<f64>) {
        for at in self.order().into_iter().rev() {
            let step = &self.steps[at];
            let behind = step
                .feeds
                .iter()
                .chain(&step.precedes)
                .map(|f| self.steps[*f].remaining)
                .fold(0.0, f64::max);
            let own = match step.task {
                Task::Node(ix) => seconds(ix).unwrap_or_else(|| guess(graph, ix)),
                Task::Publish(_) => 0.02,
            };
            self.steps[at].remaining = own + behind;
        }
    }

    /// Steps in an order in which each comes after what it needs.
    pub fn order(&self) -> Vec<usize> {
        let count = |step: &Step| step.needs.len() + step.after.len();
        let mut open: Vec<usize> = self.steps.iter().map(count).collect();
        let mut ready: std::collections::VecDeque<usize> =
            (0..self.steps.len()).filter(|i| open[*i] == 0).collect();
        let mut order = Vec::with_capacity(self.steps.len());
        while let Some(at) = ready.pop_front() {
            order.push(at);
            let step = &self.steps[at];
            for next in step.feeds.iter().chain(&step.precedes) {
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
        (ResourceKind::Test | ResourceKind::UnitTest, _) => 0.02,
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
