//! Tests as gates of a build.
//!
//! An error-severity test holds back every descendant of any of its parents that is not
//! itself an ancestor of the test. It never holds back what it needs, so no gate may close
//! a cycle with others: such a gate is left out.

use crate::graph::{Graph, NodeIx};
use crate::project::TestSeverity;

/// Adds the gating tests to `needs` of the steps that they hold back.
pub(super) fn add(graph: &Graph, nodes: &[NodeIx], needs: &mut [Vec<usize>]) {
    let mut feeds: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (step, list) in needs.iter().enumerate() {
        for need in list {
            feeds[*need].push(step);
        }
    }
    let is_test: Vec<bool> = nodes.iter().map(|ix| graph.node(*ix).is_test()).collect();
    for test in (0..nodes.len()).filter(|i| is_test[*i]) {
        if graph.node(nodes[test]).config.severity == TestSeverity::Warn {
            continue;
        }
        for step in held_back(&feeds, &is_test, &needs[test], test) {
            if !needs[step].contains(&test) {
                needs[step].push(test);
                feeds[test].push(step);
            }
        }
    }
}

/// The first descendants of `parents`, on every way down, that the test does not need; what
/// is behind them waits for them.
fn held_back(feeds: &[Vec<usize>], is_test: &[bool], parents: &[usize], test: usize) -> Vec<usize> {
    let mut held = Vec::new();
    let mut seen = vec![false; feeds.len()];
    let mut stack: Vec<usize> = parents.to_vec();
    while let Some(at) = stack.pop() {
        for step in feeds[at].iter().copied().filter(|s| !is_test[*s]) {
            if std::mem::replace(&mut seen[step], true) {
                continue;
            }
            match reaches(feeds, step, test) {
                true => stack.push(step),
                false => held.push(step),
            }
        }
    }
    held.sort_unstable();
    held
}

/// Whether `to` waits for `from`, directly or not.
fn reaches(feeds: &[Vec<usize>], from: usize, to: usize) -> bool {
    let mut seen = vec![false; feeds.len()];
    let mut stack = vec![from];
    while let Some(at) = stack.pop() {
        if at == to {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            stack.extend(&feeds[at]);
        }
    }
    false
}
