//! Types of fixture columns that neither the catalog nor a property file knows, and values as
//! the text that Postgres reads.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;

use crate::project::FixtureFormat;

static INTEGER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[-+]?(0|[1-9]\d{0,17})$"));
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[-+]?((0|[1-9]\d*)(\.\d+)?|\.\d+)([eE][-+]?\d+)?$"));
static EXPONENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[-+]?\d+(\.\d+)?[eE][-+]?\d+$"));
static DATE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{4}-\d{2}-\d{2}$"));
static TIMESTAMP: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$"));
static INSTANT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|z|[-+]\d{2}(:?\d{2})?)$")
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern compiles")
}

/// A guess from a column's values; `None` when all are null.
pub(super) fn guess(values: &[&Json], format: FixtureFormat) -> Option<&'static str> {
    let given: Vec<&Json> = values.iter().copied().filter(|v| !v.is_null()).collect();
    if given.is_empty() {
        return None;
    }
    let all = |is: &dyn Fn(&Json) -> bool| given.iter().all(|v| is(v));
    let text = |is: &Regex| all(&|v| v.as_str().is_some_and(|t| is.is_match(t)));
    let is_csv = format == FixtureFormat::Csv;
    Some(if all(&Json::is_boolean) {
        "boolean"
    } else if all(&|v| v.is_i64() || v.is_u64()) {
        integer(&given, |v| v.as_i64())
    } else if all(&|v| v.is_number() || v.as_str().is_some_and(|t| EXPONENT.is_match(t))) {
        "numeric"
    } else if is_csv && text(&INTEGER) {
        integer(&given, |v| v.as_str()?.parse().ok())
    } else if is_csv && text(&NUMBER) {
        "numeric"
    } else if is_csv && all(&|v| v.as_str().is_some_and(is_truth)) {
        "boolean"
    } else if text(&DATE) {
        "date"
    } else if text(&TIMESTAMP) {
        "timestamp without time zone"
    } else if text(&INSTANT) {
        "timestamp with time zone"
    } else if all(&Json::is_array) {
        array(&given)
    } else if all(&|v| v.is_array() || v.is_object()) {
        "jsonb"
    } else {
        "text"
    })
}

fn is_truth(text: &str) -> bool {
    ["true", "false", "True", "False", "TRUE", "FALSE"].contains(&text)
}

fn integer(values: &[&Json], read: impl Fn(&Json) -> Option<i64>) -> &'static str {
    let numbers: Option<Vec<i64>> = values.iter().map(|v| read(v)).collect();
    match numbers {
        Some(all) if all.iter().all(|n| i32::try_from(*n).is_ok()) => "integer",
        Some(_) => "bigint",
        None => "numeric",
    }
}

fn array(values: &[&Json]) -> &'static str {
    let items: Vec<&Json> = values
        .iter()
        .filter_map(|v| v.as_array())
        .flatten()
        .collect();
    if items.iter().all(|v| v.is_i64() || v.is_null()) && !items.is_empty() {
        "bigint[]"
    } else if items.iter().all(|v| v.is_number() || v.is_null()) && !items.is_empty() {
        "numeric[]"
    } else if items.iter().all(|v| v.is_string() || v.is_null()) {
        "text[]"
    } else {
        "jsonb"
    }
}

/// A value as the text that a type reads; `None` is NULL.
pub(super) fn text_of(value: &Json, data_type: &str) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number_text(number, data_type)),
        Json::Array(items) if data_type.ends_with(']') => Some(array_text(items, data_type)),
        other => Some(other.to_string()),
    }
}

/// `1000.0` is a whole number, and the integer types read it only without its fraction.
fn number_text(number: &serde_json::Number, data_type: &str) -> String {
    match number.as_f64() {
        Some(float)
            if number.is_f64()
                && float.fract() == 0.0
                && float.abs() < 1e15
                && matches!(
                    data_type,
                    "smallint" | "integer" | "bigint" | "int" | "int2" | "int4" | "int8"
                ) =>
        {
            format!("{float:.0}")
        }
        _ => number.to_string(),
    }
}

/// Postgres' text form of an array.
fn array_text(items: &[Json], data_type: &str) -> String {
    let item = |value: &Json| match value {
        Json::Null => "NULL".to_owned(),
        Json::Array(inner) => array_text(inner, data_type),
        Json::String(text) => {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Json::Number(number) => number.to_string(),
        other => format!(
            "\"{}\"",
            other.to_string().replace('\\', "\\\\").replace('"', "\\\"")
        ),
    };
    let items: Vec<String> = items.iter().map(item).collect();
    format!("{{{}}}", items.join(","))
}

/// A type in a cast that cuts nothing off: `character varying(3)` would shorten a value silently,
/// and `character` and `bit` alone mean one character.
pub(super) fn cast_type(data_type: &str) -> String {
    let (name, array) = match data_type.strip_suffix("[]") {
        Some(name) => (name, "[]"),
        None => (data_type, ""),
    };
    let lower = name.to_ascii_lowercase();
    let name = match lower.as_str() {
        "character" | "char" => "bpchar",
        "bit" => "pg_catalog.\"bit\"",
        lower if lower.starts_with("character varying(") || lower.starts_with("varchar(") => {
            "character varying"
        }
        _ => name,
    };
    format!("{name}{array}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn guessed(values: &Json, format: FixtureFormat) -> Option<&'static str> {
        let values: Vec<&Json> = values.as_array().expect("a list").iter().collect();
        guess(&values, format)
    }

    #[test]
    fn values_of_yaml_tell_their_type() {
        for (values, expected) in [
            (json!([1, null, -2]), Some("integer")),
            (json!([1, 3_000_000_000_i64]), Some("bigint")),
            (json!([1, 2.5]), Some("numeric")),
            (json!([1, "1e3"]), Some("numeric")),
            (json!([true, false]), Some("boolean")),
            (json!(["2024-02-29", null]), Some("date")),
            (
                json!(["2024-02-29 10:00"]),
                Some("timestamp without time zone"),
            ),
            (
                json!(["2024-02-29T10:00:00.5Z"]),
                Some("timestamp with time zone"),
            ),
            (json!(["2024-02-29", "x"]), Some("text")),
            (json!(["12"]), Some("text")),
            (json!([1, "a"]), Some("text")),
            (json!([{"a": 1}]), Some("jsonb")),
            (json!([[1, 2], []]), Some("bigint[]")),
            (json!([["a"]]), Some("text[]")),
            (json!([null]), None),
            (json!([]), None),
        ] {
            assert_eq!(guessed(&values, FixtureFormat::Dict), expected, "{values}");
        }
    }

    #[test]
    fn values_of_csv_are_text_that_may_be_more() {
        for (values, expected) in [
            (json!(["1", null, "-20"]), Some("integer")),
            (json!(["1", "2.50", ".5"]), Some("numeric")),
            (json!(["007"]), Some("text")),
            (json!(["true", "False"]), Some("boolean")),
            (json!(["9999999999"]), Some("bigint")),
        ] {
            assert_eq!(guessed(&values, FixtureFormat::Csv), expected, "{values}");
        }
    }

    #[test]
    fn a_value_becomes_the_text_that_its_type_reads() {
        assert_eq!(text_of(&json!(1000.0), "integer").as_deref(), Some("1000"));
        assert_eq!(text_of(&json!(1000.0), "text").as_deref(), Some("1000.0"));
        assert_eq!(
            text_of(&json!(["a\"b", null]), "text[]").as_deref(),
            Some("{\"a\\\"b\",NULL}")
        );
        assert_eq!(text_of(&json!([1]), "jsonb").as_deref(), Some("[1]"));
        assert_eq!(text_of(&json!(null), "text"), None);
    }

    #[test]
    fn a_cast_cuts_nothing_off() {
        assert_eq!(cast_type("character varying(3)"), "character varying");
        assert_eq!(cast_type("character"), "bpchar");
        assert_eq!(cast_type("character[]"), "bpchar[]");
        assert_eq!(cast_type("numeric(10,2)"), "numeric(10,2)");
    }
}
