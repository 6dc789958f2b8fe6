//! The screen's words for what became visible, what did not, what would change, and the ledger.

use std::time::Duration;

use super::format::{duration, many_lines, plain, thousands};
use super::markdown::by_key;
use super::style::{Style, Tone};
use super::table::{Align, Fit, Grid};
use super::wording::relations;
use crate::event::Change;

/// So many relations have a line in the table of changes.
const LISTED: usize = 40;

/// `Published 78 relations in one transaction, 0.12s`.
pub(super) fn published(nodes: usize, elapsed: Duration, style: Style) -> String {
    let word = style.paint(Tone::Good, "Published");
    let took = duration(elapsed);
    format!("{word} {} in one transaction, {took}\n", relations(nodes))
}

/// Why built relations stay where they are, and that nothing changed for readers.
pub(super) fn not_published(nodes: usize, reason: &str, failed: bool, style: Style) -> String {
    let (tone, word) = if failed {
        (Tone::Bad, "Publishing failed")
    } else {
        (Tone::Caution, "Not published")
    };
    let word = style.paint(tone, word);
    let reason = reason.trim_matches('\n');
    let mut text = format!("{word}: {}\n", relations(nodes));
    for line in reason.lines() {
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str("  What readers see is as it was before this run.\n");
    text
}

/// A table of relations: kind, rows now and then, keys, columns. Those that stay as they are
/// are only counted.
pub(super) fn changes(changes: &[Change], style: Style) -> String {
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

/// One faint line with the head that `marts audit verify` takes.
pub(super) fn ledger(seq: u64, head: &str, style: Style) -> String {
    style.paint(Tone::Faint, &format!("Ledger entry {seq}, head {head}")) + "\n"
}
