//! GitHub annotations: workflow commands that GitHub shows at the file and line of a change.
//!
//! A step shows ten annotations of a level, so the worst come first and the tenth counts the rest.

use super::details::sample_lines;
use super::digest::{Digest, Item, Notice, Publication};
use super::format::{count, shorten};
use super::places::Places;
use super::wording::first_line;
use crate::event::Status;

/// What GitHub shows of one level and step.
const SHOWN: usize = 10;
/// Sample rows in an annotation.
const ROWS: usize = 3;

/// One annotation, not yet escaped.
struct Annotation {
    level: &'static str,
    title: String,
    message: String,
    file: Option<String>,
    line: Option<usize>,
}

/// All annotations of a run, a line each.
pub(super) fn annotations(digest: &Digest, places: &Places) -> String {
    let mut errors: Vec<Annotation> = digest
        .problems
        .iter()
        .map(|notice| of_notice("error", notice, places))
        .collect();
    errors.extend(refusals(digest));
    let failures = digest.failures();
    let failures = failures
        .iter()
        .filter(|item| !matches!(item.publication, Publication::Failed(_)));
    errors.extend(failures.map(|item| of_item("error", item, places)));
    let warned = digest.ended(Status::Warn);
    let mut warnings: Vec<Annotation> = warned
        .map(|item| of_item("warning", item, places))
        .collect();
    let beside = digest.warnings.iter();
    warnings.extend(beside.map(|notice| of_notice("warning", notice, places)));
    let mut text = String::new();
    for annotation in capped(errors, "error")
        .iter()
        .chain(&capped(warnings, "warning"))
    {
        text.push_str(&annotation.line());
    }
    text
}

/// Publishing that went wrong: one annotation for all its relations.
fn refusals(digest: &Digest) -> impl Iterator<Item = Annotation> {
    let refused = digest.unpublished.iter().filter(|(.., failed)| *failed);
    refused.map(|(reason, nodes, _)| Annotation {
        level: "error",
        title: format!("{} not published", count(*nodes as u64, "relation")),
        message: shorten(reason, 4_000),
        file: None,
        line: None,
    })
}

/// At most ten; the tenth says how many more there are.
fn capped(mut all: Vec<Annotation>, level: &'static str) -> Vec<Annotation> {
    if all.len() <= SHOWN {
        return all;
    }
    let more = all.split_off(SHOWN - 1).len() as u64;
    all.push(Annotation {
        level,
        title: format!("and {}", count(more, &format!("more {level}"))),
        message: "GitHub shows ten of a level; the step's summary and the log have all of them"
            .to_owned(),
        file: None,
        line: None,
    });
    all
}

fn of_item(level: &'static str, item: &Item, places: &Places) -> Annotation {
    let outcome = &item.outcome;
    let is_verdict = matches!(outcome.status, Status::Fail | Status::Warn);
    let mut lines = Vec::new();
    if let Some(expected) = outcome.expected.as_ref().filter(|_| is_verdict) {
        lines.push(format!("expected {}", first_line(expected)));
    }
    if let Some(sample) = &outcome.sample {
        lines.extend(sample_lines(sample, ROWS));
    }
    if let Some(message) = item.message() {
        lines.push(shorten(&message, 4_000));
    }
    let what = match outcome.failures.filter(|_| is_verdict) {
        Some(failures) => count(failures, "row"),
        None => first_line(outcome.message.as_deref().unwrap_or("failed")),
    };
    if lines.is_empty() {
        lines.push(what.clone());
    }
    Annotation {
        level,
        title: format!("{}: {what}", item.name()),
        message: lines.join("\n"),
        file: outcome.file.as_deref().map(|file| places.path(file)),
        line: outcome.line,
    }
}

fn of_notice(level: &'static str, notice: &Notice, places: &Places) -> Annotation {
    Annotation {
        level,
        title: notice.title.clone(),
        message: shorten(&notice.text, 4_000),
        file: notice.file.as_deref().map(|file| places.path(file)),
        line: notice.line,
    }
}

impl Annotation {
    fn line(&self) -> String {
        let mut properties = Vec::new();
        if let Some(file) = &self.file {
            properties.push(format!("file={}", property(file)));
            // Without a line GitHub takes the first one.
            properties.extend(self.line.map(|line| format!("line={line}")));
        }
        properties.push(format!("title={}", property(&shorten(&self.title, 200))));
        format!(
            "::{} {}::{}\n",
            self.level,
            properties.join(","),
            data(&self.message)
        )
    }
}

/// Text behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Text of a `name=value`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
