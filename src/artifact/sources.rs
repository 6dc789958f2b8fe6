//! `sources.json`, version 3: how fresh each source was.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Metadata;
use super::run_results::Timing;
use crate::names::NodeId;

/// The schema's name.
pub const SCHEMA: &str = "sources/v3";

/// All sources that were asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sources {
    /// The head.
    pub metadata: Metadata,
    /// One entry per source, in order of finishing.
    pub results: Vec<SourceResult>,
    /// Seconds.
    pub elapsed_time: f64,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SourceResult {
    /// It could be asked.
    Asked(Box<SourceAsked>),
    /// It could not.
    Failed {
        /// The source.
        unique_id: NodeId,
        /// Why.
        error: Option<String>,
        /// Always `runtime error`.
        status: String,
    },
}

/// A source that answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceAsked {
    /// The source.
    pub unique_id: NodeId,
    /// RFC 3339.
    pub max_loaded_at: String,
    /// RFC 3339.
    pub snapshotted_at: String,
    /// Seconds between them.
    pub max_loaded_at_time_ago_in_s: f64,
    /// `pass`, `warn` or `error`.
    pub status: String,
    /// `warn_after`, `error_after`, `filter`.
    pub criteria: Json,
    /// What the server said.
    pub adapter_response: Map<String, Json>,
    /// Begin and end.
    pub timing: Vec<Timing>,
    /// For example `Thread-1`.
    pub thread_id: String,
    /// Seconds.
    pub execution_time: f64,
}
