//! A step's failure: what the user is told, and what the dispatcher needs to know of it.

use crate::diag::{Code, Diagnostic, codes};

/// Why a step could not go on.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .diagnostic.message)]
pub struct SessionError {
    /// What the user is told.
    pub diagnostic: Box<Diagnostic>,
    /// Postgres' code, when the server said no.
    pub sqlstate: Option<String>,
    /// Whether trying the same step again may succeed.
    pub transient: bool,
}

impl SessionError {
    /// An error that trying again will not cure.
    pub fn new(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostic: Box::new(diagnostic),
            sqlstate: None,
            transient: false,
        }
    }

    /// An error with a code and a message.
    pub fn message(code: Code, message: impl Into<String>) -> Self {
        Self::new(Diagnostic::error(code, message))
    }

    /// A plain error of a materialization.
    pub fn materialization(message: impl Into<String>) -> Self {
        Self::message(codes::MATERIALIZATION, message)
    }

    /// Whether Postgres gave this SQLSTATE.
    pub fn is(&self, sqlstate: &str) -> bool {
        self.sqlstate.as_deref() == Some(sqlstate)
    }
}

impl From<Diagnostic> for SessionError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::new(diagnostic)
    }
}
