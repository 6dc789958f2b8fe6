//! `run_results.json`, version 6: how each node of a run ended.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Metadata;
use crate::names::NodeId;

/// The schema's name.
pub const SCHEMA: &str = "run-results/v6";

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResults {
    /// The head.
    pub metadata: Metadata,
    /// One entry per node, in order of finishing.
    pub results: Vec<NodeResult>,
    /// Seconds.
    pub elapsed_time: f64,
    /// The command line: `which`, `select`, `threads`, ...; `retry` reads them.
    #[serde(default)]
    pub args: Map<String, Json>,
}

/// How a node ended, in dbt's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResultStatus {
    /// Built.
    #[serde(rename = "success")]
    Success,
    /// Some of a microbatch model's batches were built.
    #[serde(rename = "partial success")]
    PartialSuccess,
    /// A test passed.
    #[serde(rename = "pass")]
    Pass,
    /// A test warned.
    #[serde(rename = "warn")]
    Warn,
    /// A test failed.
    #[serde(rename = "fail")]
    Fail,
    /// It could not be built or asked.
    #[serde(rename = "error")]
    Error,
    /// A source's freshness could not be asked.
    #[serde(rename = "runtime error")]
    RuntimeError,
    /// Not started.
    #[serde(rename = "skipped")]
    Skipped,
    /// There was nothing to do: an exposure, a saved query.
    #[serde(rename = "no-op")]
    NoOp,
}

impl ResultStatus {
    /// Whether `retry` runs the node again.
    pub fn is_retried(self) -> bool {
        matches!(
            self,
            Self::PartialSuccess | Self::Fail | Self::Error | Self::RuntimeError | Self::Skipped
        )
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeResult {
    /// How it ended.
    pub status: ResultStatus,
    /// `compile` and `execute`, each with begin and end.
    pub timing: Vec<Timing>,
    /// For example `Thread-1`.
    pub thread_id: String,
    /// Seconds.
    pub execution_time: f64,
    /// What the server said: `_message`, `code`, `rows_affected`.
    pub adapter_response: Map<String, Json>,
    /// For people.
    pub message: Option<String>,
    /// Failing rows of a test.
    pub failures: Option<u64>,
    /// The node.
    pub unique_id: NodeId,
    /// Whether it was compiled.
    pub compiled: Option<bool>,
    /// The compiled SQL.
    pub compiled_code: Option<String>,
    /// The relation, rendered.
    pub relation_name: Option<String>,
    /// Batches of a microbatch model.
    #[serde(default)]
    pub batch_results: Option<BatchResults>,
}

/// When a phase of a node began and ended, RFC 3339, UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// `compile` or `execute`.
    pub name: String,
    /// Its begin.
    #[serde(default)]
    pub started_at: Option<String>,
    /// Its end.
    #[serde(default)]
    pub completed_at: Option<String>,
}

/// Batches as pairs of begin and end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchResults {
    /// Built.
    #[serde(default)]
    pub successful: Vec<(String, String)>,
    /// Not built.
    #[serde(default)]
    pub failed: Vec<(String, String)>,
}

impl RunResults {
    /// A run without results yet.
    pub fn new(invocation_id: &str) -> Self {
        Self {
            metadata: Metadata::new(SCHEMA, invocation_id),
            results: Vec::new(),
            elapsed_time: 0.0,
            args: Map::new(),
        }
    }
}

impl NodeResult {
    /// A result with nothing but its node and status.
    pub fn new(unique_id: NodeId, status: ResultStatus) -> Self {
        Self {
            status,
            timing: Vec::new(),
            thread_id: String::new(),
            execution_time: 0.0,
            adapter_response: Map::new(),
            message: None,
            failures: None,
            unique_id,
            compiled: None,
            compiled_code: None,
            relation_name: None,
            batch_results: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{read, write};

    fn results() -> RunResults {
        let mut run = RunResults::new("0198");
        run.metadata.generated_at = "2026-01-02T03:04:05.000000Z".into();
        run.elapsed_time = 1.25;
        run.args.insert("which".into(), "build".into());
        run.results.push(NodeResult {
            timing: vec![Timing {
                name: "execute".into(),
                started_at: Some("2026-01-02T03:04:05.000000Z".into()),
                completed_at: None,
            }],
            thread_id: "Thread-1".into(),
            failures: Some(3),
            ..NodeResult::new(NodeId::new("test.shop.unique_a.1f"), ResultStatus::Fail)
        });
        run
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target/run_results.json");
        write(&path, &results()).unwrap();
        assert_eq!(read::<RunResults>(&path).unwrap(), results());
        let names: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing is left beside it");
    }

    #[test]
    fn every_key_that_the_schema_requires_is_there() {
        insta::assert_json_snapshot!(results());
    }

    #[test]
    fn keys_of_a_newer_dbt_are_ignored() {
        let mut json = serde_json::to_value(results()).unwrap();
        json["results"][0]["of_tomorrow"] = true.into();
        json["metadata"]["of_tomorrow"] = 1.into();
        assert_eq!(
            serde_json::from_value::<RunResults>(json).unwrap(),
            results()
        );
    }

    #[test]
    fn a_broken_artifact_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run_results.json");
        std::fs::write(&path, "{").unwrap();
        let error = read::<RunResults>(&path).unwrap_err().to_string();
        assert!(
            error.contains("run_results.json is not a readable artifact"),
            "{error}"
        );
        let missing = read::<RunResults>(&folder.path().join("x.json")).unwrap_err();
        assert!(missing.to_string().starts_with("cannot read"));
    }
}
