//! What is written down: whose run it was, and one entry for the run, each node and each
//! publication.

use std::time::Duration;

use crate::event::{Outcome, RunRecord, Status};
use crate::names::NodeId;

/// What all entries of a run share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The invocation's id.
    pub run_id: String,
    /// The command, for example `build`.
    pub command: String,
    /// The target's name.
    pub target: String,
    /// The commit of the project's folder, where it is a git repository.
    pub git_commit: Option<String>,
    /// Whether the folder has changes that are not in that commit.
    pub git_dirty: Option<bool>,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A run as a whole.
    Run,
    /// A model, seed, snapshot or operation.
    Node,
    /// A test of any kind.
    Test,
    /// Candidates that became what readers see.
    Publication,
}

impl Kind {
    /// Its word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Node => "node",
            Self::Test => "test",
            Self::Publication => "publication",
        }
    }
}

/// One entry, before it has its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub kind: Kind,
    /// The node's unique id.
    pub node: Option<NodeId>,
    /// The test's name.
    pub test: Option<String>,
    /// The unique id of the node that a test tests.
    pub tested_node: Option<NodeId>,
    /// The relation that was built, or that keeps a test's failing rows, rendered.
    pub relation: Option<String>,
    /// How it ended: a [`Status`] in lower case, or `published`.
    pub status: String,
    /// Rows written; of a run the number of nodes.
    pub row_count: Option<u64>,
    /// Failing rows; of a run the nodes that went wrong.
    pub failures: Option<u64>,
    /// Rows that a test looked at, where known.
    pub rows_tested: Option<u64>,
    /// A test's severity and thresholds.
    pub thresholds: Option<String>,
    /// How long it took.
    pub duration: Option<Duration>,
    /// Whether readers see what was built.
    pub published: Option<bool>,
    /// Whether its tests had passed before readers saw it.
    pub audited: Option<bool>,
    /// SHA-256 of its compiled SQL with live names.
    pub sql_sha256: Option<String>,
}

impl Entry {
    /// An entry with nothing but what it is about and how it ended.
    pub fn new(kind: Kind, status: impl Into<String>) -> Self {
        Self {
            kind,
            node: None,
            test: None,
            tested_node: None,
            relation: None,
            status: status.into(),
            row_count: None,
            failures: None,
            rows_tested: None,
            thresholds: None,
            duration: None,
            published: None,
            audited: None,
            sql_sha256: None,
        }
    }

    /// A finished node. Whether it was published or audited is for the caller to say.
    pub fn of_node(node: &NodeId, outcome: &Outcome) -> Self {
        let test = test_name(node);
        let kind = match test {
            Some(_) => Kind::Test,
            None => Kind::Node,
        };
        Self {
            node: Some(node.clone()),
            test,
            relation: outcome.relation.clone(),
            row_count: outcome.rows,
            failures: outcome.failures,
            rows_tested: outcome.rows_tested,
            thresholds: outcome.thresholds.clone(),
            duration: Some(outcome.elapsed),
            sql_sha256: outcome.sql_sha256.clone(),
            ..Self::new(kind, word(outcome.status))
        }
    }

    /// A run as a whole.
    pub fn of_run(record: &RunRecord) -> Self {
        let status = if record.cancelled {
            Status::Cancelled
        } else if record.is_ok() {
            Status::Success
        } else {
            Status::Error
        };
        Self {
            row_count: Some(record.counts.total() as u64),
            failures: Some(record.counts.error as u64),
            duration: Some(record.elapsed),
            ..Self::new(Kind::Run, word(status))
        }
    }

    /// A publication of so many nodes in one transaction.
    pub fn of_publication(nodes: usize, audited: bool) -> Self {
        Self {
            row_count: Some(nodes as u64),
            published: Some(true),
            audited: Some(audited),
            ..Self::new(Kind::Publication, "published")
        }
    }
}

/// A status as the table has it.
fn word(status: Status) -> &'static str {
    match status {
        Status::Success => "success",
        Status::Pass => "pass",
        Status::Warn => "warn",
        Status::Fail => "fail",
        Status::Error => "error",
        Status::Skipped => "skipped",
        Status::Cancelled => "cancelled",
    }
}

/// The name in a test's unique id, `test.<package>.<name>.<hash>` or `test.<package>.<name>`.
fn test_name(node: &NodeId) -> Option<String> {
    let (kind, rest) = node.as_str().split_once('.')?;
    let (_, name) = rest.split_once('.')?;
    let is_hash = |text: &str| text.len() == 10 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match (kind, name.rsplit_once('.')) {
        ("test", Some((name, hash))) if is_hash(hash) => Some(name.to_owned()),
        ("test" | "unit_test", _) => Some(name.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_known_by_its_unique_id() {
        let name = |id: &str| test_name(&NodeId::new(id));
        let of = |text: &str| Some(text.to_owned());
        assert_eq!(name("test.shop.unique_a_id.0123456789"), of("unique_a_id"));
        assert_eq!(name("test.shop.my.own name.0123456789"), of("my.own name"));
        assert_eq!(name("test.shop.singular"), of("singular"));
        assert_eq!(name("unit_test.shop.model.case"), of("model.case"));
        assert_eq!(name("model.shop.orders"), None);
    }

    #[test]
    fn a_finished_node_tells_what_its_outcome_does() {
        let outcome = Outcome {
            failures: Some(3),
            thresholds: Some("error if > 0.1%".to_owned()),
            elapsed: Duration::from_micros(1_500_001),
            ..Outcome::new(Status::Fail)
        };
        let entry = Entry::of_node(&NodeId::new("test.shop.t.0123456789"), &outcome);
        assert_eq!(entry.kind, Kind::Test);
        assert_eq!(entry.status, "fail");
        assert_eq!(entry.failures, Some(3));
        assert_eq!(entry.published, None);
    }
}
