//! What can keep a table from being loaded.

use super::shape::Change;
use crate::diag::{Diagnostic, codes};
use crate::pg::PgError;

/// Why a table, or the whole of them, was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The source's server.
    #[error("the source: {0}")]
    Source(PgError),
    /// The target's server.
    #[error(transparent)]
    Target(PgError),
    /// The source has no such table.
    #[error("the source has no table {0}")]
    NoTable(String),
    /// The role may not read it.
    #[error("the source's role may not read {0}")]
    Unreadable(String),
    /// The config cannot be followed.
    #[error("{problem}")]
    Config {
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// The target has a table of that name that was not loaded by us.
    #[error("{0} was not loaded by `marts ingest`")]
    Foreign(String),
    /// Somebody else loads it.
    #[error("another `marts ingest` loads {0}")]
    Busy(String),
    /// The source's columns changed.
    #[error("the columns of {table} have changed")]
    Drift {
        /// The source's table.
        table: String,
        /// How.
        changes: Vec<Change>,
    },
    /// The key is null or not unique.
    #[error("the key of {table} is null or not unique: {detail}")]
    Key {
        /// The source's table.
        table: String,
        /// What Postgres said, or a key.
        detail: String,
    },
    /// What arrived is not what the source holds.
    #[error("{table} is not as in the source")]
    Differs {
        /// The target's table.
        table: String,
        /// Which slices or the whole, a line each.
        what: Vec<String>,
        /// Whether readers see the new rows.
        is_published: bool,
    },
}

impl IngestError {
    /// As a message.
    pub fn diagnostic(&self) -> Diagnostic {
        let message = self.to_string();
        let error = |code| Diagnostic::error(code, message.clone());
        match self {
            Self::Source(error) => error
                .diagnostic(None)
                .note("this is about the source of ingest.yml"),
            Self::Target(error) => error.diagnostic(None),
            Self::NoTable(_) => error(codes::INGEST_SOURCE)
                .hint("correct `schema` and `name` in ingest.yml; both are case-sensitive"),
            Self::Unreadable(table) => error(codes::INGEST_SOURCE).hint(format!(
                "ask for: grant select on {table} to the role that ingest.yml names"
            )),
            Self::Config { hint, .. } => error(codes::INGEST_CONFIG).hint(hint),
            Self::Foreign(table) => error(codes::INGEST_REFUSED).hint(format!(
                "give another name with `to:` in ingest.yml, or drop table {table} if nobody needs it"
            )),
            Self::Busy(_) => error(codes::INGEST_BUSY).hint("wait for it to end"),
            Self::Drift { changes, .. } => changes
                .iter()
                .fold(error(codes::INGEST_DRIFT), |told, change| {
                    told.note(change.to_string())
                })
                .hint(
                    "set `on_schema_change: sync_all_columns` for the table in ingest.yml to take \
                     the source's columns, or append_new_columns for new ones only",
                ),
            Self::Key { .. } => error(codes::INGEST_KEY)
                .hint("give the columns that are unique together as `key:` in ingest.yml"),
            Self::Differs {
                what, is_published, ..
            } => what
                .iter()
                .fold(error(codes::INGEST_DIFFERS), |told, line| told.note(line))
                .hint(match is_published {
                    true => {
                        "rows were deleted in the source, or changed without their watermark: run \
                         marts ingest --full-refresh"
                    }
                    false => "what readers see is as it was; run marts ingest again",
                }),
        }
    }
}
