//! What every format says in the same words: how many nodes ended how, and why one went wrong.

use super::format::{count, one_line, plain, thousands};
use super::style::Tone;
use crate::event::{Outcome, Status};

/// Nodes by how they ended, and what else decides the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Models, seeds and snapshots that were built.
    pub built: u64,
    /// Tests that passed.
    pub passed: u64,
    /// Tests that warned.
    pub warned: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Nodes that could not be built or asked.
    pub errors: u64,
    /// Nodes held back.
    pub skipped: u64,
    /// Nodes stopped.
    pub cancelled: u64,
    /// Built nodes that could not be published; they are among neither `built` nor `errors`.
    pub unpublished: u64,
    /// Warnings beside the nodes.
    pub warnings: u64,
    /// Problems beside the nodes that ended the command.
    pub problems: u64,
    /// Whether the user stopped it.
    pub stopped: bool,
}

impl Tally {
    /// Counts one more node.
    pub fn add(&mut self, status: Status) {
        *self.of(status) += 1;
    }

    /// A node that was counted as built could not be published.
    pub fn take_back(&mut self, status: Status) {
        let counted = self.of(status);
        *counted = counted.saturating_sub(1);
        self.unpublished += 1;
    }

    fn of(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Success => &mut self.built,
            Status::Pass => &mut self.passed,
            Status::Warn => &mut self.warned,
            Status::Fail => &mut self.failed,
            Status::Error => &mut self.errors,
            Status::Skipped => &mut self.skipped,
            Status::Cancelled => &mut self.cancelled,
        }
    }

    /// Whether something went wrong.
    pub fn is_bad(&self) -> bool {
        self.stopped || self.failed + self.errors + self.unpublished + self.problems > 0
    }

    /// The verdict in a word or three, and its tone.
    pub fn verdict(&self) -> (Tone, &'static str) {
        if self.stopped {
            (Tone::Bad, "Stopped")
        } else if self.is_bad() {
            (Tone::Bad, "Failed")
        } else if self.warned + self.warnings > 0 {
            (Tone::Caution, "Done with warnings")
        } else {
            (Tone::Good, "Done")
        }
    }

    /// For example `1 test failed, 2 skipped, 3 built`; what went wrong comes first.
    pub fn said(&self) -> String {
        let counts = [
            (self.problems, "problem", "problems"),
            (self.failed, "test failed", "tests failed"),
            (self.errors, "error", "errors"),
            (self.unpublished, "not published", "not published"),
            (self.skipped, "skipped", "skipped"),
            (self.cancelled, "stopped", "stopped"),
            (self.warned, "test warned", "tests warned"),
            (self.warnings, "warning", "warnings"),
            (self.built, "built", "built"),
            (self.passed, "test passed", "tests passed"),
        ];
        let said: Vec<String> = counts
            .iter()
            .filter(|(number, ..)| *number > 0)
            .map(|(number, one, many)| {
                let noun = if *number == 1 { one } else { many };
                format!("{} {noun}", thousands(*number))
            })
            .collect();
        if said.is_empty() {
            "nothing to do".to_owned()
        } else {
            said.join(", ")
        }
    }
}

/// One line on why: for a failed test its rows and expectation, else the message's first line
/// without the `error[code]: ` that the status already says.
pub fn reason(outcome: &Outcome) -> String {
    if matches!(outcome.status, Status::Fail | Status::Warn) && !outcome.tells_itself() {
        let rows = outcome.failures.map(|n| count(n, "row"));
        let expected = outcome.expected.as_ref().map(|e| format!("expected {e}"));
        let parts: Vec<String> = rows.into_iter().chain(expected).collect();
        if !parts.is_empty() {
            return one_line(&parts.join(", "));
        }
    }
    first_line(outcome.message.as_deref().unwrap_or(""))
}

/// The first line of a message that says something, without its `error[code]: `.
pub fn first_line(message: &str) -> String {
    let message = plain(message);
    let first = message.lines().find(|line| !line.trim().is_empty());
    let first = first.unwrap_or("").trim();
    let bare = ["error", "warning"].iter().find_map(|word| {
        let (code, text) = first.strip_prefix(word)?.split_once(": ")?;
        (code.is_empty() || code.starts_with('[')).then_some(text)
    });
    one_line(bare.unwrap_or(first))
}

/// The place that a rendered message points at: ` --> models/a.sql:3:5`.
pub fn place(message: &str) -> Option<(String, Option<usize>)> {
    let message = plain(message);
    let shown = message
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("--> "))?
        .trim();
    let mut parts = shown.rsplitn(3, ':');
    let (column, line, path) = (parts.next()?, parts.next(), parts.next());
    match (path, line.map(str::parse), column.parse::<usize>()) {
        (Some(path), Some(Ok(line)), Ok(_)) => Some((path.to_owned(), Some(line))),
        _ => Some((shown.to_owned(), None)),
    }
}

/// A count of relations and the verb that agrees with it.
pub fn relations(number: usize) -> String {
    count(number as u64, "relation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_repeated_without_its_code() {
        assert_eq!(
            first_line("error[sql-error]: no such column\n"),
            "no such column"
        );
        assert_eq!(first_line("\n  error in line 3"), "error in line 3");
        assert_eq!(first_line("warning: old"), "old");
    }

    #[test]
    fn the_place_of_a_rendered_message_is_read_back() {
        let at = |text: &str| place(&format!("error: x\n   --> {text}\n    |"));
        assert_eq!(
            at("models/a.sql:3:5"),
            Some(("models/a.sql".into(), Some(3)))
        );
        assert_eq!(
            at("models/a b:c.sql"),
            Some(("models/a b:c.sql".into(), None))
        );
        assert_eq!(place("error: x"), None);
    }

    #[test]
    fn one_is_not_many() {
        let mut tally = Tally::default();
        tally.add(Status::Fail);
        tally.add(Status::Success);
        assert_eq!(tally.said(), "1 test failed, 1 built");
        tally.take_back(Status::Success);
        assert_eq!(tally.said(), "1 test failed, 1 not published");
        assert_eq!(Tally::default().said(), "nothing to do");
    }
}
