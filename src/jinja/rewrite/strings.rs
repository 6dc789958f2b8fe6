//! String literals: Python's escapes become ones that the engine reads alike.

/// The literal (with quotes) as the engine has to see it; `None` when it can stay as it is.
///
/// A backslash before a newline joins lines in Python; here the literal is split in two around
/// the newline, since adjacent literals are joined and the line count must stay.
pub(super) fn engine_literal(literal: &str) -> Option<String> {
    if !literal.contains('\\') {
        return None;
    }
    let quote = &literal[..1];
    let inner = &literal[1..literal.len().saturating_sub(1)];
    let mut out = String::with_capacity(literal.len() + 8);
    out.push_str(quote);
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(escape) = chars.next() else {
            out.push_str("\\\\");
            break;
        };
        match escape {
            '\n' => {
                out.push_str(quote);
                out.push('\n');
                out.push_str(quote);
            }
            '\\' | '\'' | '"' | 'n' | 't' | 'r' | 'b' | 'f' => {
                out.push('\\');
                out.push(escape);
            }
            'a' => out.push_str("\\x07"),
            'v' => out.push_str("\\x0b"),
            'x' | 'u' | 'U' => push_hex(&mut out, escape, &mut chars),
            '0'..='7' => push_octal(&mut out, escape, &mut chars),
            other => {
                out.push_str("\\\\");
                out.push(other);
            }
        }
    }
    out.push_str(quote);
    Some(out)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn push_hex(out: &mut String, escape: char, chars: &mut Chars<'_>) {
    let width = match escape {
        'x' => 2,
        'u' => 4,
        _ => 8,
    };
    let mut digits = String::new();
    while digits.len() < width
        && let Some(c) = chars.next_if(char::is_ascii_hexdigit)
    {
        digits.push(c);
    }
    let decoded = u32::from_str_radix(&digits, 16)
        .ok()
        .and_then(char::from_u32);
    match decoded {
        Some(c) if digits.len() == width => push_char(out, c),
        _ => {
            out.push_str("\\\\");
            out.push(escape);
            out.push_str(&digits);
        }
    }
}

fn push_octal(out: &mut String, first: char, chars: &mut Chars<'_>) {
    let mut digits = String::from(first);
    while digits.len() < 3
        && let Some(c) = chars.next_if(|c| ('0'..='7').contains(c))
    {
        digits.push(c);
    }
    let decoded = u32::from_str_radix(&digits, 8)
        .ok()
        .and_then(char::from_u32);
    push_char(out, decoded.unwrap_or('\0'));
}

/// A decoded character; control characters and those with a meaning stay escaped.
fn push_char(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\\' => out.push_str("\\\\"),
        '\'' | '"' => {
            out.push('\\');
            out.push(c);
        }
        c if (c as u32) < 32 => out.push_str(&format!("\\x{:02x}", c as u32)),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::engine_literal;

    #[test]
    fn unknown_escapes_keep_their_backslash_as_in_python() {
        assert_eq!(engine_literal(r"'\d+\.'").as_deref(), Some(r"'\\d+\\.'"));
    }

    #[test]
    fn a_backslash_newline_joins_lines_without_losing_one() {
        assert_eq!(engine_literal("'a\\\nb'").as_deref(), Some("'a'\n'b'"));
    }

    #[test]
    fn hex_and_octal_escapes_are_decoded() {
        assert_eq!(
            engine_literal(r"'\x41\101\u00e9'").as_deref(),
            Some("'AAé'")
        );
    }
}
