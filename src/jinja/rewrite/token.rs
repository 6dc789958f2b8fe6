//! Tokens of one tag (`{{ … }}` or `{% … %}`), lexed as jinja2 does: the tag ends at its end
//! marker outside of all brackets, so dictionaries may close with `}}`.

use super::RewriteError;

/// What a token is; its text is the source between `start` and `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jinja) enum Kind {
    /// An identifier or keyword.
    Name,
    /// A string literal with its quotes.
    Str,
    /// A number.
    Num,
    /// An operator or bracket.
    Op,
}

/// A token and its bytes in the source.
#[derive(Clone, Copy, Debug)]
pub(in crate::jinja) struct Token {
    pub(in crate::jinja) kind: Kind,
    pub(in crate::jinja) start: usize,
    pub(in crate::jinja) end: usize,
}

/// A lexed tag: its tokens, and where the end marker starts and ends.
pub(in crate::jinja) struct Tag {
    pub(in crate::jinja) tokens: Vec<Token>,
    pub(in crate::jinja) close_start: usize,
    pub(in crate::jinja) close_end: usize,
}

const TWO: [&str; 7] = ["**", "//", "==", "!=", ">=", "<=", "->"];

/// Lexes from `at`, the first byte after the start marker, to the marker `close` (`%}` or `}}`).
pub(super) fn lex_tag(text: &str, at: usize, close: &str) -> Result<Tag, RewriteError> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut pos = at;
    loop {
        pos = text.len() - text[pos..].trim_start().len();
        if pos >= bytes.len() {
            let start = if close == "}}" { "{{" } else { "{%" };
            let message = format!("this `{start}` is never closed by `{close}`");
            return Err(RewriteError::new(message, at.saturating_sub(2)));
        }
        if let Some(end) = closes(text, pos, close) {
            match open.last() {
                None => {
                    return Ok(Tag {
                        tokens,
                        close_start: pos,
                        close_end: end,
                    });
                }
                // `}}` may end two dictionaries
                Some(bracket) if !matches(text, *bracket, pos) => {
                    return Err(never_closed(text, *bracket));
                }
                Some(_) => {}
            }
        }
        let token = next(text, pos)?;
        match &text[token.start..token.end] {
            "(" | "[" | "{" => open.push(token.start),
            ")" | "]" | "}" => {
                if let Some(bracket) = open.pop()
                    && !matches(text, bracket, token.start)
                {
                    return Err(never_closed(text, bracket));
                }
            }
            _ => {}
        }
        pos = token.end;
        tokens.push(token);
    }
}

/// Whether the closing bracket at `close` fits the opening one at `open`.
fn matches(text: &str, open: usize, close: usize) -> bool {
    let pair = (&text[open..=open], &text[close..=close]);
    matches!(pair, ("(", ")") | ("[", "]") | ("{", "}"))
}

fn never_closed(text: &str, bracket: usize) -> RewriteError {
    let message = format!("this `{}` is never closed", &text[bracket..=bracket]);
    RewriteError::new(message, bracket)
}

fn closes(text: &str, pos: usize, close: &str) -> Option<usize> {
    let rest = &text[pos..];
    if rest.starts_with(close) {
        return Some(pos + 2);
    }
    let signed = rest.starts_with('-') || (rest.starts_with('+') && close == "%}");
    (signed && rest[1..].starts_with(close)).then_some(pos + 3)
}

fn next(text: &str, start: usize) -> Result<Token, RewriteError> {
    let rest = &text[start..];
    let first = rest.chars().next().unwrap_or('\0');
    let token = |kind, len: usize| Token {
        kind,
        start,
        end: start + len,
    };
    if first == '_' || first.is_alphabetic() {
        let len = rest
            .find(|c: char| c != '_' && !c.is_alphanumeric())
            .unwrap_or(rest.len());
        return Ok(token(Kind::Name, len));
    }
    if first.is_ascii_digit() {
        let after_dot = start > 0 && text.as_bytes()[start - 1] == b'.';
        return Ok(token(Kind::Num, number(rest.as_bytes(), after_dot)));
    }
    if first == '"' || first == '\'' {
        return match string(rest.as_bytes(), first as u8) {
            Some(len) => Ok(token(Kind::Str, len)),
            None => Err(RewriteError::new("this string is never closed", start)),
        };
    }
    if TWO.iter().any(|op| rest.starts_with(op)) {
        return Ok(token(Kind::Op, 2));
    }
    if "+-*/%~.,:|()[]{}<>=;".contains(first) {
        return Ok(token(Kind::Op, 1));
    }
    Err(RewriteError::new(
        format!("unexpected character `{first}`"),
        start,
    ))
}

fn string(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b if b == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// The length of a number; after a dot (`x.1.0`) it is an index and has no fraction.
fn number(bytes: &[u8], after_dot: bool) -> usize {
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let part = |i: usize| {
        bytes
            .get(i)
            .is_some_and(|b| b.is_ascii_digit() || *b == b'_')
    };
    if bytes.len() > 2 && bytes[0] == b'0' && matches!(bytes[1] | 32, b'x' | b'o' | b'b') {
        let hex = bytes[2..].iter();
        let len = hex
            .take_while(|b| b.is_ascii_hexdigit() || **b == b'_')
            .count();
        return 2 + len;
    }
    let mut at = 0;
    while part(at) {
        at += 1;
    }
    if after_dot {
        return at;
    }
    if bytes.get(at) == Some(&b'.') && digit(at + 1) {
        at += 1;
        while part(at) {
            at += 1;
        }
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if digit(at + 1 + sign) {
            at += 1 + sign;
            while part(at) {
                at += 1;
            }
        }
    }
    at
}
