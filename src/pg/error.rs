//! What can go wrong between us and Postgres, with everything that the server said.
//! Never holds a password. `diagnostic` turns it into a diagnostic.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use tokio_postgres::error::ErrorPosition;

use super::config::ConfigError;

/// What the server said of an error; fields as in its protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DbError {
    /// The five characters of the SQLSTATE.
    pub sqlstate: String,
    /// `ERROR`, `FATAL` or `PANIC`.
    pub severity: String,
    /// The primary message.
    pub message: String,
    /// The detail.
    pub detail: Option<String>,
    /// The server's own hint.
    pub hint: Option<String>,
    /// Where in the SQL that was sent, as a byte offset from 0.
    pub position: Option<usize>,
    /// The SQL that was sent, when there was one.
    pub sql: Option<String>,
    /// The server, where the login failed.
    pub server: Option<String>,
    /// A query that a function ran, in which the error arose.
    pub internal_query: Option<String>,
    /// The call stack of functions and the like.
    pub context: Option<String>,
    /// The schema of what the error is about.
    pub schema: Option<String>,
    /// The table.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The constraint.
    pub constraint: Option<String>,
}

impl DbError {
    /// Whether the first two characters of the SQLSTATE are these.
    pub fn is_class(&self, class: &str) -> bool {
        self.sqlstate.starts_with(class)
    }
}

/// Everything that a call into this module can fail with.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PgError {
    /// The profile, the URL or a certificate's file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No connection could be made.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        /// Where, without user or password.
        server: String,
        /// The system's words.
        reason: String,
        /// Its kind.
        kind: io::ErrorKind,
    },
    /// The server did not answer in time while the connection was made.
    #[error("{server} did not answer within {} s", after.as_secs_f32())]
    ConnectTimeout {
        /// Where.
        server: String,
        /// `connect_timeout`.
        after: Duration,
    },
    /// TLS could not be agreed on.
    #[error("no secure connection to {server}: {reason}")]
    Tls {
        /// Where.
        server: String,
        /// Why.
        reason: String,
    },
    /// The server refused or failed a statement, or the login.
    #[error("{}", .0.message)]
    Server(Box<DbError>),
    /// The connection ended under a statement.
    #[error("the connection to {server} was lost: {reason}")]
    Lost {
        /// Where.
        server: String,
        /// Why, as far as is known.
        reason: String,
    },
    /// A proxy between us and the server gives each transaction another session.
    #[error("{server} does not keep a session between transactions")]
    TransactionPooling {
        /// Where.
        server: String,
    },
    /// What the driver could not make sense of.
    #[error("{0}")]
    Protocol(String),
}

impl PgError {
    /// What the server said, if it said anything.
    pub fn db(&self) -> Option<&DbError> {
        match self {
            Self::Server(error) => Some(error),
            _ => None,
        }
    }

    /// The SQLSTATE, if the server gave one.
    pub fn sqlstate(&self) -> Option<&str> {
        self.db().map(|error| error.sqlstate.as_str())
    }

    /// Whether the connection is gone: nothing more can be sent on it, and an open
    /// transaction is rolled back.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Lost { .. } => true,
            Self::Server(error) => error.severity == "FATAL" || error.severity == "PANIC",
            _ => false,
        }
    }

    /// Whether the same work may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Server(error) => is_transient(error),
            Self::Lost { .. } | Self::ConnectTimeout { .. } => true,
            Self::Unreachable { kind, .. } => *kind != io::ErrorKind::InvalidInput,
            _ => false,
        }
    }

    /// From the driver's error, for SQL that was sent (`None` while connecting).
    pub(super) fn from_driver(
        error: &tokio_postgres::Error,
        server: &str,
        sql: Option<&str>,
    ) -> Self {
        if let Some(db) = error.as_db_error() {
            let mut db = db_error(db, sql);
            db.server = sql.is_none().then(|| server.to_owned());
            return Self::Server(Box::new(db));
        }
        let reason = reasons(error);
        let server = server.to_owned();
        let io = error
            .source()
            .and_then(|source| source.downcast_ref::<io::Error>());
        match (error.to_string().as_str(), sql) {
            ("error performing TLS handshake", _) => Self::Tls { server, reason },
            ("error connecting to server", _) => Self::Unreachable {
                server,
                reason,
                kind: io.map_or(io::ErrorKind::Other, io::Error::kind),
            },
            ("invalid configuration" | "authentication error", None) => Self::Protocol(reason),
            (_, None) if io.is_some() || error.is_closed() => Self::Unreachable {
                server,
                reason,
                kind: io.map_or(io::ErrorKind::ConnectionReset, io::Error::kind),
            },
            (_, Some(_)) if io.is_some() || error.is_closed() => Self::Lost { server, reason },
            _ => Self::Protocol(reason),
        }
    }
}

/// Whether a statement that failed so may succeed when its transaction is run again:
/// classes 08 and 40, 53300, 55P03, 57P0x, and 25P03, by which the server ends a session that
/// idled in a transaction. A full disk (53100) is none.
pub fn is_transient(error: &DbError) -> bool {
    error.is_class("08")
        || error.is_class("40")
        || error.is_class("57P0")
        || ["25P03", "53300", "55P03"].contains(&error.sqlstate.as_str())
}

/// How long to wait before a further attempt, from 0: doubles from 0.1 s to 5 s, each with
/// a random part, so that several nodes do not come back at one moment.
pub fn backoff(attempt: u32) -> Duration {
    let base = 100u64.saturating_mul(1 << attempt.min(10)).min(5_000);
    Duration::from_millis(base / 2 + rand::random_range(0..=base / 2))
}

/// The innermost text of an error chain, which is the one that tells.
fn reasons(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    // The number says nothing that the words do not.
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

fn db_error(db: &tokio_postgres::error::DbError, sql: Option<&str>) -> DbError {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let (position, internal_query) = match db.position() {
        Some(ErrorPosition::Original(position)) => {
            (sql.map(|sql| byte_offset(sql, *position)), None)
        }
        Some(ErrorPosition::Internal { query, .. }) => (None, Some(query.clone())),
        None => (None, None),
    };
    DbError {
        sqlstate: db.code().code().to_owned(),
        severity: db
            .parsed_severity()
            .map_or_else(|| db.severity().to_owned(), |s| s.to_string()),
        message: db.message().to_owned(),
        detail: owned(db.detail()),
        hint: owned(db.hint()),
        position,
        sql: owned(sql),
        server: None,
        internal_query,
        context: owned(db.where_()),
        schema: owned(db.schema()),
        table: owned(db.table()),
        column: owned(db.column()),
        constraint: owned(db.constraint()),
    }
}

/// Postgres counts characters from 1.
fn byte_offset(sql: &str, position: u32) -> usize {
    sql.char_indices()
        .nth((position as usize).saturating_sub(1))
        .map_or(sql.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(sqlstate: &str) -> DbError {
        DbError {
            sqlstate: sqlstate.to_owned(),
            ..DbError::default()
        }
    }

    #[test]
    fn transient_states_are_those_that_time_may_heal() {
        for transient in [
            "08006", "40001", "40P01", "25P03", "53300", "55P03", "57P01", "57P03",
        ] {
            assert!(is_transient(&state(transient)), "{transient}");
        }
        for lasting in ["53100", "53200", "57014", "42P01", "23505", "28P01"] {
            assert!(!is_transient(&state(lasting)), "{lasting}");
        }
    }

    #[test]
    fn a_position_counts_characters_and_becomes_bytes() {
        assert_eq!(byte_offset("select 'é', x", 13), 13);
        assert_eq!(byte_offset("x", 1), 0);
        assert_eq!(byte_offset("x", 99), 1);
    }

    #[test]
    fn backoff_grows_to_its_bound() {
        assert!(backoff(0) <= Duration::from_millis(100));
        assert!(backoff(30) <= Duration::from_secs(5));
        assert!(backoff(30) >= Duration::from_millis(2_500));
    }
}
