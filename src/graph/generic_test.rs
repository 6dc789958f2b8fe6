//! Generic tests: dbt's names and ids for them, and the template that each becomes.

use indexmap::IndexMap;
use md5::{Digest, Md5};
use regex::Regex;
use serde_json::Value as Json;
use std::sync::LazyLock;

use crate::encode::{hex, python_str, write_quoted};

/// The longest name that dbt does not shorten by a hash.
const MAX_NAME: usize = 63;

/// Short and full name of a generic test, as dbt makes them: `<test>_<target>_<arguments>`.
/// `test` carries its prefixes (namespace, `source_`).
pub(super) fn names(test: &str, target: &str, args: &IndexMap<String, Json>) -> (String, String) {
    let mut keys: Vec<&String> = args.keys().filter(|k| *k != "model").collect();
    keys.sort();
    let mut flat = Vec::new();
    for key in keys {
        match &args[key] {
            Json::Object(map) => flat.extend(map.values().map(python_str)),
            Json::Array(list) => flat.extend(list.iter().map(python_str)),
            other => flat.push(python_str(other)),
        }
    }
    let clean: Vec<String> = flat.iter().map(|text| clean(text)).collect();
    let identifier = format!("{test}_{target}");
    let full = format!("{identifier}_{}", clean.join("__"));
    if full.chars().count() <= MAX_NAME {
        return (full.clone(), full);
    }
    let cut: String = identifier.chars().take(30).collect();
    (format!("{cut}_{}", md5_hex(&full)), full)
}

fn clean(text: &str) -> String {
    static OTHER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("[^0-9a-zA-Z_]+").expect("a constant pattern compiles"));
    OTHER.replace_all(text, "_").into_owned()
}

/// The ten hex digits that end a generic test's unique id: a hash of its name and of Python's
/// printing of `{kwargs, name, namespace}`, keys sorted, every value as text.
pub(super) fn id_hash(
    name: &str,
    test: &str,
    namespace: Option<&str>,
    kwargs: &IndexMap<String, Json>,
) -> String {
    let kwargs: serde_json::Map<String, Json> =
        kwargs.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let metadata = serde_json::json!({
        "namespace": namespace.map_or(Json::String("None".into()), |n| Json::String(n.into())),
        "name": test,
        "kwargs": kwargs,
    });
    let mut text = name.to_owned();
    write_hashable(&metadata, &mut text);
    let hash = md5_hex(&text);
    hash[hash.len() - 10..].to_owned()
}

/// Python's `repr` of a value whose leaves were turned into strings and whose keys are sorted.
fn write_hashable(value: &Json, out: &mut String) {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<(&String, &Json)> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_quoted(key, out);
                out.push_str(": ");
                write_hashable(value, out);
            }
            out.push('}');
        }
        Json::Array(list) => {
            out.push('[');
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_hashable(value, out);
            }
            out.push(']');
        }
        Json::String(text) => write_quoted(text, out),
        leaf => write_quoted(&python_str(leaf), out),
    }
}

fn md5_hex(text: &str) -> String {
    hex(Md5::digest(text.as_bytes()))
}

/// The template of a generic test: one call of its macro with the arguments as Jinja source.
/// `model` is the Jinja expression of the tested relation.
pub(super) fn template(macro_name: &str, model: &str, args: &IndexMap<String, Json>) -> String {
    let mut parts = vec![format!("model={model}")];
    parts.extend(args.iter().map(|(key, value)| {
        let literal = if key == "column_name" {
            literal(value, false)
        } else {
            literal(value, true)
        };
        format!("{key}={literal}")
    }));
    format!("{{{{ {macro_name}({}) }}}}", parts.join(", "))
}

/// A value as Jinja source. Text that is a call of `ref` and the like, or that is one whole
/// Jinja expression, stays an expression.
fn literal(value: &Json, expressions: bool) -> String {
    static CALL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?s)^\s*(env_var|ref|var|source|doc)\s*\(.+\)\s*$")
            .expect("a constant pattern compiles")
    });
    match value {
        Json::Null => "none".to_owned(),
        Json::Bool(b) => b.to_string(),
        Json::Number(n) => n.to_string(),
        Json::String(text) if expressions && CALL.is_match(text) => text.trim().to_owned(),
        Json::String(text) if expressions => whole_expression(text)
            .map(|inner| format!("({inner})"))
            .or_else(|| with_expressions(text))
            .unwrap_or_else(|| string_literal(text)),
        Json::String(text) => string_literal(text),
        Json::Array(list) => {
            let parts: Vec<String> = list.iter().map(|v| literal(v, expressions)).collect();
            format!("[{}]", parts.join(", "))
        }
        Json::Object(map) => {
            let parts: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{}: {}", string_literal(k), literal(v, expressions)))
                .collect();
            format!("{{{}}}", parts.join(", "))
        }
    }
}

/// The inside of text that is exactly one `{{ … }}`.
fn whole_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let one = !inner.contains("{{") && !inner.contains("}}");
    one.then(|| inner.trim_matches('-').trim())
}

/// Text with `{{ … }}` among other text, as one expression that puts the pieces together.
fn with_expressions(text: &str) -> Option<String> {
    if text.contains("{%") {
        return None;
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, behind) = after.split_once("}}")?;
        pieces.push(string_literal(before));
        pieces.push(format!("({})", inner.trim_matches('-').trim()));
        rest = behind;
    }
    if pieces.is_empty() {
        return None;
    }
    pieces.push(string_literal(rest));
    Some(format!("({})", pieces.join(" ~ ")))
}

/// A Jinja string. Pieces that look like Jinja tags are broken up, so that the lexer of the
/// template does not see them.
fn string_literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '{' => out.push_str("\\u007b"),
            '}' => out.push_str("\\u007d"),
            '%' => out.push_str("\\u0025"),
            '#' => out.push_str("\\u0023"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn args(value: Json) -> IndexMap<String, Json> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_test_of_a_well_known_project_gets_its_well_known_id() {
        let args = args(json!({
            "column_name": "customer_id",
            "model": "{{ get_where_subquery(ref('customers')) }}"
        }));
        let (short, full) = names("unique", "customers", &args);
        assert_eq!(short, "unique_customers_customer_id");
        assert_eq!(id_hash(&full, "unique", None, &args), "c5af1ff4b1");
        let (_, full) = names("not_null", "customers", &args);
        assert_eq!(id_hash(&full, "not_null", None, &args), "5c9bf9911d");
    }

    #[test]
    fn a_long_name_is_shortened_by_its_hash() {
        let args = args(json!({"column_name": "c".repeat(60)}));
        let (short, full) = names("not_null", "orders", &args);
        assert_eq!(full, format!("not_null_orders_{}", "c".repeat(60)));
        assert_eq!(short.len(), "not_null_orders".len() + 1 + 32);
    }

    #[test]
    fn expressions_among_text_are_put_together_with_it() {
        let args =
            args(json!({ "row_condition": "day = {{ yesterday() }} and {{ b }}", "c": "{% x %}" }));
        assert_eq!(
            template("test_t", "m", &args),
            "{{ test_t(model=m, row_condition=(\"day = \" ~ (yesterday()) ~ \" and \" ~ (b) ~ \"\"), \
             c=\"\\u007b\\u0025 x \\u0025\\u007d\") }}"
        );
    }

    #[test]
    fn arguments_become_jinja_and_refs_stay_calls() {
        let args = args(json!({
            "column_name": "a\"b", "to": "ref('x')", "values": ["{{ 1 }}", 2, null, "50%"]
        }));
        assert_eq!(
            template("test_t", "m", &args),
            "{{ test_t(model=m, column_name=\"a\\\"b\", to=ref('x'), \
             values=[(1), 2, none, \"50\\u0025\"]) }}"
        );
    }
}
