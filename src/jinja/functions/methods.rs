//! Python's methods on text, numbers, tuples and what the engine's own values lack.

use minijinja::value::{Kwargs, Tuple, Value, ValueKind, from_args};
use minijinja::{Error, State, UndefinedBehavior};

use super::filters::center;
use crate::jinja::context::RenderState;
use crate::jinja::error::fail;
use crate::jinja::value::{List, own};

/// What the engine asks for a method that a value does not have by itself. At parse time a
/// method of something undefined is undefined.
pub(in crate::jinja) fn unknown_method(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if value.is_undefined() && state.undefined_behavior() == UndefinedBehavior::Chainable {
        RenderState::run(state)?
            .undefined_methods()
            .push(method.to_owned());
        return Ok(Value::UNDEFINED);
    }
    let found = match value.kind() {
        ValueKind::String => text(value.as_str().unwrap_or_default(), method, args),
        ValueKind::Seq => sequence(value, method, args),
        _ => None,
    };
    match found {
        Some(result) => result,
        None => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)
            .map(own),
    }
}

fn sequence(value: &Value, method: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    if method != "index" {
        return None;
    }
    let find = || {
        let (wanted,): (Value,) = from_args(args)?;
        match value.try_iter()?.position(|item| item == wanted) {
            Some(at) => Ok(Value::from(at)),
            None => Err(fail(format!("{wanted} is not in the sequence"))),
        }
    };
    Some(find())
}

type Found = Option<Result<Value, Error>>;

/// Methods of text that pycompat lacks, or that take named arguments.
fn text(s: &str, method: &str, args: &[Value]) -> Found {
    let result = match method {
        "split" | "rsplit" => split(s, args, method == "rsplit"),
        "partition" => partition(s, args, false),
        "rpartition" => partition(s, args, true),
        "center" | "ljust" | "rjust" => justify(s, args, method),
        "zfill" => zfill(s, args),
        "index" | "rindex" => index(s, args, method == "rindex"),
        "removeprefix" | "removesuffix" => remove(s, args, method == "removeprefix"),
        "swapcase" => Ok(Value::from(swapped(s))),
        "casefold" => Ok(Value::from(s.to_lowercase())),
        "istitle" => Ok(Value::from(is_title(s))),
        "isidentifier" => Ok(Value::from(is_identifier(s))),
        "isdecimal" => Ok(Value::from(
            !s.is_empty() && s.chars().all(|c| c.is_ascii_digit()),
        )),
        "expandtabs" => Ok(Value::from(s.replace('\t', "        "))),
        "encode" => Ok(Value::from_bytes(s.as_bytes().to_vec())),
        _ => return None,
    };
    Some(result)
}

/// `split(sep=None, maxsplit=-1)` from either end.
fn split(s: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator, limit, kwargs): (Option<Value>, Option<i64>, Kwargs) = from_args(args)?;
    let separator = match separator {
        Some(separator) => Some(separator),
        None => kwargs.get::<Option<Value>>("sep")?,
    };
    let limit = match limit {
        Some(limit) => Some(limit),
        None => kwargs.get::<Option<i64>>("maxsplit")?,
    };
    kwargs.assert_all_used()?;
    let pieces = match limit {
        Some(limit) if limit >= 0 => usize::try_from(limit).unwrap_or(0) + 1,
        _ => usize::MAX,
    };
    let parts: Vec<String> = match separator.as_ref().filter(|v| !v.is_none()) {
        Some(separator) => {
            let separator = separator.as_str().unwrap_or_default();
            if separator.is_empty() {
                return Err(fail("split() needs a separator that is not empty"));
            }
            if from_right {
                let mut parts: Vec<&str> = s.rsplitn(pieces, separator).collect();
                parts.reverse();
                parts.into_iter().map(str::to_owned).collect()
            } else {
                s.splitn(pieces, separator).map(str::to_owned).collect()
            }
        }
        None => split_whitespace(s, pieces, from_right),
    };
    Ok(List::value(parts.into_iter().map(Value::from).collect()))
}

/// Splits at runs of whitespace; the rest beyond the last piece keeps its own.
fn split_whitespace(s: &str, pieces: usize, from_right: bool) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = s.trim();
    while !rest.is_empty() {
        let cut = if from_right {
            rest.rfind(char::is_whitespace)
        } else {
            rest.find(char::is_whitespace)
        };
        match cut.filter(|_| parts.len() + 1 < pieces) {
            Some(at) if from_right => {
                let width = rest[at..].chars().next().map_or(1, char::len_utf8);
                parts.push(rest[at + width..].to_owned());
                rest = rest[..at].trim_end();
            }
            Some(at) => {
                parts.push(rest[..at].to_owned());
                rest = rest[at..].trim_start();
            }
            None => {
                parts.push(rest.to_owned());
                rest = "";
            }
        }
    }
    if from_right {
        parts.reverse();
    }
    parts
}

fn partition(s: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator,): (String,) = from_args(args)?;
    let cut = if from_right {
        s.rsplit_once(&separator)
    } else {
        s.split_once(&separator)
    };
    let parts = match cut {
        Some((before, after)) => [before, separator.as_str(), after],
        None if from_right => ["", "", s],
        None => [s, "", ""],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn justify(s: &str, args: &[Value], method: &str) -> Result<Value, Error> {
    let (width, fill): (usize, Option<String>) = from_args(args)?;
    let fill = fill.and_then(|f| f.chars().next()).unwrap_or(' ');
    let missing = width.saturating_sub(s.chars().count());
    let pad = fill.to_string().repeat(missing);
    Ok(Value::from(match method {
        "ljust" => format!("{s}{pad}"),
        "rjust" => format!("{pad}{s}"),
        _ => center(s, width, fill),
    }))
}

fn zfill(s: &str, args: &[Value]) -> Result<Value, Error> {
    let (width,): (usize,) = from_args(args)?;
    let (sign, digits) = match s.strip_prefix(['-', '+']) {
        Some(digits) => (&s[..1], digits),
        None => ("", s),
    };
    let missing = width.saturating_sub(s.chars().count());
    Ok(Value::from(format!(
        "{sign}{}{digits}",
        "0".repeat(missing)
    )))
}

fn index(s: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (wanted,): (String,) = from_args(args)?;
    let found = if from_right {
        s.rfind(&wanted)
    } else {
        s.find(&wanted)
    };
    match found {
        Some(at) => Ok(Value::from(s[..at].chars().count())),
        None => Err(fail(format!("`{wanted}` is not in `{s}`"))),
    }
}

fn remove(s: &str, args: &[Value], prefix: bool) -> Result<Value, Error> {
    let (affix,): (String,) = from_args(args)?;
    let rest = if prefix {
        s.strip_prefix(&affix)
    } else {
        s.strip_suffix(&affix)
    };
    Ok(Value::from(rest.unwrap_or(s)))
}

fn swapped(s: &str) -> String {
    let swap = |c: char| -> String {
        if c.is_uppercase() {
            c.to_lowercase().collect()
        } else {
            c.to_uppercase().collect()
        }
    };
    s.chars().map(swap).collect()
}

fn is_title(s: &str) -> bool {
    let mut words = s
        .split(|c: char| !c.is_alphabetic())
        .filter(|w| !w.is_empty())
        .peekable();
    words.peek().is_some()
        && words.all(|word| {
            let mut chars = word.chars();
            chars.next().is_some_and(char::is_uppercase) && chars.all(char::is_lowercase)
        })
}

fn is_identifier(s: &str) -> bool {
    let mut chars = s.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
}
