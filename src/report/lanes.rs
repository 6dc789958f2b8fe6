//! Which of the run's threads a node ran on: the first that was free when it began.

use std::collections::HashMap;

use crate::names::NodeId;

/// Threads, as the order of events shows them.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    busy: Vec<bool>,
    running: HashMap<NodeId, usize>,
}

impl Lanes {
    /// A node begins.
    pub(super) fn begin(&mut self, node: &NodeId) {
        let free = self.busy.iter().position(|busy| !busy);
        let lane = free.unwrap_or(self.busy.len());
        if lane == self.busy.len() {
            self.busy.push(true);
        }
        self.busy[lane] = true;
        self.running.insert(node.clone(), lane);
    }

    /// A node ended: its thread, from 0. One that never began has the first.
    pub(super) fn end(&mut self, node: &NodeId) -> usize {
        let lane = self.running.remove(node);
        if let Some(lane) = lane {
            self.busy[lane] = false;
        }
        lane.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_thread_is_taken_again() {
        let [a, b, c] = ["a", "b", "c"].map(NodeId::new);
        let mut lanes = Lanes::default();
        lanes.begin(&a);
        lanes.begin(&b);
        assert_eq!(lanes.end(&a), 0);
        lanes.begin(&c);
        assert_eq!((lanes.end(&b), lanes.end(&c)), (1, 0));
        assert_eq!(lanes.end(&a), 0, "it is not running");
    }
}
