//! What a YAML syntax error is to the person who wrote it.

use crate::diag::codes::{YAML_SEVERAL_DOCUMENTS, YAML_SYNTAX};
use crate::diag::{Diagnostic, FileId, Span};

use super::convert::Offsets;

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
    let problem = full.split(" at line ").next().unwrap_or(&full);
    let problem = problem.rsplit(": ").next().unwrap_or(problem);
    let at = error
        .location()
        .map_or(0, |m| Offsets::new(text).byte(m.index(), text.len()));
    let (message, hint) = explain(problem, text, at);
    let diagnostic =
        Diagnostic::error(YAML_SYNTAX, message).at(line_rest(file, text, at, offset), "");
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
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

fn explain(problem: &str, text: &str, at: usize) -> (String, Option<String>) {
    let start = text[..at].rfind('\n').map_or(0, |p| p + 1);
    let line = text[start..].lines().next().unwrap_or("");
    if has_bare_jinja(line) {
        return (
            format!("YAML syntax: {problem}"),
            Some("put quotes around the Jinja: \"{{ ... }}\"".to_owned()),
        );
    }
    if text[at..].starts_with('\t') || line.starts_with('\t') {
        return (
            "YAML syntax: a tab is used for indentation".to_owned(),
            Some("indent with spaces".to_owned()),
        );
    }
    let hint = if problem.contains("mapping values are not allowed") {
        "put quotes around a text that holds `: `, or check the indentation of this line"
    } else if problem.contains("did not find expected key")
        || problem.contains("did not find expected '-' indicator")
    {
        "check the indentation: keys of one mapping and items of one list start in the same column"
    } else if problem.contains("could not find expected ':'") {
        "a key needs a colon and a space after it"
    } else if problem.contains("unexpected end of stream") {
        "a quote, bracket or brace is not closed"
    } else if problem.contains("cannot start any token") {
        "put quotes around a text that begins with `@`, `%` or a backtick"
    } else if problem.contains("control characters") {
        "remove the control character; a NUL byte means that the file is not text"
    } else if problem.contains("unknown anchor") || problem.contains("undefined alias") {
        "define the anchor with `&name` before its first use"
    } else {
        return (format!("YAML syntax: {problem}"), None);
    };
    (format!("YAML syntax: {problem}"), Some(hint.to_owned()))
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
