//! What a user is told when something is wrong.
//!
//! A [`Diagnostic`] has a stable [`Code`], says what happened, points at a [`Span`] of a
//! file in the [`SourceMap`], and ends with a hint that is an action. Stages collect
//! diagnostics; `diag::render` turns them into text.

pub mod codes;
mod render;
mod source;

pub use codes::Code;
pub use render::{RenderOptions, render, render_all};
pub use source::{FileId, SourceFile, SourceMap, Span, Spanned};

use std::path::PathBuf;

use serde::Serialize;

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Work goes on.
    Warning,
    /// Work stops.
    Error,
}

/// A place with a short text of its own, shown under the source line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// One message to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What happened, in one sentence without a full stop at its end.
    pub message: String,
    /// The main place, then further ones.
    pub labels: Vec<Label>,
    /// The file, where no place inside it is known.
    pub file: Option<PathBuf>,
    /// Facts that help, a line each.
    pub notes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error with nothing but its message.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            file: None,
            notes: Vec::new(),
            hint: None,
        }
    }

    /// A warning with nothing but its message.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Points at a place; the first one given is the main one.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Names a file as a whole.
    #[must_use]
    pub fn in_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Adds a line of fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds what dbt says of the same mistake, which is what people search the web for.
    #[must_use]
    pub fn in_dbts_words(self, text: impl AsRef<str>) -> Self {
        self.note(format!("in dbt's words: {}", text.as_ref()))
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }
}

/// The nearest of `candidates` to `name`, if one is near enough to be meant.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| {
            (
                strsim::damerau_levenshtein(&name.to_lowercase(), &c.to_lowercase()),
                c,
            )
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, c)| (*distance, c.len()))
        .map(|(_, c)| c)
}
