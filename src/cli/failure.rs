//! What ends a command before or beside its nodes.

use std::io::Write;

use crate::diag::{Code, Diagnostic, RenderOptions, SourceMap, render, render_all};
use crate::event::Event;
use crate::session::SessionError;

/// Diagnostics that end the command, with the files that they point into.
#[derive(Debug)]
pub struct Failure {
    diagnostics: Vec<Diagnostic>,
    sources: SourceMap,
    is_told: bool,
    code: u8,
}

impl Failure {
    /// Several, with their files.
    pub fn new(diagnostics: Vec<Diagnostic>, sources: SourceMap) -> Self {
        Self {
            diagnostics,
            sources,
            is_told: false,
            code: super::EXIT_ERROR,
        }
    }

    /// The same, ending with another exit code.
    #[must_use]
    pub fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// One that points into no file.
    pub fn message(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::from(Diagnostic::error(code, message).hint(hint))
    }

    /// What went wrong.
    pub(super) fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The exit code of all of them.
    pub fn exit_code(&self) -> u8 {
        self.code
    }

    /// The same, which a reporter may have told already.
    #[must_use]
    pub fn told(self, is_told: bool) -> Self {
        Self { is_told, ..self }
    }

    /// Whether nothing more is to be said.
    pub fn is_told(&self) -> bool {
        self.is_told
    }

    /// As events, one for each diagnostic.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        self.diagnostics.iter().map(|diagnostic| {
            let place = diagnostic.labels.first().map(|label| {
                let file = self.sources.file(label.span.file);
                (file.path.clone(), file.line_column(label.span.start).0)
            });
            Event::Failed {
                code: diagnostic.code.as_str().to_owned(),
                message: diagnostic.message.clone(),
                text: render(diagnostic, &self.sources, RenderOptions::default()),
                line: place.as_ref().map(|(_, line)| *line),
                file: place.map(|(file, _)| file).or(diagnostic.file.clone()),
            }
        })
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
