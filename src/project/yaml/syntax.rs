//! What a YAML syntax error is to the person who wrote it.

use crate::diag::codes::{YAML_SEVERAL_DOCUMENTS, YAML_SYNTAX};
use crate::diag::{Diagnostic, FileId, Span};

use super::convert::clamp;

/// The library's error as a diagnostic with its place.
pub(super) fn diagnose(
    error: &serde_yaml::Error,
    file: FileId,
    text: &str,
    offset: usize,
) -> Diagnostic {
    let full = error.to_string();
    if full.contains("more than one document") {
        return several_documents(file, text, offset);
    }
    let mut at = clamp(text, error.location().map_or(0, |m| m.index()));
    // An open quote is found at the end of the file; it belongs to where it was opened.
    if full.contains("end of stream")
        && let Some(start) = context_start(&full, text)
    {
        at = start;
    }
    let explained = explain(&full, text, at);
    Diagnostic::error(YAML_SYNTAX, format!("YAML syntax: {}", explained.0))
        .at(line_rest(file, text, at, offset), "")
        .hint(explained.1)
}

/// Where the thing began that the library was reading: the last `at line N column M`.
fn context_start(full: &str, text: &str) -> Option<usize> {
    let (_, context) = full.split_once(", while ")?;
    let (_, place) = context.rsplit_once("line ")?;
    let (line, column) = place.split_once(" column ")?;
    let line: usize = line.parse().ok()?;
    let column: usize = column.trim().parse().ok()?;
    let start: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let inside = text[start..].char_indices().nth(column - 1)?.0;
    Some(start + inside)
}

fn several_documents(file: FileId, text: &str, offset: usize) -> Diagnostic {
    let mut at = 0;
    let mut seen_content = false;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" && seen_content {
            break;
        }
        let trimmed = line.trim();
        seen_content |= !trimmed.is_empty() && !trimmed.starts_with('#');
        at += line.len();
    }
    Diagnostic::error(
        YAML_SEVERAL_DOCUMENTS,
        "the file holds more than one YAML document",
    )
    .at(
        line_rest(file, text, at, offset),
        "a second document begins here",
    )
    .hint("remove the `---`, or move what follows into a file of its own")
}

/// The library's words, what they mean and what to do.
const PROBLEMS: &[(&str, &str, &str)] = &[
    (
        "mapping values are not allowed",
        "a `: ` stands where no key can be",
        "put quotes around a text that holds `: `, or check the indentation of this line",
    ),
    (
        "did not find expected key",
        "this line fits no indentation above it",
        "keys of one mapping start in the same column",
    ),
    (
        "did not find expected '-' indicator",
        "this line fits no indentation above it",
        "items of one list, and keys of one mapping, start in the same column",
    ),
    (
        "block sequence entries are not allowed",
        "a list begins where none can be",
        "put the first `- ` on a line of its own, below the key",
    ),
    (
        "could not find expected ':'",
        "a key has no colon",
        "write `key: value`, with a space behind the colon",
    ),
    (
        "did not find expected ',' or",
        "a list or mapping in brackets is not closed",
        "close it, or put a comma between its members",
    ),
    (
        "quoted scalar",
        "a text in quotes is not closed",
        "close the quote; a quote inside is doubled ('') or escaped (\\\")",
    ),
    (
        "end of stream",
        "the file ends inside a list or mapping",
        "close every bracket and brace",
    ),
    (
        "cannot start any token",
        "a text begins with a character that YAML keeps for itself",
        "put quotes around a text that begins with `@`, `%` or a backtick",
    ),
    (
        "control characters",
        "the file holds a control character",
        "remove it",
    ),
    (
        "unknown escape character",
        "a backslash escape in double quotes is not known",
        "use single quotes, where a backslash is only a backslash",
    ),
    (
        "unknown anchor",
        "an alias names an anchor that is not defined above it",
        "define the anchor with `&name` before its first use",
    ),
    (
        "duplicate anchor",
        "an anchor is defined twice",
        "give one of them another name",
    ),
    (
        "repetition limit",
        "aliases multiply each other beyond reason",
        "write the values out",
    ),
    (
        "recursion limit",
        "lists and mappings are nested too deeply",
        "flatten them; more than 128 levels are not read",
    ),
];

/// What happened, and what to do.
fn explain(full: &str, text: &str, at: usize) -> (String, String) {
    let start = text[..at].rfind('\n').map_or(0, |p| p + 1);
    let line = text[start..].lines().next().unwrap_or("");
    if has_bare_jinja(line) {
        return (
            "Jinja without quotes around it".to_owned(),
            "put quotes around the whole value: \"{{ ... }}\"".to_owned(),
        );
    }
    if text[at..].starts_with('\t') || line.starts_with('\t') {
        return (
            "a tab is used for indentation".to_owned(),
            "indent with spaces".to_owned(),
        );
    }
    match PROBLEMS.iter().find(|(words, ..)| full.contains(words)) {
        Some((_, problem, hint)) => ((*problem).to_owned(), (*hint).to_owned()),
        None => {
            let problem = full.split(" at line ").next().unwrap_or(full);
            (problem.to_owned(), "correct this line".to_owned())
        }
    }
}

fn has_bare_jinja(line: &str) -> bool {
    let trimmed = line.trim_start().trim_start_matches("- ");
    let value = trimmed.split_once(": ").map_or(trimmed, |(_, value)| value);
    value.trim_start().starts_with("{{") || value.trim_start().starts_with("{%")
}

/// From a byte to the end of its line; the line's last character where that is empty.
fn line_rest(file: FileId, text: &str, at: usize, offset: usize) -> Span {
    let at = at.min(text.len());
    let mut start = at;
    let end = at + text[at..].lines().next().map_or(0, |l| l.trim_end().len());
    if end <= start {
        start = text[..at]
            .trim_end()
            .char_indices()
            .next_back()
            .map_or(0, |(byte, _)| byte);
        let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
        return span(file, start, end, offset);
    }
    span(file, start, end, offset)
}

fn span(file: FileId, start: usize, end: usize, offset: usize) -> Span {
    Span {
        file,
        start: (start + offset) as u32,
        end: (end + offset) as u32,
    }
}
