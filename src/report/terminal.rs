//! The screen: a line per finished node, what went wrong in full below its line, a summary.
//!
//! Everything goes to the one writer that was given (stderr in the program); the bar is on
//! a terminal only.

use std::io::Write;
use std::time::Duration;

use super::Reporter;
use super::format::{count, duration, one_line, thousands};
use super::layout::{Layout, Parts};
use super::line_writer::LineWriter;
use super::progress::Progress;
use super::publication;
use super::style::{Style, Tone};
use super::summary::Summary;
use super::table::{Fit, Grid};
use crate::event::{Event, Outcome, Sample, Status};
use crate::names::NodeId;

/// So many sample rows are shown below a failing test.
const SAMPLE_ROWS: usize = 5;
/// So many nodes in a row that are skipped for one reason have a line each.
const SKIPS: u64 = 3;

/// Events as lines for people.
pub struct Terminal {
    out: LineWriter,
    style: Style,
    progress: Progress,
    layout: Layout,
    summary: Summary,
    skips: Skips,
    /// Whether an empty line was the last thing said.
    spaced: bool,
    /// Whether the last thing said was about publishing, whose lines stand together.
    in_aside: bool,
}

/// Nodes in a row that were skipped for one reason.
#[derive(Default)]
struct Skips {
    reason: String,
    count: u64,
}

/// A finished node, as its event tells it.
struct Finished<'a> {
    node: &'a NodeId,
    kind: &'a str,
    label: &'a str,
    index: usize,
    outcome: &'a Outcome,
}

impl Terminal {
    /// Writes to `out`, whose end looks like `style`; `progress` animates the same end.
    pub fn new(out: Box<dyn Write + Send>, style: Style, progress: Progress) -> Self {
        Self {
            out: LineWriter::new(out),
            style,
            progress,
            layout: Layout::new(0, style),
            summary: Summary::default(),
            skips: Skips::default(),
            spaced: true,
            in_aside: false,
        }
    }

    fn say(&mut self, text: &str) {
        let Self { out, progress, .. } = self;
        self.spaced = text.ends_with("\n\n");
        self.in_aside = false;
        progress.above(|| out.write(text));
    }

    fn run_started(&mut self, command: &str, nodes: usize, threads: usize, target: &str) {
        self.layout = Layout::new(nodes, self.style);
        self.summary = Summary::new(command);
        if !self.style.quiet {
            let name = self.style.paint(Tone::Strong, &format!("marts {command}"));
            let nodes = count(nodes as u64, "node");
            let threads = count(threads as u64, "thread");
            self.say(&format!("{name}: {nodes}, {threads}, target {target}\n\n"));
        }
        self.progress.start(nodes, self.style);
    }

    fn node_finished(&mut self, finished: &Finished<'_>) {
        let Finished { label, outcome, .. } = finished;
        self.progress.finished(label);
        self.summary.add(finished.node, label, outcome);
        let wrong = matches!(outcome.status, Status::Fail | Status::Error);
        if self.style.quiet && !wrong || self.is_one_of_many(outcome) {
            return;
        }
        let mut text = self.line(finished);
        text.push('\n');
        if outcome.status != Status::Skipped {
            text.push_str(&self.details(outcome));
        }
        self.say(&text);
    }

    /// Whether a node is skipped for the reason that lines above have already given.
    fn is_one_of_many(&mut self, outcome: &Outcome) -> bool {
        if !matches!(outcome.status, Status::Skipped | Status::Cancelled) {
            return false;
        }
        let reason = outcome.message.as_deref().unwrap_or("");
        if self.skips.reason != reason {
            self.close_skips();
            self.skips.reason = reason.to_owned();
        }
        self.skips.count += 1;
        self.skips.count > SKIPS
    }

    /// Says how many were skipped without a line of their own.
    fn close_skips(&mut self) {
        let Skips { reason, count } = std::mem::take(&mut self.skips);
        if count > SKIPS {
            let more = format!("and {} more skipped ({reason})", thousands(count - SKIPS));
            let more = self.style.paint(Tone::Faint, &more);
            self.say(&indented(&more, self.layout.indent()));
        }
    }

    fn line(&self, finished: &Finished<'_>) -> String {
        let outcome = finished.outcome;
        let mut label = one_line(finished.label);
        let right = match outcome.status {
            Status::Skipped | Status::Cancelled => {
                if let Some(reason) = &outcome.message {
                    label = format!("{label}  ({})", one_line(reason.trim()));
                }
                String::new()
            }
            _ => self.numbers(outcome),
        };
        let parts = Parts {
            index: finished.index,
            status: status_word(outcome.status),
            kind: finished.kind,
            label: &label,
            right,
        };
        self.layout.line(&parts, self.style)
    }

    /// Rows and time, as they stand at the right edge.
    fn numbers(&self, outcome: &Outcome) -> String {
        let rows = match (outcome.status, outcome.failures, outcome.rows) {
            (Status::Fail | Status::Warn, Some(failures), _) if !outcome.tells_itself() => {
                count(failures, "row")
            }
            (_, _, Some(rows)) => count(rows, "row"),
            _ => String::new(),
        };
        format!("{rows}  {:>7}", duration(outcome.elapsed))
            .trim_start()
            .to_owned()
    }

    /// What stands below the line: the message, and for a test what it expected and found.
    fn details(&self, outcome: &Outcome) -> String {
        let mut text = String::new();
        if let Some(message) = &outcome.message {
            text.push_str(message.trim_matches('\n'));
            text.push('\n');
        }
        if matches!(outcome.status, Status::Fail | Status::Warn | Status::Error) {
            if let Some(expected) = &outcome.expected {
                text.push_str(&self.fact("expected", &one_line(expected)));
            }
            if let (Status::Fail | Status::Warn, Some(failures)) =
                (outcome.status, outcome.failures)
                && !outcome.tells_itself()
            {
                text.push_str(&self.found(failures, outcome.sample.as_ref()));
            }
            // Of a test, the relation is where its failing rows are kept.
            if let (Some(relation), Some(_)) = (&outcome.relation, outcome.failures) {
                let query = format!("select * from {}", one_line(relation));
                text.push_str(&self.fact("all rows", &query));
            }
            text.push_str(&self.places(outcome));
        }
        if text.is_empty() {
            return text;
        }
        indented(&text, self.layout.indent()) + "\n"
    }

    /// The files to look into, but those that the message names itself.
    fn places(&self, outcome: &Outcome) -> String {
        let message = outcome.message.as_deref().unwrap_or("");
        let line = outcome.line.map(|l| format!(":{l}")).unwrap_or_default();
        let places = [
            ("declared in", &outcome.file, line),
            ("compiled SQL", &outcome.compiled_path, String::new()),
        ];
        let paths = places.into_iter().filter_map(|(name, path, line)| {
            let path = path.as_ref()?.display().to_string();
            (!message.contains(&path)).then(|| self.fact(name, &format!("{path}{line}")))
        });
        paths.collect()
    }

    fn fact(&self, name: &str, value: &str) -> String {
        let name = self.style.paint(Tone::Faint, &format!("{name:<12}"));
        format!("{name}  {value}\n")
    }

    fn found(&self, failures: u64, sample: Option<&Sample>) -> String {
        let Some(sample) = sample.filter(|s| !s.rows.is_empty()) else {
            return self.fact("found", &count(failures, "row"));
        };
        let shown = sample.rows.len().min(SAMPLE_ROWS);
        let found = match failures {
            n if n as usize == shown => count(n, "row"),
            n => format!("{}, the first {shown}:", count(n, "row")),
        };
        let mut text = self.fact("found", &found);
        let grid = Grid::new(sample.columns.clone(), sample.rows[..shown].to_vec());
        let style = Style {
            width: self.style.width.map(|_| self.layout.detail_width() - 2),
            ..self.style
        };
        text.push_str(&indented(&grid.text(style, Fit::DropColumns), 2));
        text
    }

    fn warned(&mut self, code: &str, message: &str) {
        self.summary.warning();
        if self.style.quiet {
            return;
        }
        let message = message.trim_end();
        let text = if message.trim_start_matches('\u{1b}').contains("warning") {
            message.to_owned()
        } else {
            let word = self.style.paint(Tone::Caution, "warning");
            format!("{word}[{code}]: {message}")
        };
        self.say(&format!("{text}\n\n"));
    }

    /// What is said between the nodes and the summary, behind an empty line.
    fn aside(&mut self, text: &str) {
        if self.style.quiet || text.is_empty() {
            return;
        }
        let gap = if self.spaced || self.in_aside {
            ""
        } else {
            "\n"
        };
        self.say(&format!("{gap}{text}"));
        self.in_aside = true;
    }

    fn not_published(&mut self, nodes: &[NodeId], reason: &str, failed: bool) {
        let text = publication::not_published(nodes.len(), reason, failed, self.style);
        if failed {
            self.summary.unpublished(nodes);
            let gap = if self.spaced { "" } else { "\n" };
            self.say(&format!("{gap}{text}"));
            self.in_aside = true;
        } else {
            self.aside(&text);
        }
    }

    fn run_finished(&mut self, elapsed: Duration) {
        self.progress.end();
        if !self.style.quiet {
            let gap = if self.spaced { "" } else { "\n" };
            let text = self.summary.text(elapsed, self.style);
            self.say(&format!("{gap}{text}"));
        }
    }
}

impl Reporter for Terminal {
    fn event(&mut self, event: &Event) {
        let skip =
            |outcome: &Outcome| matches!(outcome.status, Status::Skipped | Status::Cancelled);
        if !matches!(event, Event::NodeFinished { outcome, .. } if skip(outcome)) {
            self.close_skips();
        }
        match event {
            Event::RunStarted {
                command,
                nodes,
                threads,
                target,
                ..
            } => self.run_started(command, *nodes, *threads, target),
            Event::NodeStarted { label, .. } => self.progress.started(label),
            Event::NodeFinished {
                node,
                kind,
                label,
                index,
                outcome,
            } => self.node_finished(&Finished {
                node,
                kind,
                label,
                index: *index,
                outcome,
            }),
            Event::Warned { code, message } => self.warned(code, message),
            Event::Logged { message } => {
                if !self.style.quiet {
                    self.say(&format!("{}\n", message.trim_end()));
                }
            }
            Event::Published { nodes, elapsed } => {
                let text = publication::published(nodes.len(), *elapsed, self.style);
                self.aside(&text);
            }
            Event::NotPublished {
                nodes,
                reason,
                failed,
            } => self.not_published(nodes, reason, *failed),
            Event::Changes { changes } => {
                let text = publication::changes(changes, self.style);
                self.aside(&text);
            }
            Event::LedgerWritten { seq, head } => {
                let text = publication::ledger(*seq, head, self.style);
                self.aside(&text);
            }
            // The program's end tells it in full.
            Event::Failed { .. } => {}
            Event::Cancelled => {
                self.summary.stop();
                let text =
                    "Stopping: running statements are cancelled; published data stays as it is.\n";
                let text = self.style.paint(Tone::Caution, text.trim_end());
                self.say(&format!("\n{text}\n"));
            }
            Event::RunFinished { elapsed, .. } => self.run_finished(*elapsed),
        }
    }

    fn finish(&mut self) {
        self.close_skips();
        self.progress.end();
    }
}

fn status_word(status: Status) -> (Tone, &'static str) {
    match status {
        Status::Success => (Tone::Good, "ok"),
        Status::Pass => (Tone::Good, "pass"),
        Status::Warn => (Tone::Caution, "warn"),
        Status::Fail => (Tone::Bad, "FAIL"),
        Status::Error => (Tone::Bad, "ERROR"),
        Status::Skipped => (Tone::Caution, "skip"),
        Status::Cancelled => (Tone::Caution, "stop"),
    }
}

/// Each line of `text` behind `columns` spaces; empty lines stay empty.
fn indented(text: &str, columns: usize) -> String {
    let pad = " ".repeat(columns);
    let mut out = String::with_capacity(text.len() + columns * 8);
    for line in text.lines() {
        if !line.is_empty() {
            out.push_str(&pad);
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
#[path = "terminal_tests.rs"]
pub(super) mod tests;
