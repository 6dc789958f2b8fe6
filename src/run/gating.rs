//! Whether a group may be published, and what is told of it.

use std::collections::HashSet;

use super::dispatcher::Progress;
use super::publishing::{PublishDone, Publishing};
use crate::diag::{RenderOptions, render};
use crate::event::{Event, Outcome, Status};
use crate::names::NodeId;

/// How many reasons are named before the rest is counted.
const NAMED: usize = 5;

impl Progress<'_, '_> {
    /// Whether all that gates a group ended well. If not, its step has ended and that is told.
    pub(super) fn may_publish(&mut self, group: usize) -> bool {
        let plan = self.plan;
        let gates = &plan.groups[group].gates;
        let closed: Vec<usize> = gates
            .iter()
            .copied()
            .filter(|step| self.ended[*step] != Some(true))
            .collect();
        if closed.is_empty() {
            return true;
        }
        let reason = self.why(&closed);
        self.held_back(group, reason, false);
        self.end(plan.groups[group].step, false);
        false
    }

    /// The failures among closed gates, since what was skipped was skipped for one of them.
    fn why(&self, closed: &[usize]) -> String {
        let failed = |step: &&usize| {
            let id = self.node(**step).map(|node| &node.id);
            let result = self.results.iter().find(|(node, _)| Some(node) == id);
            result.is_some_and(|(_, outcome)| outcome.status != Status::Skipped)
        };
        let mut reasons: Vec<String> = closed
            .iter()
            .filter(failed)
            .map(|step| self.reason(*step))
            .collect();
        if reasons.is_empty() {
            reasons = closed.iter().map(|step| self.reason(*step)).collect();
        }
        reasons.sort();
        reasons.dedup();
        let more = reasons.len().saturating_sub(NAMED);
        reasons.truncate(NAMED);
        let mut text = reasons.join(", ");
        if more > 0 {
            text.push_str(&format!(", and {more} more"));
        }
        text
    }

    /// A group's publication ended.
    pub(super) fn published(&mut self, step: usize, done: PublishDone) {
        self.warn(done.warnings);
        let crate::plan::Task::Publish(group) = self.plan.steps[step].task else {
            return;
        };
        match done.result {
            Ok(Publishing::Committed) => {
                let nodes = self.members(group);
                (self.emit)(Event::Published {
                    nodes,
                    elapsed: done.elapsed,
                });
                self.end(step, true);
            }
            Ok(Publishing::Compared(changes)) => {
                (self.emit)(Event::Changes { changes });
                self.held_back(group, "this was a dry run".to_owned(), false);
                self.end(step, true);
            }
            Err(error) => {
                let options = RenderOptions {
                    color: self.runner.color(),
                };
                let reason = render(&error.diagnostic, self.runner.sources(), options);
                self.held_back(group, reason, true);
                self.end(step, false);
            }
        }
    }

    /// Tells that a group stays unpublished; where publishing itself failed, its nodes are
    /// errors, although they were built.
    pub(super) fn held_back(&mut self, group: usize, reason: String, failed: bool) {
        let nodes = self.members(group);
        if failed {
            for (id, outcome) in &mut self.results {
                if nodes.contains(id) && outcome.status == Status::Success {
                    self.counts.pass -= 1;
                    self.counts.error += 1;
                    *outcome = Outcome {
                        status: Status::Error,
                        message: Some(reason.clone()),
                        ..outcome.clone()
                    };
                }
            }
        }
        (self.emit)(Event::NotPublished {
            nodes,
            reason,
            failed,
        });
    }

    /// What is known of a group's members and of the tests that it waited for.
    pub(super) fn results_of(&self, group: usize) -> Vec<(NodeId, Outcome)> {
        let step = &self.plan.steps[self.plan.groups[group].step];
        let nodes: HashSet<&NodeId> = step
            .after
            .iter()
            .filter_map(|first| Some(&self.node(*first)?.id))
            .collect();
        let results = self.results.iter();
        results
            .filter(|(node, _)| nodes.contains(node))
            .cloned()
            .collect()
    }

    fn members(&self, group: usize) -> Vec<NodeId> {
        let members = self.plan.groups[group].members.iter();
        members
            .map(|ix| self.runner.graph().node(*ix).id.clone())
            .collect()
    }
}
