//! Cycles: found all at once, each shown with its whole path.

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::Node;
use crate::diag::{Diagnostic, SourceMap, codes};

/// A diagnostic for each group of nodes that read one another.
pub(super) fn find(nodes: &[Box<Node>], sources: &SourceMap) -> Vec<Diagnostic> {
    let mut dag = DiGraph::<(), ()>::new();
    for _ in nodes {
        dag.add_node(());
    }
    for (index, node) in nodes.iter().enumerate() {
        for parent in &node.parents {
            dag.add_edge(NodeIndex::new(parent.index()), NodeIndex::new(index), ());
        }
    }
    let mut found: Vec<Diagnostic> = tarjan_scc(&dag)
        .into_iter()
        .filter(|group| group.len() > 1 || dag.contains_edge(group[0], group[0]))
        .map(|group| describe(nodes, &group, sources))
        .collect();
    found.sort_by(|a, b| a.message.cmp(&b.message));
    found
}

/// Walks parents inside the group from its first-named node until a node comes again.
fn describe(nodes: &[Box<Node>], group: &[NodeIndex], sources: &SourceMap) -> Diagnostic {
    let mut members: Vec<usize> = group.iter().map(|n| n.index()).collect();
    members.sort_by(|a, b| nodes[*a].name.cmp(&nodes[*b].name));
    let path = shortest_cycle(nodes, &members);
    let names: Vec<&str> = path.iter().map(|i| nodes[*i].name.as_str()).collect();
    let mut diagnostic = Diagnostic::error(
        codes::GRAPH_CYCLE,
        format!("models read one another: {}", names.join(" -> ")),
    );
    for pair in path.windows(2) {
        let (reader, read) = (&nodes[pair[0]], &nodes[pair[1]]);
        let line = reader
            .refs
            .iter()
            .find(|(call, _)| call.name == read.name)
            .map(|(_, l)| *l);
        if let (Some(file), Some(line)) = (reader.file, line) {
            let span = sources.line_span(file, line);
            diagnostic = diagnostic.at(span, format!("`{}` reads `{}`", reader.name, read.name));
        }
    }
    diagnostic.hint("break the cycle: one of these must not read the other")
}

/// The shortest way from the first member along its parents back to itself, both ends shown.
fn shortest_cycle(nodes: &[Box<Node>], members: &[usize]) -> Vec<usize> {
    let start = members[0];
    let mut came_from: std::collections::HashMap<usize, usize> = std::collections::HashMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for parent in &nodes[at].parents {
            let parent = parent.index();
            if parent == start {
                let mut path = vec![start, at];
                let mut step = at;
                while step != start {
                    step = came_from.get(&step).copied().unwrap_or(start);
                    path.push(step);
                }
                if at == start {
                    return vec![start, start];
                }
                path.reverse();
                return path;
            }
            if members.contains(&parent) && !came_from.contains_key(&parent) {
                came_from.insert(parent, at);
                queue.push_back(parent);
            }
        }
    }
    members.to_vec()
}
