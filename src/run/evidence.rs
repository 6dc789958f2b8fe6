//! A run's entries in the ledger: what it says of each node, and when it cannot be written.

use super::dispatcher::Emit;
use super::runner::Runner;
use super::session::RunSession;
use crate::diag::{Diagnostic, RenderOptions, codes, render};
use crate::event::{Event, Outcome, RunRecord, Status};
use crate::graph::{Detail, Node, ResourceKind};
use crate::ledger::{self, Entry, tables};
use crate::names::NodeId;
use crate::session::SessionError;

impl Runner {
    /// Makes the ledger if it is missing; says once when the run will have no entry there.
    pub(super) async fn open_ledger(&self, keeper: &RunSession, emit: &mut Emit<'_>) {
        if self.ledger().is_none() {
            return;
        }
        let problem = match tables::ensure(keeper).await {
            Ok(tables::Readiness::Ready) => {
                self.ledger_is_ready();
                return;
            }
            Ok(tables::Readiness::Forbidden { what, remedy, .. }) => Diagnostic::warning(
                codes::LEDGER_UNAVAILABLE,
                format!("this run will not be in the ledger: {what}"),
            )
            .hint(format!(
                "run as an administrator: {remedy}; or write `ledger: false` in the project file"
            )),
            Err(error) => unwritten(&error),
        };
        self.warn(&problem, emit);
    }

    /// Writes the entries of a finished run in a transaction of their own.
    pub(super) async fn record(
        &self,
        record: &RunRecord,
        keeper: &RunSession,
        emit: &mut Emit<'_>,
    ) {
        let Some(origin) = self.ledger().filter(|_| self.has_ledger()) else {
            return;
        };
        let mut entries: Vec<Entry> = record
            .results
            .iter()
            .map(|(node, outcome)| self.entry(node, outcome))
            .collect();
        entries.push(Entry::of_run(record));
        match ledger::record_alone(keeper, origin, &entries).await {
            Ok(head) => emit(Event::LedgerWritten {
                seq: head.seq,
                head: head.hash,
            }),
            Err(error) => self.warn(&unwritten(&error), emit),
        }
    }

    /// What the ledger holds of a node that was published at once, before its tests ran.
    fn entry(&self, id: &NodeId, outcome: &Outcome) -> Entry {
        let entry = Entry::of_node(id, outcome);
        let Some(node) = self.graph().find(id).map(|ix| self.graph().node(ix)) else {
            return entry;
        };
        let tested_node = self.tested(node);
        let builds = matches!(
            node.kind,
            ResourceKind::Model | ResourceKind::Seed | ResourceKind::Snapshot
        );
        Entry {
            tested_node,
            published: builds.then_some(outcome.status == Status::Success),
            audited: builds.then_some(false),
            ..entry
        }
    }

    /// The node that a test tests; of a singular one the only node that it reads.
    pub(super) fn tested(&self, node: &Node) -> Option<NodeId> {
        match (&node.detail, node.parents.as_slice()) {
            (Detail::GenericTest(test), _) => Some(self.graph().node(test.attached).id.clone()),
            (Detail::SingularTest, [one]) => Some(self.graph().node(*one).id.clone()),
            _ => None,
        }
    }

    fn warn(&self, problem: &Diagnostic, emit: &mut Emit<'_>) {
        let options = RenderOptions {
            color: self.color(),
        };
        emit(Event::Warned {
            code: problem.code.as_str().to_owned(),
            message: render(problem, self.sources(), options),
        });
    }
}

fn unwritten(error: &SessionError) -> Diagnostic {
    let message = format!("this run is not in the ledger: {error}");
    let problem = Diagnostic::warning(codes::LEDGER_UNAVAILABLE, message);
    match &error.diagnostic.hint {
        Some(hint) => problem.hint(hint.clone()),
        None => problem.hint("`marts audit verify` says whether the ledger is whole"),
    }
}
