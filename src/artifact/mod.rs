//! dbt's JSON artifacts as types, written and read back: what other tools, `--state` and
//! `retry` read.
//!
//! The types follow dbt's published JSON schemas; keys that a newer dbt adds are ignored
//! when an artifact is read.

pub mod catalog;
pub mod manifest;
mod metadata;
pub mod run_results;
pub mod sources;

pub use manifest::Manifest;
pub use metadata::{Metadata, VERSION_OF_DBT};
pub use run_results::RunResults;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why an artifact could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The file system said no.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not the artifact that it should be.
    #[error("{} is not a readable artifact: {source}", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// Writes an artifact beside its place and renames it there, so that a reader never sees
/// half of one.
///
/// # Errors
/// When the folder or file cannot be written.
pub fn write(path: &Path, artifact: &impl Serialize) -> Result<(), ArtifactError> {
    let failed = |source: std::io::Error| ArtifactError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = write_whole(&beside, artifact).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The disk may be full: what was begun is of no use to anyone.
        let _ = std::fs::remove_file(&beside);
    }
    written.map_err(failed)
}

/// Bytes written at once: a manifest has tens of millions.
const BUFFER: usize = 1 << 18;

fn write_whole(path: &Path, artifact: &impl Serialize) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::with_capacity(BUFFER, std::fs::File::create(path)?);
    serde_json::to_writer(&mut out, artifact)?;
    out.flush()
}

/// Reads an artifact.
///
/// # Errors
/// When the file cannot be read or is not such an artifact.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ArtifactError> {
    let text = std::fs::read(path).map_err(|source| ArtifactError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| ArtifactError::Json {
        path: path.to_owned(),
        source,
    })
}
