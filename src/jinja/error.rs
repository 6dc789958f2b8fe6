//! Errors of the engine as diagnostics: the innermost place first, then the calls that led there.

use minijinja::{Error, ErrorKind, Value};

use super::LookupError;

/// `return(x)` on its way out of a macro: an error whose source carries the value.
#[derive(Debug)]
pub(super) struct Returned(pub(super) Value);

impl std::fmt::Display for Returned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("return() outside of a macro")
    }
}

impl std::error::Error for Returned {}

/// The error that `return(value)` raises.
pub(super) fn returning(value: Value) -> Error {
    Error::new(ErrorKind::InvalidOperation, "return() outside of a macro")
        .with_source(Returned(value))
}

/// The value of a `return()`, if this is one.
pub(super) fn returned(error: &Error) -> Option<Value> {
    use std::error::Error as _;
    let source = error.source()?;
    source.downcast_ref::<Returned>().map(|r| r.0.clone())
}

/// An error with a message for the user.
pub(super) fn fail(message: impl Into<String>) -> Error {
    raise(LookupError {
        message: message.into(),
        hint: None,
    })
}

/// An error with a message and a hint for the user.
pub(super) fn fail_with(message: impl Into<String>, hint: impl Into<String>) -> Error {
    raise(LookupError {
        message: message.into(),
        hint: Some(hint.into()),
    })
}

/// An error that somebody else found, as an error of the engine.
pub(super) fn raise(error: LookupError) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.message.clone()).with_source(error)
}

/// The message for the user inside an error, if it carries one.
pub(super) fn lookup_error(error: &Error) -> Option<LookupError> {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(found) = inner.downcast_ref::<LookupError>() {
            return Some(found.clone());
        }
        source = inner.source();
    }
    None
}

/// Marks the caller's place on an error that comes out of a macro: the engine gives the outer
/// error the line of the call.
pub(super) fn from_call(inner: Error) -> Error {
    Error::new(inner.kind(), "in a called macro").with_source(inner)
}

/// A macro whose text cannot be rewritten: found when it is first used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct MacroSyntax {
    pub(super) message: String,
    pub(super) place: Place,
}

/// A place in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The engine's name of the template.
    pub(super) template: String,
    /// The line, from 1.
    pub(super) line: usize,
}

/// The places of an error, the innermost first.
pub(super) fn places(error: &Error) -> Vec<Place> {
    let mut places = Vec::new();
    let mut current = Some(error);
    while let Some(error) = current {
        if let (Some(name), Some(line)) = (error.name(), error.line()) {
            places.push(Place {
                template: name.to_owned(),
                line,
            });
        }
        let source = std::error::Error::source(error);
        if let Some(syntax) = source.and_then(|s| s.downcast_ref::<MacroSyntax>()) {
            places.push(syntax.place.clone());
        }
        current = source.and_then(|s| s.downcast_ref::<Error>());
    }
    places.reverse();
    places
}

/// The error that started it all.
pub(super) fn innermost(error: &Error) -> &Error {
    let mut error = error;
    while let Some(inner) = std::error::Error::source(error).and_then(|s| s.downcast_ref::<Error>())
    {
        error = inner;
    }
    error
}
