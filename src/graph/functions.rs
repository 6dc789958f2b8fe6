//! User-defined functions: what their properties say, and what they lack.

use serde_json::{Map, Value as Json, json};

use super::Node;
use crate::diag::{Diagnostic, codes};
use crate::project::ResourceProperties;

/// What a function lacks that Postgres must know.
pub(super) fn check(node: &Node, properties: Option<&ResourceProperties>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut say = |what: String, hint: &str| {
        let problem = Diagnostic::error(codes::FUNCTION_FORM, what).hint(hint);
        problems.push(match properties {
            Some(properties) => problem.at(properties.name.span, ""),
            None => problem.in_file(&node.path),
        });
    };
    let name = &node.name;
    let text = |value: Option<&Json>| value.and_then(Json::as_str).is_some_and(|t| !t.is_empty());
    let returns = node.other.get("returns");
    if !text(returns.and_then(|returns| returns.get("data_type"))) {
        let what = format!("function `{name}` does not say what it returns");
        let hint = "describe it under `functions:` with `returns: {data_type: integer}`";
        say(what, hint);
    }
    let arguments = node.other.get("arguments").and_then(Json::as_array);
    for argument in arguments.into_iter().flatten() {
        if !text(argument.get("name")) || !text(argument.get("data_type")) {
            let what = format!("an argument of function `{name}` lacks its name or type");
            say(what, "write `- {name: x, data_type: integer}`");
        }
    }
    let kind = node.config.raw.get("type").and_then(Json::as_str);
    if let Some(kind) = kind.filter(|kind| *kind != "scalar") {
        let what = format!("function `{name}` is of type {kind}, which is not there for Postgres");
        say(what, "write a scalar function");
    }
    problems
}

/// Its arguments as dbt keeps them.
pub(super) fn arguments(node: &Node) -> Json {
    let list = node.other.get("arguments").and_then(Json::as_array);
    let list = list.map_or(&[][..], Vec::as_slice);
    let argument = |written: &Json| {
        let of = |key: &str| written.get(key).cloned().unwrap_or(Json::Null);
        json!({
            "name": of("name"), "data_type": of("data_type"),
            "description": of("description"), "default_value": of("default_value"),
        })
    };
    list.iter().map(argument).collect()
}

/// What it returns as dbt keeps it.
pub(super) fn returns(node: &Node) -> Json {
    let written = node.other.get("returns").and_then(Json::as_object);
    let of = |key: &str| {
        written
            .and_then(|w: &Map<String, Json>| w.get(key))
            .cloned()
    };
    json!({"data_type": of("data_type"), "description": of("description")})
}
