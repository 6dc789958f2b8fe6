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

    /// Writes what is known of a group's nodes and tests into the open transaction that
    /// publishes it.
    pub(super) async fn record_publication(
        &self,
        results: &[(NodeId, Outcome)],
        keeper: &RunSession,
    ) -> Result<(), SessionError> {
        let Some(origin) = self.ledger().filter(|_| self.has_ledger()) else {
            return Ok(());
        };
        let entries: Vec<Entry> = results
            .iter()
            .filter(|(node, _)| !self.recorded().contains(node))
            .map(|(node, outcome)| self.entry(node, outcome, true))
            .collect();
        if entries.is_empty() {
            return Ok(());
        }
        ledger::append(keeper, origin, &entries).await.map(|_| ())
    }

    /// The publication is committed, and with it the entries of these nodes.
    pub(super) fn recorded_with(&self, results: &[(NodeId, Outcome)]) {
        if self.has_ledger() {
            let nodes = results.iter().map(|(node, _)| node.clone());
            self.recorded().extend(nodes);
        }
    }

    /// Writes the entries of a finished run in a transaction of their own, but for those that
    /// a publication has written.
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
            .filter(|(node, _)| !self.recorded().contains(node))
            .map(|(node, outcome)| self.entry(node, outcome, false))
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

    /// What the ledger holds of a node. Outside of a publication only what was published as it
    /// was built, before its tests ran, is published.
    fn entry(&self, id: &NodeId, outcome: &Outcome, publishing: bool) -> Entry {
        let entry = Entry::of_node(id, outcome);
        let Some(ix) = self.graph().find(id) else {
            return entry;
        };
        let node = self.graph().node(ix);
        let published = publishing || !self.stage().is_staged(ix);
        let audited = publishing && self.ledger().is_some_and(|o| o.command == "build");
        let tested_node = self.tested(node);
        let builds = matches!(
            node.kind,
            ResourceKind::Model | ResourceKind::Seed | ResourceKind::Snapshot
        );
        Entry {
            tested_node,
            published: builds.then_some(published && outcome.status == Status::Success),
            audited: builds.then_some(audited),
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
