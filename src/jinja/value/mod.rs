//! Values as Python has them: mutable lists, dictionaries and sets, and the ways from and to
//! JSON and the engine's own values.

mod dict;
mod list;
mod ops;
mod set;

use minijinja::value::{ObjectRepr, Tuple, Value, ValueKind};
use minijinja::{Error, State};
use serde_json::Value as Json;

pub(super) use dict::{Dict, dict};
pub(super) use list::List;
pub(super) use ops::register;
pub(super) use set::Set;

/// Turns sequences and maps of the engine's own into ours, deeply. Values that are ours, and
/// objects with a life of their own (relations, macros, namespaces), stay what they are.
pub(super) fn own(value: Value) -> Value {
    let Some(object) = value.as_object() else {
        return value;
    };
    if value.is_tuple() {
        let items: Vec<Value> = value.try_iter().into_iter().flatten().map(own).collect();
        return Value::from(Tuple::from(items));
    }
    if !is_plain(object.type_name()) {
        return value;
    }
    match object.repr() {
        ObjectRepr::Seq | ObjectRepr::Iterable => {
            List::value(value.try_iter().into_iter().flatten().map(own).collect())
        }
        ObjectRepr::Map => {
            let pairs = object.try_iter_pairs().into_iter().flatten();
            Dict::value(pairs.map(|(k, v)| (k, own(v))).collect())
        }
        _ => value,
    }
}

/// Whether an object's type is one of the engine's plain containers.
fn is_plain(type_name: &str) -> bool {
    let own_crate = type_name.starts_with(env!("CARGO_PKG_NAME"));
    let special = [
        "Macro",
        "Module",
        "Namespace",
        "Loop",
        "Function",
        "Closure",
        "Group",
    ];
    let outer = type_name.split('<').next().unwrap_or(type_name);
    !own_crate && !special.iter().any(|name| outer.ends_with(name))
}

/// A value as Python's `repr` prints it inside of containers.
pub(super) fn repr(value: &Value) -> String {
    format!("{value:?}")
}

/// Applies a filter of the engine by name.
pub(super) fn call_filter(
    state: &mut State<'_, '_>,
    name: &str,
    value: &Value,
    args: &[Value],
) -> Result<Value, Error> {
    let mut all = Vec::with_capacity(args.len() + 1);
    all.push(value.clone());
    all.extend_from_slice(args);
    state.apply_filter(name, &all)
}

/// JSON as a value of ours.
pub(super) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(b) => Value::from(*b),
        Json::Number(n) => number(n),
        Json::String(s) => Value::from(s.as_str()),
        Json::Array(items) => List::value(items.iter().map(from_json).collect()),
        Json::Object(entries) => Dict::value(
            entries
                .iter()
                .map(|(k, v)| (Value::from(k.as_str()), from_json(v)))
                .collect(),
        ),
    }
}

fn number(n: &serde_json::Number) -> Value {
    if let Some(i) = n.as_i64() {
        Value::from(i)
    } else if let Some(u) = n.as_u64() {
        Value::from(u)
    } else {
        Value::from(n.as_f64().unwrap_or(f64::NAN))
    }
}

/// A value as JSON; what JSON has no form for (relations, dates) becomes its text.
pub(super) fn to_json(value: &Value) -> Json {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => number_json(value),
        ValueKind::Seq | ValueKind::Iterable => Json::Array(
            value
                .try_iter()
                .into_iter()
                .flatten()
                .map(|v| to_json(&v))
                .collect(),
        ),
        ValueKind::Map if !renders_itself(value) => {
            let pairs = value.as_object().and_then(|o| o.try_iter_pairs());
            let entry = |(k, v): (Value, Value)| (k.to_string(), to_json(&v));
            Json::Object(pairs.into_iter().flatten().map(entry).collect())
        }
        _ => Json::String(value.to_string()),
    }
}

/// A map-like object whose text is its meaning, such as a relation.
fn renders_itself(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|o| o.type_name().ends_with("RelationObject"))
}

fn number_json(value: &Value) -> Json {
    if value.is_integer() {
        if let Some(i) = value.as_i64() {
            return Json::from(i);
        }
        if let Ok(u) = u64::try_from(value.clone()) {
            return Json::from(u);
        }
    }
    f64::try_from(value.clone())
        .ok()
        .and_then(serde_json::Number::from_f64)
        .map_or(Json::Null, Json::Number)
}
