//! What a seed's column holds, and one field's text as a value of it.

use std::borrow::Cow;

use super::{instant, number};

/// How the fields of a column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Its type was inferred: blanks and dress are taken off as dbt does.
    Inferred(Inferred),
    /// Its type was given by `column_types`: Postgres' own reading of the raw text.
    Given(Given),
}

/// A type that dbt's inference may arrive at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inferred {
    Int4,
    Int8,
    Numeric,
    Float8,
    Date,
    Timestamp,
    IsoTimestamp,
    Bool,
    Text,
}

/// A type of `column_types` whose plain values we can write in binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    Int2,
    Int4,
    Int8,
    Float8,
    Numeric,
    Bool,
    Date,
    Timestamp,
    Text,
    /// Any other type; only its own input function knows it.
    Other,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::materialize) enum Value<'a> {
    Null,
    Int2(i16),
    Int4(i32),
    Int8(i64),
    Float8(f64),
    Numeric(Cow<'a, str>),
    Bool(bool),
    /// Days since 2000-01-01.
    Date(i32),
    /// Microseconds since 2000-01-01.
    Timestamp(i64),
    Text(&'a str),
}

/// Whether a field means NULL, in any column: blank, or `null` in any case.
pub(super) fn is_null(text: &str) -> bool {
    match text.as_bytes() {
        [] => true,
        [first, ..] if first.is_ascii_graphic() => {
            matches!(first, b'n' | b'N') && text.trim().eq_ignore_ascii_case("null")
        }
        _ => {
            let bare =
                text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c));
            bare.is_empty() || bare.eq_ignore_ascii_case("null")
        }
    }
}

/// `true` or `false` in any case; commas are overlooked, as dbt does.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let is = |text: &str, word| text.trim().eq_ignore_ascii_case(word);
    if is(text, "true") {
        return Some(true);
    }
    if is(text, "false") {
        return Some(false);
    }
    if !text.contains(',') || text.len() > 40 {
        return None;
    }
    let bare = text.replace(',', "");
    (is(&bare, "true") || is(&bare, "false")).then(|| is(&bare, "true"))
}

impl Reading {
    /// The value of a field; `None` if it is none of the column's type.
    pub(super) fn value<'a>(self, text: &'a str) -> Option<Value<'a>> {
        if is_null(text) {
            return Some(Value::Null);
        }
        match self {
            Self::Inferred(inferred) => inferred.value(text),
            Self::Given(given) => given.value(text),
        }
    }

    /// Whether all values of the column can be written in binary, as far as the type says.
    pub(super) fn is_binary(self) -> bool {
        self != Self::Given(Given::Other)
    }
}

impl Inferred {
    /// The type's name as dbt's adapter for Postgres writes it.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Numeric => "numeric",
            Self::Float8 => "float8",
            Self::Date => "date",
            Self::Timestamp | Self::IsoTimestamp => "timestamp without time zone",
            Self::Bool => "boolean",
            Self::Text => "text",
        }
    }

    fn value<'a>(self, text: &'a str) -> Option<Value<'a>> {
        Some(match self {
            Self::Int4 => Value::Int4(i32::try_from(number::int(text)?).ok()?),
            Self::Int8 => Value::Int8(number::int(text)?),
            Self::Numeric => Value::Numeric(number::decimal(text)?),
            Self::Float8 => Value::Float8(number::float(text)?),
            Self::Date => Value::Date(instant::date(text)?),
            Self::Timestamp => Value::Timestamp(instant::timestamp(text)?),
            Self::IsoTimestamp => Value::Timestamp(instant::iso(text)?),
            Self::Bool => Value::Bool(boolean(text)?),
            Self::Text => Value::Text(text),
        })
    }
}

impl Given {
    /// The type of a name as it is written in `column_types`.
    pub(super) fn of(type_name: &str) -> Self {
        let name = type_name.to_lowercase();
        let bare = match (name.find('('), name.find(')')) {
            (Some(open), Some(close)) if open < close => {
                format!("{} {}", &name[..open], &name[close + 1..])
            }
            _ => name,
        };
        let words: Vec<&str> = bare.split_whitespace().collect();
        match words.join(" ").as_str() {
            "smallint" | "int2" => Self::Int2,
            "integer" | "int" | "int4" => Self::Int4,
            "bigint" | "int8" => Self::Int8,
            "double precision" | "float8" => Self::Float8,
            "numeric" | "decimal" => Self::Numeric,
            "boolean" | "bool" => Self::Bool,
            "date" => Self::Date,
            "timestamp" | "timestamp without time zone" => Self::Timestamp,
            "text" | "varchar" | "character varying" | "char" | "character" | "bpchar" => {
                Self::Text
            }
            _ => Self::Other,
        }
    }

    /// Only what Postgres' input function reads the same whatever its settings; the rest is
    /// left to it, in text.
    fn value<'a>(self, text: &'a str) -> Option<Value<'a>> {
        Some(match self {
            Self::Int2 => Value::Int2(text.parse().ok()?),
            Self::Int4 => Value::Int4(text.parse().ok()?),
            Self::Int8 => Value::Int8(text.parse().ok()?),
            Self::Float8 | Self::Numeric if !is_plain_decimal(text) => return None,
            Self::Float8 => Value::Float8(text.parse().ok().filter(|v: &f64| v.is_finite())?),
            Self::Numeric => Value::Numeric(Cow::Borrowed(text)),
            Self::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Value::Bool(true),
                "false" | "f" | "no" | "n" | "off" | "0" => Value::Bool(false),
                _ => return None,
            },
            Self::Date if text.len() != 10 => return None,
            Self::Date => Value::Date(instant::date(text)?),
            Self::Timestamp => Value::Timestamp(instant::canonical(text)?),
            Self::Text | Self::Other => Value::Text(text),
        })
    }
}

/// `-?digits(.digits)?` of a length that every float and numeric column can hold.
fn is_plain_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.len() <= 100 && plain(whole) && plain(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_null_in_any_case_are_null() {
        for text in ["", "  ", "null", "NULL", " Null ", "\u{a0}", "\t", "\x1c"] {
            assert!(is_null(text), "{text:?}");
        }
        for text in ["n", "nulls", "0", "none", "é", " x", "-"] {
            assert!(!is_null(text), "{text:?}");
        }
    }

    #[test]
    fn only_true_and_false_are_booleans() {
        assert_eq!(boolean(" TRUE "), Some(true));
        assert_eq!(boolean("fal,se"), Some(false));
        for text in ["t", "yes", "1", "truefalse"] {
            assert_eq!(boolean(text), None);
        }
    }

    #[test]
    fn given_types_are_known_by_all_their_names() {
        assert_eq!(Given::of("VARCHAR(32)"), Given::Text);
        assert_eq!(Given::of("character  varying (3)"), Given::Text);
        assert_eq!(Given::of("numeric(12, 2)"), Given::Numeric);
        assert_eq!(
            Given::of("timestamp(3) without time zone"),
            Given::Timestamp
        );
        assert_eq!(Given::of("timestamptz"), Given::Other);
        assert_eq!(Given::of("integer[]"), Given::Other);
        assert_eq!(Given::of("\"char\""), Given::Other);
    }

    #[test]
    fn given_types_take_plain_values_only() {
        let int = Reading::Given(Given::Int4);
        assert_eq!(int.value("7"), Some(Value::Int4(7)));
        assert_eq!(int.value("007"), Some(Value::Int4(7)));
        for text in ["1,000", " 7", "2147483648", "x"] {
            assert_eq!(int.value(text), None, "{text}");
        }
        assert_eq!(
            Reading::Given(Given::Text).value(" 007 "),
            Some(Value::Text(" 007 "))
        );
        assert_eq!(Reading::Given(Given::Text).value("null"), Some(Value::Null));
        assert_eq!(Reading::Given(Given::Float8).value("1e400"), None);
    }
}
