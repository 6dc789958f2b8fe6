//! Unit tests in a build: each runs before its model and holds it back when it fails.

use std::collections::HashMap;

use crate::graph::{Graph, NodeIx, ResourceKind};

/// Makes each model wait for its unit tests; of an ephemeral model, which has no step, what
/// its query goes into waits.
pub(super) fn add(graph: &Graph, index: &HashMap<NodeIx, usize>, needs: &mut [Vec<usize>]) {
    let mut tests: Vec<(usize, NodeIx)> = index
        .iter()
        .filter(|(ix, _)| graph.node(**ix).kind == ResourceKind::UnitTest)
        .map(|(ix, step)| (*step, *ix))
        .collect();
    tests.sort_unstable();
    for (test, ix) in tests {
        let mut stack = graph.node(ix).parents.clone();
        while let Some(at) = stack.pop() {
            match index.get(&at) {
                _ if graph.node(at).kind == ResourceKind::UnitTest => {}
                Some(held) if !needs[*held].contains(&test) => needs[*held].push(test),
                None if graph.node(at).is_ephemeral() => stack.extend(graph.children(at)),
                _ => {}
            }
        }
    }
}
