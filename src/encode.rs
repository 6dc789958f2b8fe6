//! Values as text that others compare byte by byte: what Python prints, since hashes and lines of
//! dbt's are made of it, and digests in hexadecimal digits.

use std::fmt::Write;

use serde_json::Value as Json;

/// Bytes as lower-case hexadecimal digits, two each.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
        }
    }
    out
}

/// Python's `json.dumps`: a blank after commas and colons, ASCII only.
pub fn python_json(value: &Json) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

/// JSON with the keys of every object in order, as `sort_keys=True` has it.
pub fn sorted(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> =
                map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn write_json(value: &Json, out: &mut String) {
    match value {
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index);
                write_json(item, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                separate(out, index);
                write_ascii(key, out);
                out.push_str(": ");
                write_json(item, out);
            }
            out.push('}');
        }
        Json::String(text) => write_ascii(text, out),
        other => out.push_str(&other.to_string()),
    }
}

fn write_ascii(text: &str, out: &mut String) {
    let quoted = Json::from(text).to_string();
    if quoted.is_ascii() {
        out.push_str(&quoted);
        return;
    }
    for c in quoted.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
}

/// Python's `str` of a value: a string as it is, anything else as its [`python_repr`].
pub fn python_str(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => python_repr(other),
    }
}

/// Python's `repr` of a value.
pub fn python_repr(value: &Json) -> String {
    let mut out = String::new();
    write_repr(value, &mut out);
    out
}

fn write_repr(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("None"),
        Json::Bool(true) => out.push_str("True"),
        Json::Bool(false) => out.push_str("False"),
        Json::Number(number) => out.push_str(&number.to_string()),
        Json::String(text) => write_quoted(text, out),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index);
                write_repr(item, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                separate(out, index);
                write_quoted(key, out);
                out.push_str(": ");
                write_repr(item, out);
            }
            out.push('}');
        }
    }
}

/// Appends Python's `repr` of a string: in single quotes, unless it holds those and no double ones.
pub fn write_quoted(text: &str, out: &mut String) {
    let quote = match text.contains('\'') && !text.contains('"') {
        true => '"',
        false => '\'',
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push_str(", ");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_as_python_dumps_it() {
        let value = json!({"b": "ü😀", "a": [1, null, true]});
        assert_eq!(
            python_json(&value),
            r#"{"b": "\u00fc\ud83d\ude00", "a": [1, null, true]}"#
        );
        assert_eq!(
            python_json(&sorted(value)),
            r#"{"a": [1, null, true], "b": "\u00fc\ud83d\ude00"}"#
        );
    }

    #[test]
    fn values_print_as_in_python() {
        let value = json!({"it's": ["\"", "a\\b\n", 1.5, null, true]});
        let text = r#"{"it's": ['"', 'a\\b\n', 1.5, None, True]}"#;
        assert_eq!(python_repr(&value), text);
        assert_eq!(python_str(&value), text);
        assert_eq!(python_str(&json!("it's")), "it's");
        assert_eq!(python_repr(&json!("it's \"so\"")), r#"'it\'s "so"'"#);
    }

    #[test]
    fn digests_are_lower_case_digits() {
        assert_eq!(hex([0, 10, 255]), "000aff");
    }
}
