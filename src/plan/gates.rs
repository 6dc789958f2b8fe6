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
        let mut held: Vec<usize> = Vec::new();
        for parent in &needs[test] {
            held.extend(feeds[*parent].iter().copied().filter(|s| !is_test[*s]));
        }
        held.sort_unstable();
        held.dedup();
        for step in held {
            if needs[step].contains(&test) || reaches(&feeds, step, test) {
                continue;
            }
            needs[step].push(test);
            feeds[test].push(step);
        }
    }
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
