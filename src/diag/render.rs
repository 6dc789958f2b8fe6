//! Diagnostics as text for people: the message with its code, the source window, notes and
//! the hint.
//!
//! ```text
//! error[project-unknown-key]: model `mart` has the unknown key `colums`
//!  --> models/schema.yml:4:5
//!   |
//! 4 |     colums:
//!   |     ^^^^^^
//!   = hint: did you mean `columns`?
//! ```
//!
//! Text from users reaches a terminal only without its control characters.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use anstyle::{AnsiColor, Style};

use super::{Diagnostic, FileId, Label, Severity, SourceFile, SourceMap, Span};

/// How to render.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions {
    /// Use ANSI colours.
    pub color: bool,
}

/// One diagnostic as text, without a newline at its end.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, options: RenderOptions) -> String {
    let renderer = if options.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(printable(&diagnostic.message))
        .id(diagnostic.code.as_str());
    let files = label_files(diagnostic, sources);
    if files.is_empty() {
        let title = renderer.render(&[Group::with_title(title)]);
        return without_window(title, diagnostic, options);
    }
    let mut group = Group::with_title(title);
    for (index, (file, source)) in files.iter().enumerate() {
        group = group.element(window(diagnostic, *file, source, index == 0));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(printable(note)));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.with_name("hint").message(printable(hint)));
    }
    trim_line_ends(&renderer.render(&[group]))
}

/// The rest of a message that has no source to show, in the look of those that have.
fn without_window(title: String, diagnostic: &Diagnostic, options: RenderOptions) -> String {
    let (frame, word) = if options.color {
        (
            AnsiColor::BrightBlue.on_default().bold(),
            Style::new().bold(),
        )
    } else {
        (Style::new(), Style::new())
    };
    let mut text = trim_line_ends(&title);
    if let Some(file) = &diagnostic.file {
        text.push_str(&format!("\n {frame}-->{frame:#} {}", path_text(file)));
    }
    let notes = diagnostic.notes.iter().map(|note| ("note", note));
    let hint = diagnostic.hint.iter().map(|hint| ("hint", hint));
    for (name, line) in notes.chain(hint) {
        let line = printable(line).replace('\n', "\n          ");
        text.push_str(&format!(
            "\n  {frame}={frame:#} {word}{name}{word:#}: {line}"
        ));
    }
    text
}

/// Several diagnostics, separated by an empty line.
pub fn render_all(
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    options: RenderOptions,
) -> String {
    let parts: Vec<String> = diagnostics
        .iter()
        .map(|d| render(d, sources, options))
        .collect();
    parts.join("\n\n")
}

/// The files that labels point into, that of the main label first.
fn label_files(diagnostic: &Diagnostic, sources: &SourceMap) -> Vec<(FileId, Arc<SourceFile>)> {
    let mut files: Vec<(FileId, Arc<SourceFile>)> = Vec::new();
    for Label { span, .. } in &diagnostic.labels {
        if files.iter().all(|(file, _)| *file != span.file) {
            files.push((span.file, sources.file(span.file)));
        }
    }
    files
}

fn window<'a>(
    diagnostic: &'a Diagnostic,
    file: FileId,
    source: &'a SourceFile,
    is_main: bool,
) -> Snippet<'a, Annotation<'a>> {
    let mut snippet = Snippet::source(source.text.as_ref())
        .path(path_text(&source.path))
        .fold(true);
    let mut first = is_main;
    for label in diagnostic.labels.iter().filter(|l| l.span.file == file) {
        let kind = if std::mem::replace(&mut first, false) {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let mut annotation = kind.span(range_in(&source.text, label.span));
        if !label.text.is_empty() {
            annotation = annotation.label(printable(&label.text));
        }
        snippet = snippet.annotation(annotation);
    }
    snippet
}

/// The bytes to mark: inside the text, on character borders, and of one line, since whole
/// blocks of YAML or SQL say less than where they begin.
fn range_in(text: &str, span: Span) -> Range<usize> {
    let start = floor(text, span.start as usize);
    let end = floor(text, (span.end as usize).max(start));
    let line = text[start..end].find('\n').map_or(end, |at| start + at);
    let line = start + text[start..line].trim_end().len();
    start..line.max(start)
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn path_text(path: &Path) -> Cow<'_, str> {
    match path.to_string_lossy() {
        Cow::Borrowed(text) => printable(text),
        Cow::Owned(text) => Cow::Owned(printable(&text).into_owned()),
    }
}

/// Text without what would move a terminal's cursor or change its colours.
fn printable(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(harmful) {
        Cow::Owned(text.replace(harmful, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn trim_line_ends(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::codes::{PROJECT_UNREADABLE, UNKNOWN_KEY};

    fn rendered(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
        render(diagnostic, sources, RenderOptions::default())
    }

    #[test]
    fn a_message_shows_its_place_and_its_hint() {
        let sources = SourceMap::default();
        let file = sources.add(
            "models/schema.yml",
            "models:\n  - name: mart\n    colums: []\n",
        );
        let span = Span {
            file,
            start: 27,
            end: 33,
        };
        let diagnostic =
            Diagnostic::error(UNKNOWN_KEY, "model `mart` has the unknown key `colums`")
                .at(span, "")
                .hint("did you mean `columns`?");
        let expected = "\
error[project-unknown-key]: model `mart` has the unknown key `colums`
 --> models/schema.yml:3:5
  |
3 |     colums: []
  |     ^^^^^^
  |
  = hint: did you mean `columns`?";
        assert_eq!(rendered(&diagnostic, &sources), expected);
    }

    #[test]
    fn a_file_without_a_place_is_named() {
        let diagnostic = Diagnostic::warning(PROJECT_UNREADABLE, "cannot read it")
            .in_file("models/a.sql")
            .note("a fact")
            .hint("an action");
        let expected = "\
warning[project-unreadable]: cannot read it
 --> models/a.sql
  = note: a fact
  = hint: an action";
        assert_eq!(rendered(&diagnostic, &SourceMap::default()), expected);
    }

    #[test]
    fn escape_sequences_of_users_do_not_reach_the_terminal() {
        let diagnostic = Diagnostic::error(UNKNOWN_KEY, "key \u{1b}[31mred").hint("a\u{7}b");
        let text = rendered(&diagnostic, &SourceMap::default());
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{7}'),
            "{text}"
        );
    }

    #[test]
    fn a_span_outside_its_file_is_moved_inside() {
        let sources = SourceMap::default();
        let file = sources.add("a.yml", "é");
        let span = Span {
            file,
            start: 1,
            end: 99,
        };
        let text = rendered(&Diagnostic::error(UNKNOWN_KEY, "x").at(span, ""), &sources);
        assert!(text.contains("a.yml:1:1"), "{text}");
    }
}
