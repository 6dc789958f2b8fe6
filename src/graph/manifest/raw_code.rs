//! The `raw_code` of nodes: templates as dbt keeps them.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::graph::{Detail, Node, ResourceKind};
use crate::project::TEST_CONFIG_KEYS;

/// The template as dbt keeps it: without blanks around, and generic tests as a call.
pub(in crate::graph) fn raw_code(node: &Node) -> Cow<'_, str> {
    match &node.detail {
        Detail::GenericTest(test) => {
            let name = match &test.namespace {
                Some(namespace) => format!("{namespace}.test_{}", test.test),
                None => format!("test_{}", test.test),
            };
            // What is null was not given.
            let given = test.config.iter().filter(|(_, value)| !value.is_null());
            let mut config: Vec<_> = given.collect();
            config.sort_by_key(|(key, _)| TEST_CONFIG_KEYS.iter().position(|known| known == key));
            let mut config: Vec<String> = config
                .into_iter()
                .map(|(key, value)| format!("{key}={}", python_literal(value)))
                .collect();
            if test.short_name != node.name && !test.config.contains_key("alias") {
                config.push(format!("alias=\"{}\"", test.short_name));
            }
            let config = match config.is_empty() {
                true => String::new(),
                false => format!("{{{{ config({}) }}}}", config.join(",")),
            };
            Cow::Owned(format!(
                "{{{{ {name}(**_dbt_generic_test_kwargs) }}}}{config}"
            ))
        }
        _ if node.kind == ResourceKind::Snapshot => Cow::Borrowed(&node.raw_code),
        _ => Cow::Borrowed(node.raw_code.trim()),
    }
}

fn python_literal(value: &Json) -> String {
    match value {
        Json::String(text) => format!("\"{}\"", text.replace('"', "\\\"")),
        other => crate::encode::python_str(other),
    }
}
