//! The end of a run at a glance: what went wrong again with its file, the counts in one
//! line, and what to do next.

use std::time::Duration;

use super::format::{clip, count, duration, one_line, width};
use super::style::{Style, Tone};
use crate::event::{Outcome, Status};
use crate::names::NodeId;

/// So many failures are repeated; the rest stands further up and in the artifacts.
const REPEATED: usize = 10;

/// A node that went wrong, as the end of the run repeats it.
#[derive(Clone, Debug)]
struct Failure {
    node: NodeId,
    label: String,
    status: Status,
    reason: String,
    file: Option<String>,
}

/// What the end of a run needs to know of its course.
#[derive(Debug, Default)]
pub(super) struct Summary {
    command: String,
    built: u64,
    passed: u64,
    warned: u64,
    failed: u64,
    errors: u64,
    skipped: u64,
    cancelled: u64,
    warnings: u64,
    stopped: bool,
    failures: Vec<Failure>,
}

impl Summary {
    pub(super) fn new(command: &str) -> Self {
        Self {
            command: command.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn warning(&mut self) {
        self.warnings += 1;
    }

    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Counts a finished node and remembers it if it went wrong.
    pub(super) fn add(&mut self, node: &NodeId, label: &str, outcome: &Outcome) {
        match outcome.status {
            Status::Success => self.built += 1,
            Status::Pass => self.passed += 1,
            Status::Warn => self.warned += 1,
            Status::Fail => self.failed += 1,
            Status::Error => self.errors += 1,
            Status::Skipped => self.skipped += 1,
            Status::Cancelled => self.cancelled += 1,
        }
        if matches!(outcome.status, Status::Fail | Status::Error) {
            self.failures.push(Failure {
                node: node.clone(),
                label: label.to_owned(),
                status: outcome.status,
                reason: reason(outcome),
                file: outcome.file.as_ref().map(|path| path.display().to_string()),
            });
        }
    }

    /// The whole block, ending with a newline.
    pub(super) fn text(&self, elapsed: Duration, style: Style) -> String {
        let mut text = String::new();
        for failure in self.failures.iter().take(REPEATED) {
            text.push_str(&failure.text(style));
        }
        if self.failures.len() > REPEATED {
            let more = (self.failures.len() - REPEATED) as u64;
            text.push_str(&format!(
                "  and {} further up\n",
                count(more, "more failure")
            ));
        }
        if !self.failures.is_empty() {
            text.push('\n');
        }
        text.push_str(&self.headline(elapsed, style));
        if let Some(next) = self.next() {
            text.push_str(&style.paint(Tone::Faint, "Next: "));
            text.push_str(&next);
            text.push('\n');
        }
        text
    }

    fn headline(&self, elapsed: Duration, style: Style) -> String {
        let bad = self.failed + self.errors > 0;
        let (tone, word) = if self.stopped {
            (Tone::Bad, "Stopped")
        } else if bad {
            (Tone::Bad, "Failed")
        } else if self.warned + self.warnings > 0 {
            (Tone::Caution, "Done with warnings")
        } else {
            (Tone::Good, "Done")
        };
        let counts = [
            (self.failed, "test failed", "tests failed"),
            (self.errors, "error", "errors"),
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
                format!("{} {noun}", super::format::thousands(*number))
            })
            .collect();
        let said = if said.is_empty() {
            "nothing to do".to_owned()
        } else {
            said.join(", ")
        };
        let word = style.paint(tone, word);
        format!("{word} in {}: {said}\n", duration(elapsed))
    }

    /// What a person does next; `None` where it is theirs alone to know.
    fn next(&self) -> Option<String> {
        let command = &self.command;
        if self.failures.is_empty() {
            let next = match command.as_str() {
                _ if self.stopped => return None,
                "seed" => "marts run",
                "run" => "marts test",
                _ => return None,
            };
            return (self.built > 0).then(|| next.to_owned());
        }
        if !matches!(
            command.as_str(),
            "build" | "run" | "test" | "seed" | "snapshot"
        ) {
            return None;
        }
        // What is upstream comes first in the order of events, and its repair may cure the rest.
        let first = self.failures.iter().find(|f| f.status == Status::Error);
        let first = first.or(self.failures.first())?;
        let plus = if first.is_test() { "" } else { "+" };
        let again = format!("marts {command} --select {}{plus}", first.name());
        Some(match (&first.file, first.is_test()) {
            (Some(file), false) => format!("mend {file}, then {again}"),
            _ => again,
        })
    }
}

impl Failure {
    fn text(&self, style: Style) -> String {
        let word = match self.status {
            Status::Fail => "FAIL ",
            _ => "ERROR",
        };
        let file = self.file.as_deref().unwrap_or("");
        let room = style.width.unwrap_or(200).saturating_sub(10).max(20);
        // The file stands behind the name, or below it where there is no room.
        let gap = if width(&self.label) + width(file) + 2 <= room {
            "  "
        } else {
            "\n         "
        };
        let gap = if file.is_empty() { "" } else { gap };
        let word = style.paint(Tone::Bad, word);
        let file = style.paint(Tone::Faint, file);
        let mut text = format!("  {word}  {}{gap}{file}\n", self.label);
        if !self.reason.is_empty() {
            text.push_str(&format!("         {}\n", clip(&self.reason, room)));
        }
        text
    }

    fn is_test(&self) -> bool {
        let id = self.node.as_str();
        id.starts_with("test.") || id.starts_with("unit_test.")
    }

    /// The name by which `--select` finds it: the third part of the unique id.
    fn name(&self) -> &str {
        let id = self.node.as_str();
        let name = id.splitn(3, '.').nth(2).unwrap_or(id);
        match name.rsplit_once('.') {
            Some((name, _hash)) if id.starts_with("test.") => name,
            _ => name,
        }
    }
}

/// One line on why: for a failed test its rows and expectation, else the message's first line
/// without the `error[code]: ` that the status already says.
fn reason(outcome: &Outcome) -> String {
    if outcome.status == Status::Fail && !outcome.tells_itself() {
        let rows = outcome.failures.map(|n| count(n, "row"));
        let expected = outcome.expected.as_ref().map(|e| format!("expected {e}"));
        let parts: Vec<String> = rows.into_iter().chain(expected).collect();
        if !parts.is_empty() {
            return one_line(&parts.join(", "));
        }
    }
    let message = outcome.message.as_deref().unwrap_or("");
    let message = anstream::adapter::strip_str(message).to_string();
    let first = message.lines().find(|line| !line.trim().is_empty());
    let first = first.unwrap_or("").trim();
    let bare = first.strip_prefix("error").and_then(|rest| {
        let (code, text) = rest.split_once(": ")?;
        (code.is_empty() || code.starts_with('[')).then_some(text)
    });
    one_line(bare.unwrap_or(first))
}
