//! The screen's words for what became visible, what did not, what would change, and the ledger.
//!
//! Groups of relations are published one by one, so the screen gathers them and says it once,
//! before the summary.

use std::time::Duration;

use super::format::{count, duration, many_lines, plain, thousands};
use super::markdown::by_key;
use super::style::{Style, Tone};
use super::table::{Align, Fit, Grid};
use super::wording::{readers_see, relations};
use crate::event::Change;

/// So many relations have a line in the table of changes.
const LISTED: usize = 40;

/// What a run published, and what it did not.
#[derive(Debug, Default)]
pub(super) struct Publications {
    relations: usize,
    transactions: u64,
    elapsed: Duration,
    held: Vec<Held>,
    changes: Vec<Change>,
    ledger: Option<(u64, String)>,
}

/// Relations that stay unpublished for one reason.
#[derive(Debug)]
struct Held {
    reason: String,
    failed: bool,
    relations: usize,
}

impl Publications {
    pub(super) fn published(&mut self, relations: usize, elapsed: Duration) {
        self.relations += relations;
        self.transactions += 1;
        self.elapsed += elapsed;
    }

    pub(super) fn held_back(&mut self, relations: usize, reason: &str, failed: bool) {
        let reason = reason.trim_matches('\n');
        let same = |held: &&mut Held| held.reason == reason && held.failed == failed;
        match self.held.iter_mut().find(same) {
            Some(held) => held.relations += relations,
            None => self.held.push(Held {
                reason: reason.to_owned(),
                failed,
                relations,
            }),
        }
    }

    pub(super) fn changes(&mut self, changes: &[Change]) {
        self.changes.extend_from_slice(changes);
    }

    pub(super) fn ledger(&mut self, seq: u64, head: &str) {
        self.ledger = Some((seq, head.to_owned()));
    }

    /// All of it as paragraphs, each ending with an empty line; empty if nothing was told. Where
    /// the screen is quiet, only what went wrong.
    pub(super) fn take(&mut self, style: Style) -> String {
        let told = std::mem::take(self);
        let mut text = String::new();
        if !style.quiet {
            text.push_str(&paragraph(&changes(&told.changes, style)));
        }
        for held in told.held.iter().filter(|held| held.failed || !style.quiet) {
            text.push_str(&paragraph(&held.text(style)));
        }
        if style.quiet {
            return text;
        }
        let mut lines = told.published_line(style);
        if let Some((seq, head)) = &told.ledger {
            let line = format!("Ledger entry {seq}, head {head}");
            lines.push_str(&style.paint(Tone::Faint, &line));
            lines.push('\n');
        }
        text + &paragraph(&lines)
    }

    /// `Published 78 relations in one transaction, 0.12s`.
    fn published_line(&self, style: Style) -> String {
        if self.relations == 0 {
            return String::new();
        }
        let how = match self.transactions {
            1 => "one transaction".to_owned(),
            more => count(more, "transaction"),
        };
        let word = style.paint(Tone::Good, "Published");
        let took = duration(self.elapsed);
        format!("{word} {} in {how}, {took}\n", relations(self.relations))
    }
}

impl Held {
    fn text(&self, style: Style) -> String {
        let (tone, word) = if self.failed {
            (Tone::Bad, "Publishing failed")
        } else {
            (Tone::Caution, "Not published")
        };
        let word = style.paint(tone, word);
        let mut text = format!("{word}: {}\n", relations(self.relations));
        for line in self.reason.lines() {
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str(&format!("  {}\n", readers_see(&self.reason)));
        text
    }
}

fn paragraph(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("{text}\n")
}

/// A table of relations: kind, rows now and then, keys, columns. Those that stay as they are
/// are only counted.
fn changes(changes: &[Change], style: Style) -> String {
    let (same, moved): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| change.kind == "same");
    let mut text = String::new();
    if !moved.is_empty() {
        let grid = grid(&moved[..moved.len().min(LISTED)]);
        text.push_str(&grid.text(style, Fit::DropColumns));
        if moved.len() > LISTED {
            let more = thousands((moved.len() - LISTED) as u64);
            text.push_str(&format!("(and {more} more)\n"));
        }
        for change in &moved {
            text.push_str(&said(change, style));
        }
    }
    if !same.is_empty() {
        text.push_str(&format!("{} unchanged\n", relations(same.len())));
    }
    text
}

fn grid(changes: &[&Change]) -> Grid {
    let has_keys = changes.iter().any(|change| change.by_key.is_some());
    let mut headers = vec!["relation", "change", "rows now", "rows then"];
    let mut aligns = vec![Align::Left, Align::Left, Align::Right, Align::Right];
    if has_keys {
        headers.push("by key");
        aligns.push(Align::Right);
    }
    let row = |change: &&Change| {
        let (now, then) = change.rows.unzip();
        let rows = |number: Option<u64>| Some(number.map(thousands).unwrap_or_default());
        let mut row = vec![
            Some(change.relation.clone()),
            Some(change.kind.clone()),
            rows(now),
            rows(then),
        ];
        if has_keys {
            row.push(Some(change.by_key.map(by_key).unwrap_or_default()));
        }
        row
    };
    Grid {
        title: None,
        headers: headers.into_iter().map(str::to_owned).collect(),
        rows: changes.iter().map(row).collect(),
        aligns,
    }
}

/// The columns that come, go or change type, and notes, below the table.
fn said(change: &Change, style: Style) -> String {
    if change.columns.is_empty() && change.notes.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", style.paint(Tone::Strong, &change.relation));
    for column in &change.columns {
        let tone = match column.chars().next() {
            Some('+') => Tone::Good,
            Some('-') => Tone::Bad,
            _ => Tone::Caution,
        };
        let column = many_lines(&plain(column));
        text.push_str(&format!("  {}\n", style.paint(tone, &column)));
    }
    for note in &change.notes {
        text.push_str(&format!("  {}\n", many_lines(&plain(note))));
    }
    text
}
