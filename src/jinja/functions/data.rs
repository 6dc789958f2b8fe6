//! Conversions and small helpers: JSON, YAML, sets, hashes, dbt's filters.

use indexmap::IndexMap;
use md5::{Digest, Md5};
use minijinja::value::{Kwargs, Tuple, Value, from_args};
use minijinja::{Environment, Error, State};
use serde_json::Value as Json;

use super::Body;
use crate::encode::{hex, python_json, sorted};
use crate::jinja::error::fail;
use crate::jinja::value::{Dict, List, Set, dict, from_json, to_json};
use crate::money::CURRENCIES;

/// The functions by name.
pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("tojson", to_json_text),
    ("fromjson", from_json_text),
    ("toyaml", to_yaml_text),
    ("fromyaml", from_yaml_text),
    ("set", set),
    ("set_strict", set_strict),
    ("zip", zip),
    ("zip_strict", zip_strict),
    ("local_md5", local_md5),
    ("diff_of_two_dicts", diff_of_two_dicts),
    ("dict", |_, args| dict(args)),
    ("iso_4217", iso_4217),
];

/// dbt's filters.
pub(super) fn register_filters(env: &mut Environment<'static>) {
    env.add_filter("as_text", |v: Value| v.to_string());
    env.add_filter("as_bool", |v: Value| v);
    env.add_filter("as_native", |v: Value| v);
    env.add_filter("as_number", |v: Value| v);
}

/// A value and an optional default, which may be named.
fn with_default(args: &[Value]) -> Result<(Value, Option<Value>, Kwargs), Error> {
    let (value, default, kwargs): (Value, Option<Value>, Kwargs) = from_args(args)?;
    let default = match default {
        Some(default) => Some(default),
        None => kwargs.get::<Option<Value>>("default")?,
    };
    Ok((value, default, kwargs))
}

fn none() -> Value {
    Value::from(())
}

fn to_json_text(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (value, _, kwargs) = with_default(args)?;
    let mut json = to_json(&value);
    if kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(false) {
        json = sorted(json);
    }
    Ok(Value::from(python_json(&json)))
}

fn from_json_text(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (text, default, _) = with_default(args)?;
    let parsed = text
        .as_str()
        .and_then(|t| serde_json::from_str::<Json>(t).ok());
    Ok(parsed.map_or_else(|| default.unwrap_or_else(none), |json| from_json(&json)))
}

fn to_yaml_text(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (value, default, kwargs) = with_default(args)?;
    let mut json = to_json(&value);
    if kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(false) {
        json = sorted(json);
    }
    match serde_yaml::to_string(&json) {
        Ok(text) => Ok(Value::from(text)),
        Err(_) => Ok(default.unwrap_or_else(none)),
    }
}

fn from_yaml_text(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (text, default, _) = with_default(args)?;
    let parsed = text
        .as_str()
        .and_then(|t| serde_yaml::from_str::<Json>(t).ok());
    Ok(parsed.map_or_else(|| default.unwrap_or_else(none), |json| from_json(&json)))
}

fn set(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (value, default, _) = with_default(args)?;
    match Set::of(&value) {
        Ok(set) => Ok(set),
        Err(_) => Ok(default.unwrap_or_else(none)),
    }
}

fn set_strict(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (value,): (Value,) = from_args(args)?;
    Set::of(&value)
}

fn zip(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let kwargs = args.last().filter(|v| v.is_kwargs()).cloned();
    match (zip_strict(state, args), kwargs) {
        (Ok(zipped), _) => Ok(zipped),
        (Err(_), Some(kwargs)) => Ok(kwargs.get_attr("default").unwrap_or_else(|_| none())),
        (Err(_), None) => Ok(none()),
    }
}

fn zip_strict(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let lists = args.iter().filter(|v| !v.is_kwargs());
    let lists: Vec<Vec<Value>> = lists
        .map(|v| v.try_iter().map(Iterator::collect))
        .collect::<Result<_, Error>>()?;
    let len = lists.iter().map(Vec::len).min().unwrap_or(0);
    let row = |i: usize| {
        let items: Vec<Value> = lists.iter().map(|list| list[i].clone()).collect();
        Value::from(Tuple::from(items))
    };
    Ok(List::value((0..len).map(row).collect()))
}

fn local_md5(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (text,): (Value,) = from_args(args)?;
    Ok(Value::from(md5_hex(&text.to_string())))
}

/// The MD5 of text as 32 lower-case hexadecimal digits.
fn md5_hex(text: &str) -> String {
    hex(Md5::digest(text.as_bytes()))
}

/// Entries of the first mapping of lists that the second one lacks, compared without case.
fn diff_of_two_dicts(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (a, b): (Value, Value) = from_args(args)?;
    let (Json::Object(a), Json::Object(b)) = (to_json(&a), to_json(&b)) else {
        return Err(fail("diff_of_two_dicts() takes two dictionaries"));
    };
    let lower = |json: &Json| json.as_str().unwrap_or_default().to_lowercase();
    let b: IndexMap<String, Json> = b.into_iter().map(|(k, v)| (k.to_lowercase(), v)).collect();
    let mut diff = IndexMap::new();
    for (key, items) in a {
        let known: Vec<String> = match b.get(&key.to_lowercase()) {
            Some(Json::Array(items)) => items.iter().map(lower).collect(),
            _ => Vec::new(),
        };
        let Json::Array(items) = items else { continue };
        let new: Vec<Json> = items
            .into_iter()
            .filter(|v| !known.contains(&lower(v)))
            .collect();
        if !new.is_empty() {
            diff.insert(Value::from(key), from_json(&Json::Array(new)));
        }
    }
    Ok(Dict::value(diff))
}

/// The active currencies of ISO 4217: code to decimals, `none` for those without a minor unit.
fn iso_4217(_: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
    let entry = |(code, decimals): &(&str, Option<u8>)| {
        (Value::from(*code), decimals.map_or_else(none, Value::from))
    };
    Ok(Dict::value(CURRENCIES.iter().map(entry).collect()))
}

/// Environment variables `DBT_ENV_CUSTOM_ENV_*`, by what follows the prefix.
pub(super) fn metadata_envs(env: &IndexMap<String, String>) -> Value {
    let entry = |(name, value): (&String, &String)| {
        let short = name.strip_prefix("DBT_ENV_CUSTOM_ENV_")?;
        Some((Value::from(short), Value::from(value)))
    };
    Dict::value(env.iter().filter_map(entry).collect())
}
