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
    // --- graph -----------------------------------------------------------------------
    /// A `ref()` names no node.
    UNKNOWN_REF = "unknown-ref";
    // --- database --------------------------------------------------------------------
    /// The server cannot be reached.
    DB_CONNECT = "db-connect";
    /// A profile's output or a URL does not say how to connect.
    DB_CONFIG = "db-config";
    /// The server refuses the role, the password or the database.
    DB_LOGIN = "db-login";
    /// TLS cannot be agreed on, or the certificate is not trusted.
    DB_TLS = "db-tls";
    /// The connection ended under a statement.
    DB_LOST = "db-lost";
    /// A proxy gives each transaction another session.
    DB_POOLING = "db-pooling";
    /// The disk of the server is full.
    DB_DISK_FULL = "db-disk-full";
    /// No PostgreSQL is installed for the private server.
    DB_SERVER_MISSING = "db-server-missing";
    /// The private server's folder cannot be made or written.
    DB_SERVER_FOLDER = "db-server-folder";
    /// The private server does not start or cannot be used.
    DB_SERVER_FAILED = "db-server-failed";
    // --- run -------------------------------------------------------------------------
    /// A statement of a node failed in Postgres.
    SQL_ERROR = "sql-error";
}
