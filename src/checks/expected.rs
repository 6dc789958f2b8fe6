//! What a data test expects, in words, for the report of its failure.

use serde_json::Value as Json;

use crate::graph::{Detail, GenericTest, Graph, Node};

/// One sentence: what should hold of which relation.
pub fn expected(graph: &Graph, node: &Node) -> String {
    match &node.detail {
        Detail::GenericTest(test) => {
            let target = graph.node(test.attached).label();
            generic(test, &target)
        }
        _ => match node.description.trim() {
            "" => format!("no rows from {}", node.path),
            text => text.lines().next().unwrap_or_default().to_owned(),
        },
    }
}

fn generic(test: &GenericTest, target: &str) -> String {
    let arg = |name: &str| test.arguments.get(name);
    let column = match &test.column {
        Some(column) => format!("{target}.{column}"),
        None => target.to_owned(),
    };
    match test.test.as_str() {
        "not_null" => format!("{column} is never null"),
        "unique" => format!("{column} is unique"),
        "grain_unique" => match arg("columns") {
            Some(columns) => format!("{target} has one row per ({})", list(columns)),
            None => format!("{target} has one row per {}", column_name(test)),
        },
        "accepted_values" => {
            format!(
                "{column} is one of: {}",
                arg("values").map(list).unwrap_or_default()
            )
        }
        "relationships" => format!(
            "every {column} is found in {}.{}",
            arg("to").map(text).unwrap_or_default(),
            arg("field").map(text).unwrap_or_default()
        ),
        "money" => format!("{column} is money: {}", money(test)),
        "money_decimals" => format!("{column} has no more decimals than its currency"),
        "reconciles" => format!(
            "{target} reconciles with {}",
            arg("to").map(text).unwrap_or_default()
        ),
        "value_between" => between(&column, test),
        "expression_is_true" => {
            format!(
                "in every row of {target}: {}",
                arg("expression").map(text).unwrap_or_default()
            )
        }
        other => format!("{other} holds for {column}"),
    }
}

/// The currency and sign that a money column declares.
fn money(test: &GenericTest) -> String {
    let arg = |name: &str| test.arguments.get(name).map(text);
    let currency = match (arg("currency_column"), arg("currency")) {
        (Some(column), _) => format!("an integer or numeric, its ISO 4217 currency in {column}"),
        (None, Some(code)) => format!("an integer or numeric in {code}"),
        (None, None) => "an integer or numeric".to_owned(),
    };
    match arg("sign").as_deref() {
        None | Some("any") => currency,
        Some(sign) => format!("{currency}, {}", sign.replace('_', " ")),
    }
}

fn column_name(test: &GenericTest) -> String {
    test.column.clone().unwrap_or_default()
}

fn between(column: &str, test: &GenericTest) -> String {
    let inclusive = test
        .arguments
        .get("inclusive")
        .and_then(Json::as_bool)
        .unwrap_or(true);
    let sign = if inclusive { "<=" } else { "<" };
    let bound = |name: &str| test.arguments.get(name).filter(|v| !v.is_null()).map(text);
    let low = bound("min_value")
        .map(|v| format!("{v} {sign} "))
        .unwrap_or_default();
    let high = bound("max_value")
        .map(|v| format!(" {sign} {v}"))
        .unwrap_or_default();
    format!("{low}{column}{high}")
}

fn list(value: &Json) -> String {
    match value {
        Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => text(other),
    }
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
