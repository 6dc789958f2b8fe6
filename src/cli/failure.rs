//! What ends a command before or beside its nodes.

use std::io::Write;

use crate::diag::{Code, Diagnostic, RenderOptions, SourceMap, render_all};
use crate::session::SessionError;

/// Diagnostics that end the command, with the files that they point into.
#[derive(Debug)]
pub struct Failure {
    diagnostics: Vec<Diagnostic>,
    sources: SourceMap,
}

impl Failure {
    /// Several, with their files.
    pub fn new(diagnostics: Vec<Diagnostic>, sources: SourceMap) -> Self {
        Self {
            diagnostics,
            sources,
        }
    }

    /// One that points into no file.
    pub fn message(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::from(Diagnostic::error(code, message).hint(hint))
    }

    /// The exit code of all of them.
    pub fn exit_code(&self) -> u8 {
        super::EXIT_ERROR
    }

    /// Writes them for people.
    pub fn tell(&self, out: &mut impl Write, color: bool) {
        let text = render_all(&self.diagnostics, &self.sources, RenderOptions { color });
        let _ = writeln!(out, "{text}");
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::new(vec![diagnostic], SourceMap::default())
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::from(*error.diagnostic)
    }
}
