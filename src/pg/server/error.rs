//! Why the private server could not be had.

use std::io;
use std::path::{Path, PathBuf};

/// Each says what happened and where; [`super::super::PgError`] is for a server that runs.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServerError {
    /// No `initdb` and `postgres` were found.
    #[error("no PostgreSQL is installed here")]
    NotInstalled,
    /// They could not be fetched either.
    #[error("PostgreSQL could not be fetched: {reason}")]
    Download {
        /// Why.
        reason: String,
    },
    /// `MARTS_PG_BIN` names a folder without them, or with a version that is too old.
    #[error("{} {problem}", dir.display())]
    UnusableBinaries {
        /// The folder.
        dir: PathBuf,
        /// What is wrong with it; reads on after the folder.
        problem: String,
    },
    /// The data folder belongs to a major version that is not installed.
    #[error(
        "the data in {} is of PostgreSQL {major}, but only {} is installed",
        data.display(),
        found.join(" and ")
    )]
    OtherMajor {
        /// The data folder.
        data: PathBuf,
        /// Its major version.
        major: u32,
        /// The major versions that were found.
        found: Vec<String>,
    },
    /// A folder cannot be made, read or written.
    #[error("cannot {action} {}: {reason}", path.display())]
    Folder {
        /// What was tried, for example `create`.
        action: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// The system's words.
        reason: String,
        /// Their kind.
        kind: io::ErrorKind,
    },
    /// The disk that holds the data folder is full.
    #[error("the disk of {} is full", path.display())]
    DiskFull {
        /// The data folder.
        path: PathBuf,
    },
    /// `initdb` or `postgres` gave up.
    #[error("{program} failed: {reason}")]
    Failed {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// The line of its output that tells most.
        reason: String,
        /// Where the rest is.
        log: Option<PathBuf>,
    },
    /// Another process of this user does something with the server and does not end.
    #[error("another marts has held {} for over {seconds} s", path.display())]
    Busy {
        /// The lock's file.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// The server runs but cannot be used.
    #[error("the private server in {} cannot be used: {reason}", data.display())]
    Unusable {
        /// The data folder.
        data: PathBuf,
        /// Why.
        reason: String,
    },
}

impl ServerError {
    pub(super) fn io(action: &'static str, path: &Path, error: &io::Error) -> Self {
        if is_disk_full(error) {
            return Self::DiskFull {
                path: path.to_owned(),
            };
        }
        Self::Folder {
            action,
            path: path.to_owned(),
            reason: reason(error),
            kind: error.kind(),
        }
    }
}

/// A quota or a file-size limit is a full disk to those who meet it.
fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
