//! A run as a whole, gathered from its events: what the formats that are written at the end of
//! a run (JUnit, GitHub, Markdown, HTML) show. Facts only; each format chooses its words.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::lanes::Lanes;
use super::wording::{self, Tally};
use crate::event::{Change, Event, Outcome, Status};
use crate::names::NodeId;

/// A run so far.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// The command, for example `build`; empty if the run did not begin.
    pub command: String,
    /// The invocation's id.
    pub run_id: String,
    /// The target and its server, for people.
    pub target: String,
    /// Nodes at once.
    pub threads: usize,
    /// When the first event came.
    pub began: Timestamp,
    /// Time from start to end.
    pub elapsed: Duration,
    /// Finished nodes, in order of finishing.
    pub items: Vec<Item>,
    /// Warnings beside the nodes.
    pub warnings: Vec<Notice>,
    /// What ended the command beside its nodes.
    pub problems: Vec<Notice>,
    /// How many relations became visible, and the time of those transactions.
    pub published: (usize, Duration),
    /// Why built relations stay unpublished: reason, how many, whether publishing itself failed.
    pub unpublished: Vec<(String, usize, bool)>,
    /// What a publication changes or would change.
    pub changes: Vec<Change>,
    /// The ledger's last entry and its hash.
    pub ledger: Option<(u64, String)>,
    /// Whether the user stopped it.
    pub stopped: bool,
    places: HashMap<NodeId, usize>,
    running: HashMap<NodeId, Timestamp>,
    lanes: Lanes,
    empty: bool,
}

/// A finished node.
#[derive(Clone, Debug)]
pub struct Item {
    /// Which.
    pub node: NodeId,
    /// What it is, for example `table model`.
    pub kind: String,
    /// Its name for people.
    pub label: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When it was started; `None` if it never was.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Timestamp,
    /// Its place among the nodes that ran at the same time, from 0.
    pub lane: usize,
    /// What became of its candidate.
    pub publication: Publication,
}

/// What became of a built relation's candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Publication {
    /// Nothing is told: it was visible at once, or there is none.
    #[default]
    Untold,
    /// Readers see it.
    Published,
    /// Held back by a gate or a dry run, with the reason.
    HeldBack(String),
    /// Publishing went wrong, with the reason.
    Failed(String),
}

/// Something told beside the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The stable code.
    pub code: String,
    /// One sentence.
    pub title: String,
    /// The whole text, without colours.
    pub text: String,
    /// The file to look into, relative to the project.
    pub file: Option<PathBuf>,
    /// The line of that file, from 1.
    pub line: Option<usize>,
}

impl Item {
    /// Whether it is a test of any kind.
    pub fn is_test(&self) -> bool {
        is_test(&self.node)
    }

    /// Whether it went wrong; a relation that could not be published did.
    pub fn is_bad(&self) -> bool {
        matches!(self.outcome.status, Status::Fail | Status::Error)
            || matches!(self.publication, Publication::Failed(_))
    }

    /// How it ended, in the words of the screen.
    pub fn word(&self) -> &'static str {
        match (&self.publication, self.outcome.status) {
            (Publication::Failed(_), _) => "not published",
            (_, Status::Success) => "ok",
            (_, Status::Pass) => "pass",
            (_, Status::Warn) => "warn",
            (_, Status::Fail) => "fail",
            (_, Status::Error) => "error",
            (_, Status::Skipped) => "skipped",
            (_, Status::Cancelled) => "stopped",
        }
    }

    /// Its name without package and hash: what `--select` takes.
    pub fn name(&self) -> &str {
        node_name(&self.node)
    }

    /// One line on why it is not simply fine.
    pub fn reason(&self) -> String {
        match &self.publication {
            Publication::Failed(reason) => wording::first_line(reason),
            _ => wording::reason(&self.outcome),
        }
    }

    /// The message without colours.
    pub fn message(&self) -> Option<String> {
        let message = self.outcome.message.as_deref()?;
        Some(super::format::plain(message).trim_end().to_owned())
    }
}

/// Whether a node is a data test or a unit test.
pub fn is_test(node: &NodeId) -> bool {
    let id = node.as_str();
    id.starts_with("test.") || id.starts_with("unit_test.")
}

/// The name by which `--select` finds a node: the third part of its unique id.
pub fn node_name(node: &NodeId) -> &str {
    let id = node.as_str();
    let name = id.splitn(3, '.').nth(2).unwrap_or(id);
    match name.rsplit_once('.') {
        Some((name, _hash)) if id.starts_with("test.") => name,
        _ => name,
    }
}

impl Digest {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            empty: true,
            ..Self::default()
        }
    }

    /// Takes the next event, which came at `now`.
    pub fn take(&mut self, event: &Event, now: Timestamp) {
        if self.empty {
            (self.began, self.empty) = (now, false);
        }
        match event {
            Event::RunStarted { .. } => self.run_started(event),
            Event::NodeStarted { node, .. } => {
                self.lanes.begin(node);
                self.running.insert(node.clone(), now);
            }
            Event::NodeFinished { .. } => self.node_finished(event, now),
            Event::Warned { code, message } => self.warnings.push(Notice::warning(code, message)),
            Event::Failed { .. } => self.problems.extend(Notice::problem(event)),
            Event::Published { nodes, elapsed } => {
                self.published.0 += nodes.len();
                self.published.1 += *elapsed;
                self.mark(nodes, &Publication::Published);
            }
            Event::NotPublished {
                nodes,
                reason,
                failed,
            } => self.not_published(nodes, reason, *failed),
            Event::Changes { changes } => self.changes.extend_from_slice(changes),
            Event::LedgerWritten { seq, head } => self.ledger = Some((*seq, head.clone())),
            Event::Cancelled => self.stopped = true,
            Event::RunFinished { elapsed, .. } => self.elapsed = *elapsed,
            Event::Logged { .. } => {}
        }
    }

    /// How many ended how.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally {
            warnings: self.warnings.len() as u64,
            problems: self.problems.len() as u64,
            stopped: self.stopped,
            ..Tally::default()
        };
        for item in &self.items {
            tally.add(item.outcome.status);
            if matches!(item.publication, Publication::Failed(_)) {
                tally.take_back(item.outcome.status);
            }
        }
        // A publication may fail for relations that this run did not build.
        if tally.unpublished == 0 && self.unpublished.iter().any(|(.., failed)| *failed) {
            tally.problems += 1;
        }
        tally
    }

    /// What went wrong, worst first: errors, then failed tests by their rows.
    pub fn failures(&self) -> Vec<&Item> {
        let mut bad: Vec<&Item> = self.items.iter().filter(|item| item.is_bad()).collect();
        let rank = |item: &Item| match item.outcome.status {
            Status::Error => 0,
            Status::Fail => 1,
            _ => 2,
        };
        bad.sort_by_key(|item| {
            (
                rank(item),
                std::cmp::Reverse(item.outcome.failures.unwrap_or(0)),
            )
        });
        bad
    }

    /// Nodes that ended so.
    pub fn ended(&self, status: Status) -> impl Iterator<Item = &Item> {
        self.items
            .iter()
            .filter(move |item| item.outcome.status == status)
    }

    /// A finished node.
    pub fn item(&self, node: &NodeId) -> Option<&Item> {
        self.items.get(*self.places.get(node)?)
    }

    fn run_started(&mut self, event: &Event) {
        if let Event::RunStarted {
            command,
            run_id,
            threads,
            target,
            ..
        } = event
        {
            self.command.clone_from(command);
            self.run_id.clone_from(run_id);
            self.target.clone_from(target);
            self.threads = *threads;
        }
    }

    fn node_finished(&mut self, event: &Event, now: Timestamp) {
        let Event::NodeFinished {
            node,
            kind,
            label,
            outcome,
            ..
        } = event
        else {
            return;
        };
        self.places.insert(node.clone(), self.items.len());
        self.items.push(Item {
            node: node.clone(),
            kind: kind.clone(),
            label: label.clone(),
            outcome: outcome.clone(),
            started: self.running.remove(node),
            ended: now,
            lane: self.lanes.end(node),
            publication: Publication::Untold,
        });
    }

    fn not_published(&mut self, nodes: &[NodeId], reason: &str, failed: bool) {
        let reason = super::format::plain(reason).trim().to_owned();
        let publication = if failed {
            Publication::Failed(reason.clone())
        } else {
            Publication::HeldBack(reason.clone())
        };
        self.mark(nodes, &publication);
        self.unpublished.push((reason, nodes.len(), failed));
    }

    fn mark(&mut self, nodes: &[NodeId], publication: &Publication) {
        for node in nodes {
            if let Some(at) = self.places.get(node) {
                self.items[*at].publication = publication.clone();
            }
        }
    }
}

impl Notice {
    fn warning(code: &str, message: &str) -> Self {
        let place = wording::place(message);
        Self {
            code: code.to_owned(),
            title: wording::first_line(message),
            text: super::format::plain(message).trim_end().to_owned(),
            line: place.as_ref().and_then(|(_, line)| *line),
            file: place.map(|(path, _)| PathBuf::from(path)),
        }
    }

    fn problem(event: &Event) -> Option<Self> {
        let Event::Failed {
            code,
            message,
            text,
            file,
            line,
        } = event
        else {
            return None;
        };
        Some(Self {
            code: code.clone(),
            title: super::format::one_line(&super::format::plain(message)),
            text: super::format::plain(text).trim_end().to_owned(),
            file: file.clone(),
            line: *line,
        })
    }
}
