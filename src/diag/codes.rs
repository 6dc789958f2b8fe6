//! The stable codes of all diagnostics: one home, so that the gallery can check that each
//! has its case. Words in kebab-case, the stage first.

use std::fmt;

use serde::Serialize;

/// A stable code, for example `project-unknown-key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Code(&'static str);

impl Code {
    /// The code as text.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code($text);)*

        /// Every code there is, in order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    // --- project files -------------------------------------------------------------
    /// A project file could not be read.
    PROJECT_UNREADABLE = "project-unreadable";
    /// A file is not valid UTF-8.
    PROJECT_NOT_UTF8 = "project-not-utf8";
    /// YAML syntax.
    YAML_SYNTAX = "yaml-syntax";
    // --- jinja -----------------------------------------------------------------------
    /// A template's syntax.
    JINJA_SYNTAX = "jinja-syntax";
    /// A template failed while it was rendered.
    JINJA_ERROR = "jinja-error";
    /// A macro or function that is called does not exist.
    UNKNOWN_MACRO = "unknown-macro";
    /// A package has two macros of one name.
    DUPLICATE_MACRO = "duplicate-macro";
    // --- graph -----------------------------------------------------------------------
    /// A `ref()` names no node.
    UNKNOWN_REF = "unknown-ref";
    // --- database --------------------------------------------------------------------
    /// The server cannot be reached.
    DB_CONNECT = "db-connect";
    // --- run -------------------------------------------------------------------------
    /// A statement of a node failed in Postgres.
    SQL_ERROR = "sql-error";
    /// A materialization cannot do what its config asks.
    MATERIALIZATION = "materialization";
    /// What hangs on a relation keeps it from being replaced.
    PUBLISH_REFUSED = "publish-refused";
    /// A relation stayed in use while its new version waited.
    PUBLISH_LOCKED = "publish-locked";
}
