//! What is known of one node as plain text: the body of a JUnit failure and of an annotation.

use super::digest::{Item, Publication};
use super::format::{clip, count, one_line, shorten};
use super::places::Places;
use super::style::Style;
use super::table::{Fit, Grid};
use crate::event::{Sample, Status};

/// So many sample rows are shown.
const ROWS: usize = 5;
/// The longest value of a row that is written on one line.
const VALUE: usize = 80;

/// Message, expectation, count, sample rows and files, a line each or more.
pub(super) fn text(item: &Item, places: &Places) -> String {
    let mut text = String::new();
    if let Some(message) = item.message() {
        text.push_str(&shorten(&message, 20_000));
        text.push('\n');
    }
    let mut fact = |name: &str, value: &str| {
        text.push_str(&format!("{name:<12}  {value}\n"));
    };
    match &item.publication {
        Publication::Failed(reason) => fact("publishing", reason),
        Publication::HeldBack(reason) => fact("unpublished", reason),
        Publication::Untold | Publication::Published => {}
    }
    let outcome = &item.outcome;
    if let Some(expected) = &outcome.expected {
        fact("expected", &one_line(expected));
    }
    if let Some(thresholds) = &outcome.thresholds {
        fact("thresholds", thresholds);
    }
    if matches!(outcome.status, Status::Fail | Status::Warn)
        && let Some(failures) = outcome.failures
    {
        fact("found", &found(failures, outcome.sample.as_ref()));
    }
    if let Some(file) = &outcome.file {
        let line = outcome.line.map(|l| format!(":{l}")).unwrap_or_default();
        fact("declared in", &format!("{}{line}", places.path(file)));
    }
    if let Some(path) = &outcome.compiled_path {
        fact("compiled SQL", &places.path(path));
    }
    text
}

fn found(failures: u64, sample: Option<&Sample>) -> String {
    let Some(sample) = sample.filter(|s| !s.rows.is_empty()) else {
        return count(failures, "row");
    };
    let shown = sample.rows.len().min(ROWS);
    let grid = Grid::new(sample.columns.clone(), sample.rows[..shown].to_vec());
    let table = grid.text(Style::default(), Fit::DropColumns);
    let table: Vec<String> = table.lines().map(|line| format!("  {line}")).collect();
    format!(
        "{}\n{}",
        rows_shown(failures, shown),
        table.join("\n").trim_end()
    )
}

/// `3 rows`, or `312 rows, the first 5`.
pub(super) fn rows_shown(failures: u64, shown: usize) -> String {
    let all = count(failures, "row");
    if failures as usize == shown {
        all
    } else {
        format!("{all}, the first {shown}")
    }
}

/// The first sample rows as `column=value, …`, one line each.
pub(super) fn sample_lines(sample: &Sample, rows: usize) -> Vec<String> {
    let line = |row: &Vec<Option<String>>| {
        let cells = sample.columns.iter().zip(row).map(|(column, value)| {
            let value = value.as_deref().unwrap_or("NULL");
            format!("{}={}", one_line(column), clip(&one_line(value), VALUE))
        });
        cells.collect::<Vec<_>>().join(", ")
    };
    sample.rows.iter().take(rows).map(line).collect()
}
