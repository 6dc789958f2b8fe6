//! Markdown for the comment of a pull request and for GitHub's step summary: the verdict, what
//! failed with sample rows, what is or would be published.
//!
//! Text from data stands in `<code>` with every mark of Markdown and HTML as an entity, so that
//! no value can make a heading, a link, a mention or an image.

use std::fmt::Write as _;

use super::details::rows_shown;
use super::digest::{Digest, Item, Notice, Publication};
use super::format::{count, duration, many_lines, one_line, shorten, thousands};
use super::places::Places;
use super::wording::{first_line, relations};
use crate::event::{Change, Sample, Status};

/// What GitHub takes as a comment is 65,536 characters; the end is ours.
pub(super) const COMMENT: usize = 65_000;
/// What GitHub takes as a step's summary is a mebibyte.
pub(super) const SUMMARY: usize = 1_000_000;
const ROWS: usize = 5;
const COLUMNS: usize = 12;
const CELL: usize = 120;
/// So many relations, skipped nodes and so on are listed.
const LISTED: usize = 50;

/// A text that grows by whole blocks until the limit.
struct Page {
    text: String,
    limit: usize,
    cut: usize,
}

impl Page {
    /// Adds a block if there is room for it and for the word about what was cut.
    fn add(&mut self, block: &str) {
        const END: usize = 200;
        if self.text.len() + block.len() + END <= self.limit {
            self.text.push_str(block);
        } else {
            self.cut += 1;
        }
    }

    fn end(mut self) -> String {
        if self.cut > 0 {
            let parts = count(self.cut as u64, "more part");
            let _ = writeln!(
                self.text,
                "\n**Cut here:** {parts} of this report did not fit. \
                 `target/run_results.json` and the log have everything."
            );
        }
        self.text
    }
}

/// The whole text, at most `limit` bytes.
pub(super) fn markdown(digest: &Digest, places: &Places, limit: usize) -> String {
    let mut page = Page {
        text: String::from("<!-- marts report -->\n"),
        limit,
        cut: 0,
    };
    page.add(&headline(digest));
    for notice in &digest.problems {
        page.add(&problem(notice, places));
    }
    for (reason, nodes, failed) in &digest.unpublished {
        page.add(&unpublished(reason, *nodes, *failed));
    }
    let failures = digest.failures();
    let failures = failures
        .iter()
        .filter(|item| !matches!(item.publication, Publication::Failed(_)));
    for item in failures {
        page.add(&failure(item, places));
    }
    page.add(&changes(&digest.changes));
    page.add(&listed(digest, "Warned", Status::Warn, places));
    page.add(&listed(digest, "Skipped", Status::Skipped, places));
    for notice in digest.warnings.iter().take(LISTED) {
        page.add(&warning(notice, places));
    }
    page.add(&footer(digest));
    page.end()
}

fn headline(digest: &Digest) -> String {
    let tally = digest.tally();
    let (_, word) = tally.verdict();
    let mark = match word {
        "Done" => "✅",
        "Done with warnings" => "⚠️",
        _ => "❌",
    };
    let command = match digest.command.as_str() {
        "" => "marts".to_owned(),
        command => format!("marts {command}"),
    };
    let mut text = format!("## {mark} {command}: {}\n\n", word.to_lowercase());
    let _ = writeln!(text, "{} in {}.", tally.said(), duration(digest.elapsed));
    if digest.published.0 > 0 {
        let _ = writeln!(text, "\nPublished {}.", relations(digest.published.0));
    }
    text
}

fn problem(notice: &Notice, places: &Places) -> String {
    let place = place(notice.file.as_deref(), notice.line, places);
    format!(
        "\n### {}\n\n{place}{}",
        escaped(&notice.title),
        fenced(&notice.text)
    )
}

fn unpublished(reason: &str, nodes: usize, failed: bool) -> String {
    let word = if failed {
        "Publishing failed"
    } else {
        "Not published"
    };
    let mut text = format!(
        "\n### {word}: {}\n\nWhat readers see is as it was before this run.\n",
        relations(nodes)
    );
    text.push_str(&fenced(reason));
    text
}

fn failure(item: &Item, places: &Places) -> String {
    let outcome = &item.outcome;
    let mut text = format!("\n### {} `{}`\n\n", kind(item), tick(item.name()));
    text.push_str(&place(outcome.file.as_deref(), outcome.line, places));
    if outcome.status == Status::Fail {
        if let Some(expected) = &outcome.expected {
            let _ = writeln!(text, "Expected {}\n", code(expected));
        }
        if let Some(thresholds) = &outcome.thresholds {
            let _ = writeln!(text, "Thresholds: {}\n", code(thresholds));
        }
        if let Some(failures) = outcome.failures {
            text.push_str(&found(failures, outcome.sample.as_ref()));
        }
    }
    if let Some(message) = item.message() {
        text.push_str(&fenced(&message));
    }
    text
}

fn kind(item: &Item) -> &'static str {
    match item.outcome.status {
        Status::Fail => "Failed:",
        _ => "Error:",
    }
}

fn found(failures: u64, sample: Option<&Sample>) -> String {
    let shown = sample.map_or(0, |s| s.rows.len().min(ROWS));
    if shown == 0 {
        return format!("Found {}.\n", count(failures, "row"));
    }
    let mut text = format!("Found {}:\n\n", rows_shown(failures, shown));
    if let Some(sample) = sample {
        text.push_str(&table(sample));
    }
    text
}

fn table(sample: &Sample) -> String {
    let width = sample.columns.len().min(COLUMNS);
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(sample.columns[..width].iter().map(|c| code(c)).collect());
    text.push_str(&line(vec!["---".to_owned(); width]));
    for row in sample.rows.iter().take(ROWS) {
        let cell = |value: &Option<String>| match value {
            None => "*NULL*".to_owned(),
            Some(value) => code(value),
        };
        text.push_str(&line(row.iter().take(width).map(cell).collect()));
    }
    if sample.columns.len() > width {
        let more = (sample.columns.len() - width) as u64;
        let _ = writeln!(text, "\n(and {})", count(more, "more column"));
    }
    text
}

/// What a publication changes, as a table.
fn changes(changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let (same, moved): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| change.kind == "same");
    let mut text = String::from("\n### Changes\n\n");
    if !moved.is_empty() {
        text.push_str("| relation | | rows | by key | columns and notes |\n");
        text.push_str("| --- | --- | ---: | ---: | --- |\n");
    }
    for change in moved.iter().take(LISTED) {
        let rows = match change.rows {
            Some((now, then)) => format!("{} → {}", thousands(now), thousands(then)),
            None => String::new(),
        };
        let keys = change.by_key.map(by_key).unwrap_or_default();
        let said = change.columns.iter().chain(&change.notes);
        let said: Vec<String> = said.map(|text| code(text)).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {rows} | {keys} | {} |",
            code(&change.relation),
            escaped(&change.kind),
            said.join("<br>")
        );
    }
    if moved.len() > LISTED {
        let more = (moved.len() - LISTED) as u64;
        let _ = writeln!(text, "\n(and {})", count(more, "more relation"));
    }
    if !same.is_empty() {
        let _ = writeln!(text, "\n{} unchanged.", relations(same.len()));
    }
    text
}

/// `+1 -2 ~3`.
pub(super) fn by_key((added, removed, changed): (u64, u64, u64)) -> String {
    format!(
        "+{} −{} ~{}",
        thousands(added),
        thousands(removed),
        thousands(changed)
    )
}

/// Nodes of one status, folded.
fn listed(digest: &Digest, word: &str, status: Status, places: &Places) -> String {
    let items: Vec<&Item> = digest.ended(status).collect();
    if items.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n<details><summary>{word}: {}</summary>\n\n",
        count(items.len() as u64, "node")
    );
    for item in items.iter().take(LISTED) {
        let file = item.outcome.file.as_deref();
        let at = file.map(|f| format!(" ({})", link(f, item.outcome.line, places)));
        let _ = writeln!(
            text,
            "- `{}`: {}{}",
            tick(item.name()),
            escaped(&item.reason()),
            at.unwrap_or_default()
        );
    }
    if items.len() > LISTED {
        let _ = writeln!(
            text,
            "- and {} more",
            thousands((items.len() - LISTED) as u64)
        );
    }
    text.push_str("\n</details>\n");
    text
}

fn warning(notice: &Notice, places: &Places) -> String {
    let at = notice.file.as_deref();
    let at = at.map(|file| format!(" ({})", link(file, notice.line, places)));
    format!(
        "\n⚠️ {}{}\n",
        escaped(&notice.title),
        at.unwrap_or_default()
    )
}

fn footer(digest: &Digest) -> String {
    let mut facts = Vec::new();
    if !digest.target.is_empty() {
        facts.push(format!("target {}", code(&digest.target)));
    }
    if !digest.run_id.is_empty() {
        facts.push(format!("run {}", code(&digest.run_id)));
    }
    if let Some((seq, head)) = &digest.ledger {
        facts.push(format!("ledger entry {seq}, head {}", code(head)));
    }
    if facts.is_empty() {
        return String::new();
    }
    format!("\n<sub>{}</sub>\n", facts.join(" · "))
}

/// A line with the link to a file.
fn place(file: Option<&std::path::Path>, line: Option<usize>, places: &Places) -> String {
    match file {
        Some(file) => format!("{}\n\n", link(file, line, places)),
        None => String::new(),
    }
}

fn link(file: &std::path::Path, line: Option<usize>, places: &Places) -> String {
    let path = places.path(file);
    let at = line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("[{}{at}]({})", code(&path), places.link(file, line))
}

/// Text of the database or the project, to be read and never obeyed.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(&shorten(&one_line(text), CELL)))
}

/// Text with what Markdown and HTML would act on as entities. An underscore inside a word and
/// a point do nothing and stay readable.
fn escaped(text: &str) -> String {
    const PLAIN: &str = " -,()=+'\"/%;?";
    let text = one_line(text);
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        let stays = match c {
            '_' => before.is_alphanumeric() && rest.peek().is_some_and(|c| is_word(*c)),
            '.' => !before.eq_ignore_ascii_case(&'w'),
            c => c.is_alphanumeric() || !c.is_ascii() || PLAIN.contains(c),
        };
        if stays {
            out.push(c);
        } else {
            let _ = write!(out, "&#{};", u32::from(c));
        }
        // Underscores in a row are one mark: each stays as the first one did.
        before = match (c, stays) {
            ('_', true) => before,
            _ => c,
        };
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A name inside single backticks.
fn tick(name: &str) -> String {
    one_line(name).replace('`', "'")
}

/// Text of several lines in a fence that it cannot close.
fn fenced(text: &str) -> String {
    let text = shorten(text.trim_matches('\n'), 8_000);
    let text = many_lines(&text);
    let ticks = |line: &str| line.trim_start().chars().take_while(|c| *c == '`').count();
    let longest = text.lines().map(ticks).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("\n{fence}text\n{text}\n{fence}\n")
}

/// The verdict of a run that is over, for a title.
pub(super) fn verdict_line(digest: &Digest) -> String {
    let tally = digest.tally();
    first_line(&format!("{}: {}", tally.verdict().1, tally.said()))
}
