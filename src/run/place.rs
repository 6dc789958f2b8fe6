//! Where the user goes to mend a node: the file and line of its error if they are known, else
//! of its declaration.

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, FileId, SourceMap};
use crate::event::Outcome;
use crate::graph::{Detail, Node};

/// Fills an outcome's file and line, unless an error has set them.
pub(super) fn declare(outcome: &mut Outcome, node: &Node, sources: &SourceMap, root: &Path) {
    if outcome.file.is_some() {
        return;
    }
    let (file, line) = declaration(node, sources, root);
    (outcome.file, outcome.line) = (Some(file), Some(line));
}

/// Where a node is declared: its file, relative to the project, and its line, from 1.
fn declaration(node: &Node, sources: &SourceMap, root: &Path) -> (PathBuf, usize) {
    if let Detail::Seed { path } = &node.detail {
        let inside = path.strip_prefix(root).unwrap_or(path);
        return (inside.to_owned(), 1);
    }
    let span_line = |file: FileId| {
        let span = node.span.filter(|span| span.file == file)?;
        Some(sources.file(file).line_column(span.start).0)
    };
    match node.file {
        Some(file) => {
            // A snapshot's block begins somewhere in its file.
            let line = span_line(file).unwrap_or(1).max(node.first_line);
            (sources.file(file).path.clone(), line)
        }
        None => (PathBuf::from(&node.path), 1),
    }
}

/// Points an outcome at the place of its error, if that is in a file of the project. A place in
/// the compiled SQL (`compiled` is its path) becomes one in the template where the same line
/// stands there once.
pub(super) fn of_error(
    outcome: &mut Outcome,
    error: &Diagnostic,
    (node, compiled): (&Node, Option<&Path>),
    sources: &SourceMap,
) {
    let Some(span) = error.labels.first().map(|label| label.span) else {
        return;
    };
    let at = sources.file(span.file);
    let line = at.line_column(span.start).0;
    if compiled.is_none_or(|path| path != at.path) {
        (outcome.file, outcome.line) = (Some(at.path.clone()), Some(line));
        return;
    }
    let is_generic = matches!(node.detail, Detail::GenericTest(_));
    let Some(own) = node
        .file
        .filter(|_| !is_generic)
        .map(|file| sources.file(file))
    else {
        return;
    };
    let sent = at.text.lines().nth(line - 1).unwrap_or_default();
    if let Some(line) = only_line(&own.text, sent) {
        (outcome.file, outcome.line) = (Some(own.path.clone()), Some(line));
    }
}

/// The one line of a text that reads like this, from 1.
fn only_line(text: &str, wanted: &str) -> Option<usize> {
    let wanted = wanted.trim();
    if wanted.is_empty() {
        return None;
    }
    let mut found = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.trim() == wanted);
    let (at, _) = found.next()?;
    found.next().is_none().then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_only_where_it_is_the_only_one() {
        let text = "select\n  a,\n  b\nfrom x\n  b\n";
        assert_eq!(only_line(text, "   a,"), Some(2));
        assert_eq!(only_line(text, "b"), None, "twice");
        assert_eq!(only_line(text, "c"), None);
        assert_eq!(only_line(text, " "), None);
    }
}
