//! The end of a run at a glance: what went wrong again with its file, the counts in one
//! line, and what to do next.

use std::collections::HashMap;
use std::time::Duration;

use super::format::{clip, count, duration, width};
use super::style::{Style, Tone};
use super::wording::{Tally, below_first, reason};
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
    tally: Tally,
    failures: Vec<Failure>,
    /// How nodes that may still be published ended.
    built: HashMap<NodeId, Status>,
}

impl Summary {
    pub(super) fn new(command: &str) -> Self {
        Self {
            command: command.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn warning(&mut self) {
        self.tally.warnings += 1;
    }

    pub(super) fn stop(&mut self) {
        self.tally.stopped = true;
    }

    /// Counts a finished node and remembers it if it went wrong.
    pub(super) fn add(&mut self, node: &NodeId, label: &str, outcome: &Outcome) {
        self.tally.add(outcome.status);
        if outcome.status == Status::Success {
            self.built.insert(node.clone(), outcome.status);
        }
        if matches!(outcome.status, Status::Fail | Status::Error) {
            self.failures.push(Failure {
                node: node.clone(),
                label: label.to_owned(),
                status: outcome.status,
                reason: reason(outcome),
                file: outcome
                    .file
                    .as_ref()
                    .map(|path| format!("{}{}", path.display(), below_first(outcome.line))),
            });
        }
    }

    /// Nodes that were built could not be published.
    pub(super) fn unpublished(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            if let Some(status) = self.built.remove(node) {
                self.tally.take_back(status);
            }
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
        let (tone, word) = self.tally.verdict();
        let word = style.paint(tone, word);
        format!("{word} in {}: {}\n", duration(elapsed), self.tally.said())
    }

    /// What a person does next; `None` where it is theirs alone to know.
    fn next(&self) -> Option<String> {
        let command = &self.command;
        if self.failures.is_empty() {
            let next = match command.as_str() {
                _ if self.tally.is_bad() => return None,
                "seed" => "marts run",
                "run" => "marts test",
                _ => return None,
            };
            return (self.tally.built > 0).then(|| next.to_owned());
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
        let is_hook = first.node.as_str().starts_with("operation.");
        if let (Some(file), true) = (&first.file, is_hook) {
            return Some(format!("mend {file}, then marts {command}"));
        }
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
