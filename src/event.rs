//! What happened, as facts: the dispatcher emits [`Event`]s in one order, reporters choose
//! words and colours, and a [`RunRecord`] is what remains.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::names::NodeId;

/// How a node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A model, seed, snapshot or operation was built.
    Success,
    /// A test found nothing to report.
    Pass,
    /// A test found rows, and its severity or threshold says warn.
    Warn,
    /// A test found rows.
    Fail,
    /// It could not be built or asked.
    Error,
    /// Not started, because of something upstream or a gate.
    Skipped,
    /// Stopped by the user or by `--fail-fast`.
    Cancelled,
}

impl Status {
    /// Whether the run may still end with exit code 0.
    pub fn is_ok(self) -> bool {
        matches!(self, Self::Success | Self::Pass | Self::Warn)
    }
}

/// Rows that a failing test found, as text, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Column names.
    pub columns: Vec<String>,
    /// Rows; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Spans of time, each with its start and its end in ISO 8601.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Batches {
    /// Built.
    pub successful: Vec<(String, String)>,
    /// Not built.
    pub failed: Vec<(String, String)>,
}

/// What a finished node says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Rows written, where the server said so.
    pub rows: Option<u64>,
    /// Failing rows of a test.
    pub failures: Option<u64>,
    /// Rows that a test looked at, where they were counted on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_tested: Option<u64>,
    /// One or more lines for people: the reason of a skip, the error with its SQL window.
    pub message: Option<String>,
    /// What a test expected, in words, for example `order_id is unique`.
    pub expected: Option<String>,
    /// Some of the failing rows.
    pub sample: Option<Sample>,
    /// The file that declares the node, relative to the project: where to go and mend it.
    pub file: Option<PathBuf>,
    /// The line of that file, from 1, at which the node is declared.
    pub line: Option<usize>,
    /// Where the compiled SQL was written, relative to the project.
    pub compiled_path: Option<PathBuf>,
    /// The relation that was built, rendered; for a test, the one in which its failures are kept.
    pub relation: Option<String>,
    /// The batches of a microbatch model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches: Option<Box<Batches>>,
    /// SHA-256 of the compiled SQL with live names, as hexadecimal digits.
    pub sql_sha256: Option<String>,
    /// A test's severity and thresholds, for example `error if > 0.1%, warn if != 0`.
    pub thresholds: Option<String>,
    /// Time from start to end.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
}

impl Outcome {
    /// An outcome with nothing but its status.
    pub fn new(status: Status) -> Self {
        Self {
            status,
            rows: None,
            failures: None,
            rows_tested: None,
            message: None,
            expected: None,
            sample: None,
            file: None,
            line: None,
            compiled_path: None,
            relation: None,
            batches: None,
            sql_sha256: None,
            thresholds: None,
            elapsed: Duration::ZERO,
        }
    }

    /// Whether its message says all, as a unit test's difference does; the number of failures
    /// then adds nothing.
    pub fn tells_itself(&self) -> bool {
        self.message.is_some() && self.expected.is_none()
    }

    /// An error with its message.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            message: Some(message.into()),
            ..Self::new(Status::Error)
        }
    }
}

fn seconds<S: serde::Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

/// How a relation differs between what is published and its candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The relation, rendered for people, for example `gold.mart_revenue`.
    pub relation: String,
    /// Whose; `None` for a relation that no node makes any more.
    pub node: Option<NodeId>,
    /// `new`, `changed`, `same`, `view` (only its query is compared) or `orphan`.
    pub kind: String,
    /// Columns that come, go or change type, as `+ name type`, `- name type`, `~ name old -> new`.
    pub columns: Vec<String>,
    /// Rows now and then, where counted.
    pub rows: Option<(u64, u64)>,
    /// With `--rows`: rows added, removed and changed by key.
    pub by_key: Option<(u64, u64, u64)>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// One fact, in the order in which the dispatcher saw it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "most events are a finished node; a box would only make them harder to take apart"
)]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// The command, for example `build`.
        command: String,
        /// The invocation's id.
        run_id: String,
        /// How many nodes will run.
        nodes: usize,
        /// How many at once.
        threads: usize,
        /// The target's name and server, for people.
        target: String,
    },
    /// A node begins.
    NodeStarted {
        /// Which.
        node: NodeId,
        /// What it is, for example `table model`.
        kind: String,
        /// Its name for people, for example `gold.mart_revenue_monthly`.
        label: String,
        /// Its place among all nodes of the run, from 1.
        index: usize,
    },
    /// A node ended, or was never started (skipped, cancelled).
    NodeFinished {
        /// Which.
        node: NodeId,
        /// What it is.
        kind: String,
        /// Its name for people.
        label: String,
        /// Its place among all nodes of the run, from 1, by order of finishing.
        index: usize,
        /// How it ended.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// Something worth knowing that stops nothing.
    Warned {
        /// The stable code.
        code: String,
        /// The whole text.
        message: String,
    },
    /// Text from `log()` or `print()` in a template, or a note of the program.
    Logged {
        /// The text.
        message: String,
    },
    /// Candidates became what readers see, in one transaction.
    Published {
        /// Whose.
        nodes: Vec<NodeId>,
        /// Time of the transaction.
        #[serde(serialize_with = "seconds")]
        elapsed: Duration,
    },
    /// Built candidates stay unpublished; what readers see is as it was.
    NotPublished {
        /// Whose.
        nodes: Vec<NodeId>,
        /// Why, in one or more lines for people.
        reason: String,
        /// Whether publishing itself went wrong, so that these nodes count as errors; otherwise
        /// a gate or a dry run held them back.
        failed: bool,
    },
    /// What a publication changes or would change.
    Changes {
        /// One relation each, in the order of publishing.
        changes: Vec<Change>,
    },
    /// The ledger has new entries.
    LedgerWritten {
        /// The number of its last entry.
        seq: u64,
        /// The hash of its last entry, as hexadecimal digits.
        head: String,
    },
    /// The command ends for something beside its nodes: a project that is wrong, a server that
    /// does not answer.
    Failed {
        /// The stable code.
        code: String,
        /// What happened, in one sentence.
        message: String,
        /// The whole text for people, with its source window and hint.
        text: String,
        /// The file to mend, relative to the project where it lies inside it.
        file: Option<PathBuf>,
        /// The line of that file, from 1.
        line: Option<usize>,
    },
    /// The user asked to stop.
    Cancelled,
    /// The run ended.
    RunFinished {
        /// Time from start to end.
        #[serde(serialize_with = "seconds")]
        elapsed: Duration,
        /// Nodes by status, in [`Status`] order of first appearance.
        counts: Counts,
    },
}

/// Nodes by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Built, or passed.
    pub pass: usize,
    /// Warned.
    pub warn: usize,
    /// Failed or could not be built.
    pub error: usize,
    /// Skipped or cancelled.
    pub skip: usize,
}

impl Counts {
    /// Counts one more node.
    pub fn add(&mut self, status: Status) {
        match status {
            Status::Success | Status::Pass => self.pass += 1,
            Status::Warn => self.warn += 1,
            Status::Fail | Status::Error => self.error += 1,
            Status::Skipped | Status::Cancelled => self.skip += 1,
        }
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.pass + self.warn + self.error + self.skip
    }
}

/// What remains of a run.
#[derive(Clone, Debug, Serialize)]
pub struct RunRecord {
    /// The invocation's id.
    pub run_id: String,
    /// The command.
    pub command: String,
    /// Each node with how it ended, in order of finishing.
    pub results: Vec<(NodeId, Outcome)>,
    /// Nodes by status.
    pub counts: Counts,
    /// Whether the user stopped it.
    pub cancelled: bool,
    /// Time from start to end.
    #[serde(serialize_with = "seconds")]
    pub elapsed: Duration,
}

impl RunRecord {
    /// A run of which nothing has happened yet.
    pub fn new(run_id: &str, command: &str) -> Self {
        Self {
            run_id: run_id.to_owned(),
            command: command.to_owned(),
            results: Vec::new(),
            counts: Counts::default(),
            cancelled: false,
            elapsed: Duration::ZERO,
        }
    }

    /// Whether every node that ran is fine and none was skipped for an error.
    pub fn is_ok(&self) -> bool {
        !self.cancelled && self.counts.error == 0
    }
}
