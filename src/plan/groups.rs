//! What is published together.
//!
//! A node that is `audited` becomes visible once every test that reads it has ended and none
//! of those with error severity failed; nodes that are `together` wait for all tests of the
//! run. What a test with error severity reads is published in one transaction, so that nobody
//! sees what it forbids. A child is built on what its parent published, unless the parent can
//! only be published with it: members of a group read each other's candidates.
//!
//! The groups are the strongly connected components of "must come before", so what remains
//! between them has no cycle.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::{Plan, Step, Task};
use crate::graph::{Graph, NodeIx, ResourceKind};
use crate::project::TestSeverity;

/// When a node becomes visible; later ones are stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// As soon as it is built.
    Immediate,
    /// Once its own tests passed.
    Audited,
    /// With all others of this mode, once all tests passed.
    Together,
}

/// Nodes that are published in one transaction.
#[derive(Clone, Debug)]
pub struct Group {
    /// The nodes, each after what it reads.
    pub members: Vec<NodeIx>,
    /// The step that publishes them.
    pub step: usize,
    /// Steps that must have ended well, else nothing is published.
    pub gates: Vec<usize>,
}

/// Adds the publications of staged nodes to a plan of nodes. `reads` are the steps that each
/// step reads, without gates.
pub(super) fn add(
    graph: &Graph,
    plan: &mut Plan,
    reads: &[Vec<usize>],
    mode: &dyn Fn(NodeIx) -> Mode,
) {
    let modes = modes(graph, plan, reads, mode);
    let staged = |step: usize| modes[step].filter(|m| *m != Mode::Immediate);
    if !(0..reads.len()).any(|step| staged(step).is_some()) {
        return;
    }
    let mut tests = Tests {
        of: vec![Vec::new(); reads.len()],
        all: Vec::new(),
    };
    for step in (0..reads.len()).filter(|step| modes[*step].is_none()) {
        tests.all.push(step);
        for parent in &reads[step] {
            tests.of[*parent].push(step);
        }
    }
    // Earlier publications come first, so a group finds those that it waits for.
    for members in components(graph, plan, reads, &modes) {
        let together = |m: &usize| modes[*m] == Some(Mode::Together);
        let waits_for = if members.iter().any(together) {
            tests.all.clone()
        } else {
            let mut of: Vec<usize> = members.iter().flat_map(|m| tests.of[*m].clone()).collect();
            of.sort_unstable();
            of.dedup();
            of
        };
        add_group(graph, plan, reads, &members, &waits_for);
    }
    // A child reads what its parent published, except within its group.
    for step in 0..reads.len() {
        let Some(node) = plan.steps[step].node().filter(|_| modes[step].is_some()) else {
            continue;
        };
        let own = plan.group_of.get(&node).copied();
        for parent in &reads[step] {
            let parent = plan.steps[*parent].node();
            let group = parent.and_then(|p| plan.group_of.get(&p)).copied();
            if let Some(group) = group.filter(|g| Some(*g) != own) {
                let publish = plan.groups[group].step;
                if !plan.steps[step].needs.contains(&publish) {
                    plan.steps[step].needs.push(publish);
                }
            }
        }
    }
}

/// The test steps of a plan.
struct Tests {
    /// Those that read each step.
    of: Vec<Vec<usize>>,
    all: Vec<usize>,
}

/// The mode of each step that builds; never laxer than that of what it reads. `None` for tests.
fn modes(
    graph: &Graph,
    plan: &Plan,
    reads: &[Vec<usize>],
    mode: &dyn Fn(NodeIx) -> Mode,
) -> Vec<Option<Mode>> {
    let mut modes = vec![None; reads.len()];
    for step in order(reads) {
        let Some(node) = plan.steps[step].node() else {
            continue;
        };
        let kind = graph.node(node).kind;
        if kind == ResourceKind::Test {
            continue;
        }
        if matches!(kind, ResourceKind::Source | ResourceKind::UnitTest) {
            // They are only asked; nothing of them is published.
            modes[step] = Some(Mode::Immediate);
            continue;
        }
        let above = reads[step].iter().filter_map(|parent| modes[*parent]);
        modes[step] = above.chain([mode(node)]).max();
    }
    publish_at_once(graph, plan, reads, &mut modes);
    modes
}

/// What a project's own materialization builds is visible as soon as it is built, hence what it
/// reads is as well.
fn publish_at_once(graph: &Graph, plan: &Plan, reads: &[Vec<usize>], modes: &mut [Option<Mode>]) {
    let is_own = |step: &usize| {
        let node = plan.steps[*step].node().map(|ix| graph.node(ix));
        node.is_some_and(|node| node.model.materialization.is_some())
    };
    let mut open: Vec<usize> = (0..reads.len()).filter(is_own).collect();
    let mut seen = HashSet::new();
    while let Some(step) = open.pop() {
        if seen.insert(step) {
            modes[step] = modes[step].and(Some(Mode::Immediate));
            open.extend(&reads[step]);
        }
    }
}

/// Steps, each after what it reads.
fn order(reads: &[Vec<usize>]) -> Vec<usize> {
    let mut feeds: Vec<Vec<usize>> = vec![Vec::new(); reads.len()];
    for (step, list) in reads.iter().enumerate() {
        for parent in list {
            feeds[*parent].push(step);
        }
    }
    let mut open: Vec<usize> = reads.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..reads.len()).filter(|step| open[*step] == 0).collect();
    let mut at = 0;
    while at < order.len() {
        for next in &feeds[order[at]] {
            open[*next] -= 1;
            if open[*next] == 0 {
                order.push(*next);
            }
        }
        at += 1;
    }
    order
}

/// The steps of each group.
fn components(
    graph: &Graph,
    plan: &Plan,
    reads: &[Vec<usize>],
    modes: &[Option<Mode>],
) -> Vec<Vec<usize>> {
    let steps = reads.len();
    let staged = |step: usize| modes[step].is_some_and(|m| m != Mode::Immediate);
    // Vertices: each step, then the publication of each step, then that of `together`.
    let mut before = DiGraph::<(), ()>::with_capacity(steps * 2 + 1, steps * 6);
    for _ in 0..=steps * 2 {
        before.add_node(());
    }
    let step_at = NodeIndex::new;
    let publication = |step: usize| match modes[step] {
        Some(Mode::Together) => NodeIndex::new(steps * 2),
        _ => NodeIndex::new(steps + step),
    };
    for step in 0..steps {
        for need in &plan.steps[step].needs {
            before.add_edge(step_at(step), step_at(*need), ());
        }
        let is_test = modes[step].is_none();
        let forbids = is_test && !is_warning(graph, plan, step);
        let mut one_of: Option<usize> = None;
        for parent in reads[step].iter().filter(|p| staged(**p)) {
            if is_test {
                before.add_edge(publication(*parent), step_at(step), ());
                if forbids && let Some(other) = one_of.replace(*parent) {
                    before.add_edge(publication(*parent), publication(other), ());
                    before.add_edge(publication(other), publication(*parent), ());
                }
                continue;
            }
            before.add_edge(step_at(step), publication(*parent), ());
            if staged(step) {
                before.add_edge(publication(step), publication(*parent), ());
            }
        }
        if staged(step) {
            before.add_edge(publication(step), step_at(step), ());
        }
        if is_test {
            before.add_edge(NodeIndex::new(steps * 2), step_at(step), ());
        }
    }
    let mut component = vec![0; steps * 2 + 1];
    loop {
        for (number, vertices) in kosaraju_scc(&before).into_iter().enumerate() {
            for vertex in vertices {
                component[vertex.index()] = number;
            }
        }
        // Built among those that a publication waits for, hence published with it.
        let publications: BTreeMap<usize, usize> = (0..steps)
            .filter(|step| staged(*step))
            .map(|step| (component[publication(step).index()], step))
            .collect();
        let apart: Vec<(usize, usize)> = (0..steps)
            .filter(|step| staged(*step))
            .filter(|step| component[*step] != component[publication(*step).index()])
            .filter_map(|step| Some((step, *publications.get(&component[step])?)))
            .collect();
        if apart.is_empty() {
            break;
        }
        for (step, other) in apart {
            before.add_edge(publication(other), publication(step), ());
            before.add_edge(publication(step), publication(other), ());
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = Default::default();
    for step in order(reads).into_iter().filter(|step| staged(*step)) {
        let number = component[publication(step).index()];
        groups.entry(number).or_default().push(step);
    }
    groups.into_values().collect()
}

/// Whether a step is a test whose findings hold nothing back.
fn is_warning(graph: &Graph, plan: &Plan, step: usize) -> bool {
    let node = plan.steps[step].node().map(|ix| graph.node(ix));
    node.is_some_and(|node| node.config.severity == TestSeverity::Warn)
}

/// Adds one group and the step that publishes it, after its members and these tests.
fn add_group(
    graph: &Graph,
    plan: &mut Plan,
    reads: &[Vec<usize>],
    members: &[usize],
    tests: &[usize],
) {
    let number = plan.groups.len();
    let inside: HashSet<usize> = members.iter().copied().collect();
    let mut after: BTreeSet<usize> = members.iter().chain(tests).copied().collect();
    let errors = tests.iter().filter(|step| !is_warning(graph, plan, **step));
    let mut gates: BTreeSet<usize> = members.iter().chain(errors).copied().collect();
    // What a member reads is visible before the member is.
    let parents = members.iter().flat_map(|m| &reads[*m]);
    for parent in parents.filter(|p| !inside.contains(p)) {
        let node = plan.steps[*parent].node();
        let group = node.and_then(|n| plan.group_of.get(&n));
        let first = group.map_or(*parent, |group| plan.groups[*group].step);
        after.insert(first);
        gates.insert(first);
    }
    let nodes = members.iter().filter_map(|m| plan.steps[*m].node());
    let nodes: Vec<NodeIx> = nodes.collect();
    let mut step = Step::new(Task::Publish(number), Vec::new());
    step.after = after.into_iter().collect();
    plan.group_of.extend(nodes.iter().map(|n| (*n, number)));
    plan.groups.push(Group {
        members: nodes,
        step: plan.steps.len(),
        gates: gates.into_iter().collect(),
    });
    plan.steps.push(step);
}
