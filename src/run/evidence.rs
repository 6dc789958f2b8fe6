//! A run's entries in the ledger: those of what a publication makes visible in its own
//! transaction, all others when the run ends.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use globset::GlobSet;

use super::dispatcher::Emit;
use super::runner::Runner;
use super::session::RunSession;
use crate::checks;
use crate::diag::{Diagnostic, RenderOptions, codes, render};
use crate::event::{Event, Outcome, RunRecord, Status};
use crate::graph::{Detail, Node, NodeIx, ResourceKind};
use crate::ledger::{self, Entry, tables};
use crate::names::NodeId;
use crate::session::SessionError;

/// What is kept of a run beside what it builds.
pub(super) struct Keeping {
    /// Schemas of stored failures that are known to be there.
    pub(super) failure_schemas: tokio::sync::Mutex<BTreeSet<String>>,
    /// The project's patterns of sensitive columns.
    pub(super) sensitive_patterns: GlobSet,
    /// Set once the ledger's tables are there and may be written.
    ready: OnceLock<()>,
    /// How nodes ended that the ledger does not have yet.
    ended: Mutex<HashMap<NodeIx, Outcome>>,
    /// Nodes that stand in the ledger, and whether a publication put them there.
    written: Mutex<HashSet<NodeIx>>,
}

impl Keeping {
    /// Of a run that has not begun.
    pub(super) fn new(sensitive_columns: &[String]) -> Self {
        Self {
            failure_schemas: tokio::sync::Mutex::default(),
            sensitive_patterns: checks::patterns(sensitive_columns),
            ready: OnceLock::new(),
            ended: Mutex::default(),
            written: Mutex::default(),
        }
    }

    fn ended(&self) -> MutexGuard<'_, HashMap<NodeIx, Outcome>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> MutexGuard<'_, HashSet<NodeIx>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Entries that are about to be written, and the nodes that they are of.
pub(super) struct Evidence {
    entries: Vec<Entry>,
    nodes: Vec<NodeIx>,
}

impl Runner {
    /// Makes the ledger if it is missing; says once when the run will have no entry there.
    pub(super) async fn open_ledger(&self, keeper: &RunSession, emit: &mut Emit<'_>) {
        if self.setup.ledger.is_none() {
            return;
        }
        let problem = match tables::ensure(keeper).await {
            Ok(tables::Readiness::Ready) => {
                let _ = self.keeping.ready.set(());
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

    /// What the entries of this run share; `None` where the ledger is not written.
    fn origin(&self) -> Option<&ledger::Origin> {
        let origin = self.setup.ledger.as_ref();
        origin.filter(|_| self.keeping.ready.get().is_some())
    }

    /// Remembers how a node ended, for a publication that comes before the run's end.
    pub(super) fn remember(&self, ix: NodeIx, outcome: &Outcome) {
        if self.origin().is_some() {
            self.keeping.ended().insert(ix, outcome.clone());
        }
    }

    /// The entries of a publication: itself, its nodes, and every test that has ended so far,
    /// since by these it was decided.
    pub(super) fn of_publication(&self, members: &[NodeIx], elapsed: Duration) -> Evidence {
        let ended = self.keeping.ended();
        let written = self.keeping.written();
        let is_test = |ix: &NodeIx| self.graph().node(*ix).is_test();
        let tests = ended.keys().copied().filter(is_test);
        let mut tests: Vec<NodeIx> = tests.filter(|ix| !written.contains(ix)).collect();
        tests.sort_unstable();
        let passed = |ix: NodeIx| ended.get(&ix).is_some_and(|outcome| outcome.status.is_ok());
        let mut entries = Vec::new();
        let mut all_audited = true;
        for ix in &tests {
            entries.extend(ended.get(ix).map(|outcome| self.entry(*ix, outcome)));
        }
        for ix in members {
            let audited = self.is_audited(*ix, &passed);
            all_audited &= audited;
            entries.extend(ended.get(ix).map(|outcome| Entry {
                published: Some(true),
                audited: Some(audited),
                ..self.entry(*ix, outcome)
            }));
        }
        entries.push(Entry::of_publication(members.len(), elapsed, all_audited));
        tests.extend(members);
        Evidence {
            entries,
            nodes: tests,
        }
    }

    /// Whether the tests of a node all ran well before it is published.
    fn is_audited(&self, ix: NodeIx, passed: &dyn Fn(NodeIx) -> bool) -> bool {
        let builds = self.setup.ledger.as_ref();
        let builds = builds.is_some_and(|origin| origin.command == "build");
        let mut tests = self.graph().children(ix);
        builds && tests.all(|test| !self.graph().node(test).is_test() || passed(test))
    }

    /// Writes a publication's entries in its own open transaction, which holds everything
    /// else already: the lock on the head is the last one that it takes.
    pub(super) async fn append(
        &self,
        evidence: &Evidence,
        keeper: &RunSession,
    ) -> Result<(), SessionError> {
        match self.origin() {
            Some(origin) => ledger::append(keeper, origin, &evidence.entries)
                .await
                .map(|_| ()),
            None => Ok(()),
        }
    }

    /// The transaction that holds these entries is committed.
    pub(super) fn is_written(&self, evidence: &Evidence) {
        self.keeping.written().extend(&evidence.nodes);
    }

    /// Writes what no publication has written, in a transaction of its own.
    pub(super) async fn record(
        &self,
        record: &RunRecord,
        keeper: &RunSession,
        emit: &mut Emit<'_>,
    ) {
        let Some(origin) = self.origin() else { return };
        let entries = self.remaining(record);
        match ledger::record_alone(keeper, origin, &entries).await {
            Ok(head) => emit(Event::LedgerWritten {
                seq: head.seq,
                head: head.hash,
            }),
            Err(error) => self.warn(&unwritten(&error), emit),
        }
    }

    fn remaining(&self, record: &RunRecord) -> Vec<Entry> {
        let written = self.keeping.written();
        let mut entries = Vec::with_capacity(record.results.len() + 1);
        for (id, outcome) in &record.results {
            match self.graph().find(id) {
                Some(ix) if written.contains(&ix) => {}
                Some(ix) => entries.push(self.entry(ix, outcome)),
                None => entries.push(Entry::of_node(id, outcome)),
            }
        }
        entries.push(Entry::of_run(record));
        entries
    }

    /// What the ledger holds of a node. One that is not staged is published when it is built,
    /// before its tests run; one that is staged, by its publication alone.
    fn entry(&self, ix: NodeIx, outcome: &Outcome) -> Entry {
        let node = self.graph().node(ix);
        let builds = matches!(
            node.kind,
            ResourceKind::Model | ResourceKind::Seed | ResourceKind::Snapshot
        );
        let published = outcome.status == Status::Success && !self.stage().is_staged(ix);
        Entry {
            tested_node: self.tested(node),
            published: builds.then_some(published),
            audited: builds.then_some(false),
            ..Entry::of_node(&node.id, outcome)
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
