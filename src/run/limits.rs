//! The time limits of a node: set on its own session, and named by the error of a statement
//! that ran into one. The pool takes them off before the session's next use.

use std::time::Duration;

use super::session::{CANCELLED, RunSession};
use crate::diag::{Diagnostic, codes};
use crate::graph::Node;
use crate::limits::show;
use crate::pg::{ConnectConfig, PgError};
use crate::project::TimeLimit;
use crate::session::SessionError;

/// SQLSTATE of a lock that was not to be had in time, and of a transaction that idled too long.
const LOCK_NOT_AVAILABLE: &str = "55P03";
const IDLED: &str = "25P03";

/// What limits a node's statements, and who.
pub(super) struct NodeLimits {
    /// For people: ``model `orders` ``.
    node: String,
    own: Vec<TimeLimit>,
    /// The target's, where the node has none of its own.
    of_target: Vec<(&'static str, Duration)>,
}

impl NodeLimits {
    /// Those of a node on connections of this configuration.
    pub(super) fn new(node: &Node, target: &ConnectConfig) -> Self {
        let all = [
            ("statement_timeout", target.statement_timeout),
            ("lock_timeout", target.lock_timeout),
            (
                "idle_in_transaction_session_timeout",
                target.idle_in_transaction_session_timeout,
            ),
        ];
        let of_target = all.into_iter().filter_map(|(setting, limit)| {
            let limit = limit.filter(|limit| !limit.is_zero())?;
            Some((setting, limit))
        });
        Self {
            node: format!("{} `{}`", node.kind.as_str(), node.name),
            own: node.config.limits.clone(),
            of_target: of_target.collect(),
        }
    }

    /// Statements that set the node's own; `None` when it has none.
    fn statement(&self) -> Option<String> {
        let set = |own: &TimeLimit| format!("set {} = {}", own.setting, own.limit.as_millis());
        let all: Vec<String> = self.own.iter().map(set).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Says which limit a statement ran into, and where that was set.
    pub(super) fn explain(&self, error: &PgError, diagnostic: Diagnostic) -> Diagnostic {
        let Some(setting) = setting(error) else {
            return diagnostic;
        };
        let did = match setting {
            "statement_timeout" => "ran longer than",
            "lock_timeout" => "waited for a lock longer than",
            _ => "left a transaction idle longer than",
        };
        let own = self.own.iter().find(|own| own.setting == setting);
        let of_target = self.of_target.iter().find(|(name, _)| *name == setting);
        let (limit, whose) = match (own, of_target) {
            (Some(own), _) => (show(own.limit), "its config"),
            (None, Some((_, limit))) => (show(*limit), "the target in profiles.yml"),
            // Of the role, the database or the server; or NOWAIT in the node's own SQL.
            (None, None) => return diagnostic,
        };
        let message = format!("{} {did} its {setting} of {limit}", self.node);
        let mut limited = Diagnostic::error(codes::SQL_LIMIT, message);
        limited.notes = diagnostic.notes;
        limited.file = diagnostic.file;
        limited = match own.and_then(|own| own.place) {
            Some(place) => limited.at(place, "set here"),
            None => limited.note(format!("the limit is set by {whose}")),
        };
        limited.hint(match setting {
            "lock_timeout" => "see pg_stat_activity for who holds the lock, or raise the limit",
            _ => "make the query faster, or raise the limit",
        })
    }
}

/// The setting that ended a statement. The server's words decide only where a SQLSTATE means
/// several things, and may be of any language.
fn setting(error: &PgError) -> Option<&'static str> {
    let db = error.db()?;
    match db.sqlstate.as_str() {
        CANCELLED if !db.message.contains("user request") => Some("statement_timeout"),
        LOCK_NOT_AVAILABLE if !db.message.contains("could not obtain lock") => Some("lock_timeout"),
        IDLED => Some("idle_in_transaction_session_timeout"),
        _ => None,
    }
}

impl RunSession {
    /// Sets the node's own limits; sends nothing when it has none.
    pub(super) async fn set_limits(&self) -> Result<(), SessionError> {
        let statement = self.limits.as_ref().and_then(|limits| limits.statement());
        match statement {
            Some(sql) => {
                let set = self.connection.execute(&sql).await;
                set.map(|_| ())
                    .map_err(|error| self.error(error, "".into()))
            }
            None => Ok(()),
        }
    }
}
