//! When nodes ran, and the chain of nodes that made the run as long as it was.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::digest::{Digest, Item};
use super::lineage::Lineage;
use crate::names::NodeId;

/// The nodes that ran one after the other up to the last one, in their order: each waited for
/// the one before it, a parent or a test of a parent.
pub(super) fn critical_path<'a>(digest: &'a Digest, lineage: &Lineage) -> Vec<&'a Item> {
    let ran = digest.items.iter().filter(|item| item.started.is_some());
    let Some(last) = ran.clone().max_by_key(|item| item.ended) else {
        return Vec::new();
    };
    let mut tests: HashMap<&NodeId, Vec<&Item>> = HashMap::new();
    for item in ran.filter(|item| item.is_test()) {
        for parent in lineage.parents(&item.node) {
            tests.entry(parent).or_default().push(item);
        }
    }
    let mut path = vec![last];
    let mut at = last;
    while let Some(before) = waited_for(at, digest, lineage, &tests) {
        path.push(before);
        at = before;
    }
    path.reverse();
    path
}

/// The last to end of what a node waited for.
fn waited_for<'a>(
    item: &Item,
    digest: &'a Digest,
    lineage: &Lineage,
    tests: &HashMap<&NodeId, Vec<&'a Item>>,
) -> Option<&'a Item> {
    let started = item.started?;
    let mut found: Vec<&Item> = Vec::new();
    for parent in built_parents(item, digest, lineage) {
        found.extend(digest.item(&parent));
        if !item.is_test() {
            found.extend(tests.get(&parent).into_iter().flatten().copied());
        }
    }
    let ended = found
        .into_iter()
        .filter(|before| before.started.is_some_and(|at| at < started));
    ended
        .filter(|before| before.ended <= started)
        .max_by_key(|before| before.ended)
}

/// The parents of a node that the run has seen; through those that are no relation.
fn built_parents(item: &Item, digest: &Digest, lineage: &Lineage) -> Vec<NodeId> {
    let mut seen: HashSet<&NodeId> = HashSet::new();
    let mut found = Vec::new();
    let mut open: Vec<&NodeId> = lineage.parents(&item.node).iter().collect();
    while let Some(parent) = open.pop() {
        if !seen.insert(parent) {
            continue;
        }
        if digest.item(parent).is_some() {
            found.push(parent.clone());
        } else {
            open.extend(lineage.parents(parent));
        }
    }
    found
}

/// From where to where an instant range stands on a run's time line, in per cent.
pub(super) fn span(digest: &Digest, item: &Item) -> Option<(f64, f64)> {
    let seconds = |at: Timestamp| at.duration_since(digest.began).as_secs_f64();
    let last = digest.items.iter().map(|item| item.ended).max()?;
    let all = seconds(last).max(0.001);
    let left = seconds(item.started?) / all * 100.0;
    let width = (seconds(item.ended) / all * 100.0 - left).max(0.05);
    Some((left.clamp(0.0, 100.0), width.min(100.0)))
}
