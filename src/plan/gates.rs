//! Tests as gates of a build.
//!
//! An error-severity test holds back every descendant of any of its parents that is not
//! itself an ancestor of the test; a parent may be a source or a node that is not built now. It
//! never holds back what it needs, so no gate may close a cycle with others: such a gate is
//! left out.

use std::collections::{HashMap, HashSet};

use crate::graph::{Graph, NodeIx, ResourceKind};
use crate::project::TestSeverity;

/// Adds the gating tests to `needs` of the steps that they hold back.
pub(super) fn add(
    graph: &Graph,
    nodes: &[NodeIx],
    index: &HashMap<NodeIx, usize>,
    needs: &mut [Vec<usize>],
) {
    let mut feeds: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (step, list) in needs.iter().enumerate() {
        for need in list {
            feeds[*need].push(step);
        }
    }
    let mut gates = Gates {
        needs,
        is_test: nodes.iter().map(|ix| graph.node(*ix).is_test()).collect(),
        is_unit_test: nodes
            .iter()
            .map(|ix| graph.node(*ix).kind == ResourceKind::UnitTest)
            .collect(),
        feeds,
        above: Marks::new(nodes.len()),
        reached: Marks::new(nodes.len()),
    };
    for (test, node) in nodes.iter().enumerate() {
        if gates.is_test[test] && graph.node(*node).config.severity != TestSeverity::Warn {
            let outside = below_unbuilt(graph, *node, index);
            gates.close(test, &outside);
        }
    }
}

/// The nearest steps behind those parents of a test that are no steps themselves.
fn below_unbuilt(graph: &Graph, test: NodeIx, index: &HashMap<NodeIx, usize>) -> Vec<usize> {
    let parents = graph.node(test).parents.iter().copied();
    let mut stack: Vec<NodeIx> = parents.filter(|p| !index.contains_key(p)).collect();
    let (mut seen, mut below) = (HashSet::new(), Vec::new());
    while let Some(at) = stack.pop() {
        for child in graph.children(at).filter(|child| seen.insert(*child)) {
            match index.get(&child) {
                Some(step) => below.push(*step),
                None => stack.push(child),
            }
        }
    }
    below
}

struct Gates<'a> {
    /// What each step waits for; gates are added here.
    needs: &'a mut [Vec<usize>],
    /// What waits for each step, without gates.
    feeds: Vec<Vec<usize>>,
    is_test: Vec<bool>,
    /// Those whose needs are what their model reads, of which they judge nothing; their model
    /// waits for them already.
    is_unit_test: Vec<bool>,
    above: Marks,
    reached: Marks,
}

impl Gates<'_> {
    fn close(&mut self, test: usize, outside: &[usize]) {
        self.mark_ancestors(test, outside.is_empty());
        for step in self.held_back(test, outside) {
            if !self.needs[step].contains(&test) {
                self.needs[step].push(test);
            }
        }
    }

    /// Marks all that the test waits for, directly or not, gates included.
    fn mark_ancestors(&mut self, test: usize, all_built: bool) {
        self.above.clear();
        if all_built && self.needs[test].len() == 1 {
            // What follows from the only parent cannot lead back to it, so there is nothing
            // to leave out; most tests are of this kind.
            return;
        }
        let mut stack = vec![test];
        while let Some(at) = stack.pop() {
            let needs = self.needs[at].iter().copied();
            stack.extend(needs.filter(|need| self.above.add(*need)));
        }
    }

    /// The nearest steps behind the test's parents that are not marked as its ancestors: what
    /// comes after them waits with them.
    fn held_back(&mut self, test: usize, outside: &[usize]) -> Vec<usize> {
        let mut held = Vec::new();
        let mut stack = match self.is_unit_test[test] {
            true => Vec::new(),
            false => self.needs[test].clone(),
        };
        self.reached.clear();
        let mut below = outside.to_vec();
        loop {
            for step in below.drain(..) {
                if self.is_test[step] || !self.reached.add(step) {
                    continue;
                }
                if self.above.has(step) {
                    stack.push(step);
                } else {
                    held.push(step);
                }
            }
            match stack.pop() {
                Some(at) => below.extend_from_slice(&self.feeds[at]),
                None => break,
            }
        }
        held.sort_unstable();
        held
    }
}

/// Flags of steps that are all taken back at once, without touching each.
struct Marks {
    round: u32,
    of: Vec<u32>,
}

impl Marks {
    fn new(steps: usize) -> Self {
        Self {
            round: 0,
            of: vec![0; steps],
        }
    }

    fn clear(&mut self) {
        self.round += 1;
    }

    /// Marks a step; whether it was not marked yet.
    fn add(&mut self, step: usize) -> bool {
        std::mem::replace(&mut self.of[step], self.round) != self.round
    }

    fn has(&self, step: usize) -> bool {
        self.of[step] == self.round
    }
}
