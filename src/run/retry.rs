//! Trying a step again when the server's state, not the project, was at fault.
//!
//! Always holds: a step whose work may be there already is tried again only if doing it twice
//! is the same as doing it once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::graph::{Node, ResourceKind};
use crate::pg::backoff;
use crate::session::SessionError;

/// Further attempts where neither node nor target says how many.
const RETRIES: u32 = 2;

/// Whether a commit of a step went through, or may have: its answer was lost.
pub(super) type Committed = Arc<AtomicBool>;

/// The attempts of one step.
pub(super) struct Tries {
    retries: u32,
    tried: u32,
    repeatable: bool,
    committed: Committed,
    last: Option<String>,
}

impl Tries {
    /// None yet. `of_target` is the profile's `node_retries`; the node's own config wins. `anew`:
    /// whatever an earlier attempt made is replaced.
    pub(super) fn new(node: &Node, of_target: Option<u32>, anew: bool) -> Self {
        Self {
            retries: node.config.retries.or(of_target).unwrap_or(RETRIES),
            tried: 0,
            repeatable: anew || is_repeatable(node),
            committed: Committed::default(),
            last: None,
        }
    }

    /// What the sessions of all attempts note their commits in.
    pub(super) fn committed(&self) -> Committed {
        Arc::clone(&self.committed)
    }

    /// After a failed attempt: how long to wait before the next one, if there is to be one.
    pub(super) fn again(&mut self, error: &SessionError) -> Option<Duration> {
        self.tried += 1;
        let safe = self.repeatable || !self.committed.load(Ordering::SeqCst);
        if !error.transient || !safe || self.tried > self.retries {
            return None;
        }
        self.last = Some(error.to_string());
        Some(backoff(self.tried))
    }

    /// For a step that ended well after all: what went before.
    pub(super) fn note(&self) -> Option<String> {
        let last = self.last.as_ref()?;
        let nth = nth(self.tried + 1);
        Some(format!("succeeded at the {nth} try, after: {last}"))
    }

    /// The last failure, with what went before and why it was not tried again.
    pub(super) fn told(&self, mut error: SessionError) -> SessionError {
        let mut diagnostic = *error.diagnostic;
        if self.last.is_some() {
            diagnostic = diagnostic.note(format!("tried {} times", self.tried));
        }
        if error.transient && !self.repeatable && self.committed.load(Ordering::SeqCst) {
            diagnostic = diagnostic.note(
                "not tried again: its rows may be there already, and another time would add them twice",
            );
        }
        error.diagnostic = Box::new(diagnostic);
        error
    }
}

/// Whether building a node twice is the same as building it once.
fn is_repeatable(node: &Node) -> bool {
    let config = &node.config;
    if node.kind != ResourceKind::Model || config.materialized != "incremental" {
        return true;
    }
    match config.incremental_strategy.as_deref() {
        None | Some("delete+insert" | "merge") => !config.unique_key.is_empty(),
        Some("microbatch") => true,
        // Rows are added; what a custom strategy does is not known.
        Some(_) => false,
    }
}

/// Whether a text that is sent ends its transaction by COMMIT.
pub(super) fn commits(text: &str) -> bool {
    let text = text.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    let last = text.len().saturating_sub("commit".len());
    text.get(last..)
        .is_some_and(|word| word.eq_ignore_ascii_case("commit"))
}

fn nth(number: u32) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(retries: u32, repeatable: bool) -> Tries {
        Tries {
            retries,
            tried: 0,
            repeatable,
            committed: Committed::default(),
            last: None,
        }
    }

    fn deadlock() -> SessionError {
        SessionError {
            sqlstate: Some("40P01".into()),
            transient: true,
            ..SessionError::materialization("deadlock detected")
        }
    }

    #[test]
    fn a_transient_failure_is_tried_again_as_often_as_asked() {
        let mut tries = tries(2, true);
        assert!(tries.note().is_none());
        assert!(tries.again(&deadlock()).is_some());
        assert_eq!(
            tries.note().as_deref(),
            Some("succeeded at the 2nd try, after: deadlock detected")
        );
        assert!(tries.again(&deadlock()).is_some());
        assert!(tries.again(&deadlock()).is_none());
        assert_eq!(tries.told(deadlock()).diagnostic.notes, ["tried 3 times"]);
    }

    #[test]
    fn a_lasting_failure_is_not_tried_again() {
        assert!(
            tries(2, true)
                .again(&SessionError::materialization("no"))
                .is_none()
        );
        assert!(tries(0, true).again(&deadlock()).is_none());
    }

    #[test]
    fn what_may_have_been_committed_is_not_added_twice() {
        let mut once = tries(2, false);
        assert!(once.again(&deadlock()).is_some());
        once.committed().store(true, Ordering::SeqCst);
        assert!(once.again(&deadlock()).is_none());
        let told = once.told(deadlock()).diagnostic.notes.join("; ");
        assert!(told.contains("not tried again"), "{told}");
        let mut twice = tries(2, true);
        twice.committed().store(true, Ordering::SeqCst);
        assert!(twice.again(&deadlock()).is_some());
    }

    #[test]
    fn a_commit_at_the_end_of_a_text_is_seen() {
        for text in [
            "commit",
            "begin; insert into t values (1); COMMIT ;\n",
            "x;\n;\ncommit",
        ] {
            assert!(commits(text), "{text}");
        }
        for text in ["", "é", "commi", "select 1", "begin; select 1"] {
            assert!(!commits(text), "{text}");
        }
    }
}
