//! What is wrong with a seed's file, and where.

use std::fmt;
use std::io;
use std::path::Path;

use super::blocks::Fault;

/// A mistake in a seed's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedProblem {
    /// The line, from 1; none where the whole file is meant.
    pub line: Option<u64>,
    /// The column's name.
    pub column: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl SeedProblem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            line: None,
            column: None,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn at(line: u64, message: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::new(message)
        }
    }

    pub(super) fn in_column(mut self, column: Option<&String>) -> Self {
        self.column = column.cloned();
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("cannot read {}: {error}", path.display()))
    }

    pub(super) fn fault(path: &Path, fault: &Fault) -> Self {
        match fault {
            Fault::Io(error) => Self::io(path, error),
            Fault::Endless(line) => {
                Self::at(*line, "a row that begins here does not end within 256 MB")
                    .hint("look for a quote that is opened and never closed")
            }
        }
    }
}

impl fmt::Display for SeedProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: ")?,
            (Some(line), None) => write!(f, "line {line}: ")?,
            (None, Some(column)) => write!(f, "column {column}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.message)
    }
}
