//! A template cut into text, comments and raw blocks (which stay) and tags.

use super::RewriteError;
use super::token::{Tag, lex_tag};

/// A part of a template.
pub(in crate::jinja) enum Piece<'a> {
    /// Text, a comment or a raw block.
    Verbatim(&'a str),
    /// `{{ … }}`: where it starts, where its inside starts, and its tokens.
    Expression {
        start: usize,
        inner: usize,
        tag: Tag,
    },
    /// `{% … %}`, likewise.
    Statement {
        start: usize,
        inner: usize,
        tag: Tag,
    },
}

/// Cuts a template into pieces, which together are the whole text.
pub(in crate::jinja) fn pieces(
    text: &str,
) -> impl Iterator<Item = Result<Piece<'_>, RewriteError>> {
    let mut at = 0;
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed || at >= text.len() {
            return None;
        }
        let piece = next(text, &mut at);
        failed = piece.is_err();
        Some(piece)
    })
}

fn next<'a>(text: &'a str, at: &mut usize) -> Result<Piece<'a>, RewriteError> {
    let start = *at;
    let marker = marker(&text[start..]).map_or(text.len(), |offset| start + offset);
    if marker > start {
        *at = marker;
        return Ok(Piece::Verbatim(&text[start..marker]));
    }
    let rest = &text[start..];
    if let Some(comment) = rest.strip_prefix("{#") {
        let Some(end) = comment.find("#}") else {
            return Err(RewriteError::new(
                "this comment is never closed by `#}`",
                start,
            ));
        };
        *at = start + 2 + end + 2;
        return Ok(Piece::Verbatim(&text[start..*at]));
    }
    let inner = start + 2 + usize::from(rest[2..].starts_with(['-', '+']));
    if let Some(expression) = rest.strip_prefix("{{") {
        // `{{+` is no marker in jinja2: the plus belongs to the expression
        let inner = start + 2 + usize::from(expression.starts_with('-'));
        let tag = lex_tag(text, inner, "}}")?;
        *at = tag.close_end;
        return Ok(Piece::Expression { start, inner, tag });
    }
    if let Some(len) = basic_tag(&text[inner..], "raw") {
        let body = inner + len;
        let Some(end) = end_of_raw(&text[body..]) else {
            return Err(RewriteError::new("this `{% raw %}` is never closed", start));
        };
        *at = body + end;
        return Ok(Piece::Verbatim(&text[start..*at]));
    }
    let tag = lex_tag(text, inner, "%}")?;
    *at = tag.close_end;
    Ok(Piece::Statement { start, inner, tag })
}

fn marker(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(found) = text[from..].find('{') {
        let at = from + found;
        if matches!(bytes.get(at + 1), Some(b'{' | b'%' | b'#')) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The length of `name`, its whitespace and the end marker, if `text` starts with them.
fn basic_tag(text: &str, name: &str) -> Option<usize> {
    let rest = text.trim_start().strip_prefix(name)?.trim_start();
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    Some(text.len() - rest.strip_prefix("%}")?.len())
}

fn end_of_raw(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find("{%") {
        let inner = from + found + 2;
        let inner = inner + usize::from(text[inner..].starts_with(['-', '+']));
        if let Some(len) = basic_tag(&text[inner..], "endraw") {
            return Some(inner + len);
        }
        from = inner;
    }
    None
}
