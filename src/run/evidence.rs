//! A run's entries in the ledger: what it says of each node, and when it cannot be written.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use globset::GlobSet;

use super::dispatcher::Emit;
use super::runner::Runner;
use super::session::RunSession;
use crate::checks;
use crate::diag::{Diagnostic, RenderOptions, codes, render};
use crate::event::{Event, Outcome, RunRecord, Status};
use crate::graph::{Detail, Node, ResourceKind};
use crate::ledger::{self, Entry, tables};
use crate::names::NodeId;
use crate::session::SessionError;

/// What is kept of a run beside what it builds.
pub(super) struct Keeping {
    /// Schemas of stored failures that are known to be there.
    failure_schemas: tokio::sync::Mutex<BTreeSet<String>>,
    sensitive_patterns: GlobSet,
    /// Nodes whose entries are in the ledger already.
    recorded: Mutex<HashSet<NodeId>>,
    /// Set once the ledger's tables are there and may be written.
    ready: OnceLock<()>,
}

impl Keeping {
    /// Of a run that has not begun.
    pub(super) fn new(sensitive_columns: &[String]) -> Self {
        Self {
            failure_schemas: tokio::sync::Mutex::default(),
            sensitive_patterns: checks::patterns(sensitive_columns),
            recorded: Mutex::default(),
            ready: OnceLock::new(),
        }
    }
}

impl Runner {
    pub(super) fn store_failures(&self) -> bool {
        self.setup.store_failures
    }

    pub(super) fn failure_schemas(&self) -> &tokio::sync::Mutex<BTreeSet<String>> {
        &self.keeping.failure_schemas
    }

    pub(super) fn sensitive_patterns(&self) -> &GlobSet {
        &self.keeping.sensitive_patterns
    }

    /// What the ledger's entries of this run share.
    fn ledger(&self) -> Option<&ledger::Origin> {
        self.setup.ledger.as_ref()
    }

    fn recorded(&self) -> MutexGuard<'_, HashSet<NodeId>> {
        self.keeping
            .recorded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What entries share, where they can be written.
    pub(super) fn ledger_origin(&self) -> Option<&ledger::Origin> {
        self.ledger().filter(|_| self.has_ledger())
    }

    /// Whether the ledger can be written.
    fn has_ledger(&self) -> bool {
        self.keeping.ready.get().is_some()
    }

    fn ledger_is_ready(&self) {
        let _ = self.keeping.ready.set(());
    }

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
        let Some(origin) = self.ledger_origin() else {
            return Ok(());
        };
        let passed: HashSet<&NodeId> = results
            .iter()
            .filter(|(_, outcome)| outcome.status.is_ok())
            .map(|(node, _)| node)
            .collect();
        let mut entries: Vec<Entry> = results
            .iter()
            .filter(|(node, _)| !self.recorded().contains(node))
            .map(|(node, outcome)| Entry {
                audited: self.is_audited(node, &passed),
                ..self.entry(node, outcome, true)
            })
            .collect();
        let published = entries.iter().filter(|e| e.published == Some(true));
        let nodes = published.clone().count();
        if nodes == 0 {
            return Ok(());
        }
        let audited = published.clone().all(|e| e.audited == Some(true));
        entries.push(Entry::of_publication(nodes, audited));
        ledger::append(keeper, origin, &entries).await.map(|_| ())
    }

    /// Whether every test of a node ran and let it pass before it is published.
    fn is_audited(&self, id: &NodeId, passed: &HashSet<&NodeId>) -> Option<bool> {
        let ix = self.graph().find(id)?;
        if self.graph().node(ix).is_test() {
            return None;
        }
        let builds = self.ledger().is_some_and(|o| o.command == "build");
        let recorded = self.recorded();
        let mut tests = self
            .graph()
            .children(ix)
            .map(|test| self.graph().node(test));
        let ran = |test: &Node| passed.contains(&test.id) || recorded.contains(&test.id);
        Some(builds && tests.all(|test| !test.is_test() || ran(test)))
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
        let Some(origin) = self.ledger_origin() else {
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
        let tested_node = self.tested(node);
        let builds = matches!(
            node.kind,
            ResourceKind::Model | ResourceKind::Seed | ResourceKind::Snapshot
        );
        Entry {
            tested_node,
            published: builds.then_some(published && outcome.status == Status::Success),
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
