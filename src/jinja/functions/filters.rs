//! Filters and tests of jinja2 that the engine lacks or that differ there.

use minijinja::value::{Kwargs, Value, ValueKind, from_args};
use minijinja::{Environment, Error, State};
use serde_json::Value as Json;

use crate::encode::{python_json, sorted};
use crate::jinja::error::fail;
use crate::jinja::value::to_json;

/// Adds them to an environment.
pub(in crate::jinja) fn register(env: &mut Environment<'static>) {
    env.add_filter(
        "int",
        |_: &mut State, value: Value, rest: minijinja::value::Rest<Value>| int(&value, &rest),
    );
    env.add_filter("float", float);
    env.add_filter("length", |v: Value| length(&v));
    env.add_filter("count", |v: Value| length(&v));
    env.add_filter("round", round);
    env.add_filter("tojson", tojson);
    env.add_filter("center", |v: Value, width: Option<usize>| {
        center(&v.to_string(), width.unwrap_or(80), ' ')
    });
    env.add_filter("truncate", truncate);
    env.add_filter("wordcount", |v: Value| {
        v.to_string().split_whitespace().count()
    });
    env.add_filter("wordwrap", wordwrap);
    env.add_filter("forceescape", |v: Value| escape(&v.to_string()));
    env.add_filter("escape", |v: Value| escape(&v.to_string()));
    env.add_filter("e", |v: Value| escape(&v.to_string()));
    env.add_filter("striptags", |v: Value| striptags(&v.to_string()));
    env.add_filter("random", random);
    env.add_test("callable", is_callable);
    env.add_test("number", |v: &Value| {
        matches!(v.kind(), ValueKind::Number | ValueKind::Bool)
    });
    env.add_test("iterable", |v: &Value| {
        v.try_iter().is_ok() && !v.is_none() && !v.is_undefined()
    });
    env.add_test("sequence", |v: &Value| {
        matches!(
            v.kind(),
            ValueKind::Seq | ValueKind::Map | ValueKind::String
        )
    });
}

/// The number of items; nothing undefined has any, as in jinja2.
fn length(value: &Value) -> Result<usize, Error> {
    if value.is_undefined() {
        return Ok(0);
    }
    let kind = value.kind();
    value
        .len()
        .ok_or_else(|| fail(format!("a value of type {kind} has no length")))
}

/// Two arguments by place or name.
fn two(args: &[Value], names: [&str; 2]) -> Result<(Option<Value>, Option<Value>), Error> {
    let (first, second, kwargs): (Option<Value>, Option<Value>, Kwargs) = from_args(args)?;
    let first = match first {
        Some(value) => Some(value),
        None => kwargs.get::<Option<Value>>(names[0])?,
    };
    let second = match second {
        Some(value) => Some(value),
        None => kwargs.get::<Option<Value>>(names[1])?,
    };
    Ok((first, second))
}

/// Python's `int()`; what is no number gives the default, normally 0.
fn int(value: &Value, args: &[Value]) -> Result<Value, Error> {
    let (default, base) = two(args, ["default", "base"])?;
    let base = base.and_then(|b| u32::try_from(b).ok()).unwrap_or(10);
    let found = match value.kind() {
        ValueKind::Bool => Some(Value::from(i64::from(value.is_true()))),
        ValueKind::Number if value.is_integer() => Some(value.clone()),
        ValueKind::Number => f64::try_from(value.clone()).ok().and_then(truncated),
        ValueKind::String => text_to_int(value.as_str().unwrap_or_default(), base),
        _ => None,
    };
    Ok(found.or(default).unwrap_or_else(|| Value::from(0)))
}

fn truncated(float: f64) -> Option<Value> {
    (float.is_finite() && float.abs() < 9e18).then(|| Value::from(float.trunc() as i64))
}

fn text_to_int(text: &str, base: u32) -> Option<Value> {
    let text = text.trim().replace('_', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    let prefix = match base {
        16 => "0x",
        8 => "0o",
        2 => "0b",
        _ => "",
    };
    let lower = digits.to_lowercase();
    let digits = lower.strip_prefix(prefix).unwrap_or(&lower);
    if (2..=36).contains(&base)
        && let Ok(int) = i64::from_str_radix(digits, base)
    {
        return Some(Value::from(sign * int));
    }
    text.parse::<f64>().ok().and_then(truncated)
}

fn float(value: Value, default: Option<Value>) -> Value {
    let found = match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value).ok(),
        ValueKind::String => value
            .as_str()
            .and_then(|t| t.trim().replace('_', "").parse().ok()),
        _ => None,
    };
    found.map_or_else(|| default.unwrap_or_else(|| Value::from(0.0)), Value::from)
}

/// Rounds halves to even, as Python does.
fn round(value: Value, precision: Option<i32>, method: Option<String>) -> Result<Value, Error> {
    let Ok(number) = f64::try_from(value.clone()) else {
        return Err(fail(format!(
            "round needs a number, this is a {}",
            value.kind()
        )));
    };
    let precision = precision.unwrap_or(0);
    let scale = 10f64.powi(precision);
    let rounded = match method.as_deref().unwrap_or("common") {
        "ceil" => (number * scale).ceil() / scale,
        "floor" => (number * scale).floor() / scale,
        "common" if precision >= 0 => {
            let places = usize::try_from(precision).unwrap_or(0);
            format!("{number:.places$}").parse().unwrap_or(number)
        }
        "common" => (number * scale).round_ties_even() / scale,
        other => {
            return Err(fail(format!(
                "round has no method `{other}`: use common, ceil or floor"
            )));
        }
    };
    Ok(Value::from(rounded))
}

/// The filter sorts keys and escapes what HTML gives a meaning, unlike the function.
fn tojson(value: Value, indent: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let indent = match indent {
        Some(indent) => indent.as_usize(),
        None => kwargs.get::<Option<usize>>("indent")?,
    };
    let json = sorted(to_json(&value));
    let text = match indent {
        Some(indent) => indented(&json, indent, 0),
        None => python_json(&json),
    };
    let escapes = [
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("'", "\\u0027"),
    ];
    let text = escapes
        .iter()
        .fold(text, |text, (from, to)| text.replace(from, to));
    Ok(Value::from(text))
}

fn indented(json: &Json, indent: usize, level: usize) -> String {
    let pad = " ".repeat(indent * (level + 1));
    let end = " ".repeat(indent * level);
    match json {
        Json::Object(map) if !map.is_empty() => {
            let entry = |(k, v): (&String, &Json)| {
                format!(
                    "{pad}{}: {}",
                    python_json(&Json::from(k.as_str())),
                    indented(v, indent, level + 1)
                )
            };
            format!(
                "{{\n{}\n{end}}}",
                map.iter().map(entry).collect::<Vec<_>>().join(",\n")
            )
        }
        Json::Array(items) if !items.is_empty() => {
            let item = |v: &Json| format!("{pad}{}", indented(v, indent, level + 1));
            format!(
                "[\n{}\n{end}]",
                items.iter().map(item).collect::<Vec<_>>().join(",\n")
            )
        }
        other => python_json(other),
    }
}

/// Text in the middle of a width; the odd place is on the left, as in Python.
pub(super) fn center(text: &str, width: usize, fill: char) -> String {
    let len = text.chars().count();
    let missing = width.saturating_sub(len);
    let left = missing / 2 + (missing & width & 1);
    let pad = |n: usize| fill.to_string().repeat(n);
    format!("{}{text}{}", pad(left), pad(missing - left))
}

fn truncate(
    value: Value,
    length: Option<usize>,
    killwords: Option<bool>,
    end: Option<String>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let length = length.or(kwargs.get("length")?).unwrap_or(255);
    let killwords = killwords.or(kwargs.get("killwords")?).unwrap_or(false);
    let end = end
        .or(kwargs.get("end")?)
        .unwrap_or_else(|| "...".to_owned());
    let leeway = kwargs.get::<Option<usize>>("leeway")?.unwrap_or(5);
    let text = value.to_string();
    if text.chars().count() <= length + leeway {
        return Ok(text);
    }
    let room = length.saturating_sub(end.chars().count());
    let cut: String = text.chars().take(room).collect();
    if killwords {
        return Ok(cut + &end);
    }
    let kept = cut.rsplit_once(' ').map_or(cut.as_str(), |(kept, _)| kept);
    Ok(kept.to_owned() + &end)
}

fn wordwrap(value: Value, width: Option<usize>) -> String {
    let width = width.unwrap_or(79);
    let wrap = |line: &str| {
        let mut lines: Vec<String> = vec![String::new()];
        for word in line.split(' ') {
            let current = lines.len() - 1;
            if lines[current].is_empty() {
                lines[current].push_str(word);
            } else if lines[current].chars().count() + 1 + word.chars().count() <= width {
                lines[current].push(' ');
                lines[current].push_str(word);
            } else {
                lines.push(word.to_owned());
            }
        }
        lines.join("\n")
    };
    value
        .to_string()
        .lines()
        .map(wrap)
        .collect::<Vec<_>>()
        .join("\n")
}

fn escape(text: &str) -> String {
    let escapes = [
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("\"", "&#34;"),
        ("'", "&#39;"),
    ];
    escapes
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn striptags(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn random(value: Value) -> Result<Value, Error> {
    let items: Vec<Value> = value.try_iter()?.collect();
    match items.is_empty() {
        true => Ok(Value::UNDEFINED),
        false => Ok(items[rand::random_range(0..items.len())].clone()),
    }
}

/// Macros, functions and methods can be called.
fn is_callable(value: &Value) -> bool {
    let Some(object) = value.as_object() else {
        return false;
    };
    let name = object.type_name();
    let callable = [
        "MacroCallable",
        "Function",
        "BoundMethod",
        "Macro",
        "Module",
        "ConfigObject",
        "Closure",
    ];
    let outer = name.split('<').next().unwrap_or(name);
    callable.iter().any(|suffix| outer.ends_with(suffix))
}
