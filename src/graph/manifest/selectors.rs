//! The manifest's `selectors`: entries of `selectors.yml` with every short form written out.

use std::sync::LazyLock;

use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Map, Value as Json, json};

use crate::project::Selector;

static SPEC: LazyLock<Regex> = LazyLock::new(|| {
    let parts = [
        r"\A(?P<childrens_parents>@)?(?P<parents>(?P<parents_depth>\d*)\+)?",
        r"(?:(?P<method>[\w.]+):)?(?P<value>.*?)(?P<children>\+(?P<children_depth>\d*))?\z",
    ];
    Regex::new(&parts.concat()).expect("a constant pattern compiles")
});

/// All selectors by name.
pub(super) fn section(selectors: &[Selector]) -> IndexMap<String, Json> {
    let mut known: IndexMap<String, Json> = IndexMap::new();
    for selector in selectors {
        let mut whole = selector.written.clone();
        if let Some(written) = whole.get_mut("definition") {
            *written = definition(written, &known);
        }
        known.insert(selector.name.value.clone(), whole);
    }
    known
}

fn definition(written: &Json, known: &IndexMap<String, Json>) -> Json {
    let map = match written {
        Json::String(text) => return of_text(text),
        Json::Object(map) => map,
        other => return other.clone(),
    };
    let all = |list: &Json| match list {
        Json::Array(items) => items.iter().map(|item| definition(item, known)).collect(),
        other => other.clone(),
    };
    for key in ["union", "intersection", "exclude"] {
        if let Some(list) = map.get(key).filter(|_| !map.contains_key("method")) {
            return json!({ key: all(list) });
        }
    }
    match map.iter().next() {
        Some((method, value)) if map.len() == 1 => json!({"method": method, "value": all(value)}),
        _ => named(map, known).unwrap_or_else(|| written.clone()),
    }
}

/// The definition of the selector that `method: selector` names.
fn named(map: &Map<String, Json>, known: &IndexMap<String, Json>) -> Option<Json> {
    let name = map
        .get("value")
        .filter(|_| map.get("method") == Some(&json!("selector")));
    known.get(name?.as_str()?)?.get("definition").cloned()
}

/// What a text such as `2+tag:nightly` means.
fn of_text(text: &str) -> Json {
    let Some(found) = SPEC.captures(text) else {
        return json!({"error": "Invalid selector spec"});
    };
    let mut map = Map::new();
    let get = |name: &str| {
        found
            .name(name)
            .map(|m| m.as_str())
            .filter(|m| !m.is_empty())
    };
    for name in ["childrens_parents", "parents", "children"] {
        if get(name).is_some() {
            map.insert(name.to_owned(), json!(true));
        }
    }
    for name in ["parents_depth", "children_depth", "value"] {
        if let Some(own) = get(name) {
            map.insert(name.to_owned(), json!(own));
        }
    }
    let value = get("value").unwrap_or_default();
    let is_file = [".sql", ".py", ".csv"]
        .iter()
        .any(|end| value.to_lowercase().ends_with(end));
    let probable = match value {
        _ if value.contains('/') => "path",
        _ if is_file => "file",
        _ => "fqn",
    };
    map.insert(
        "method".to_owned(),
        json!(get("method").unwrap_or(probable)),
    );
    Json::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_written_out() {
        let known = [(
            "a".to_owned(),
            json!({"definition": {"method": "tag", "value": "x"}}),
        )];
        let known = known.into_iter().collect();
        let of = |written: Json| definition(&written, &known);
        assert_eq!(
            of(json!("2+tag:x+")),
            json!({"parents": true, "parents_depth": "2", "children": true, "value": "x", "method": "tag"})
        );
        assert_eq!(of(json!("m")), json!({"value": "m", "method": "fqn"}));
        assert_eq!(
            of(json!({"tag": "x"})),
            json!({"method": "tag", "value": "x"})
        );
        assert_eq!(
            of(
                json!({"union": [{"method": "selector", "value": "a"}, {"exclude": ["models/b.sql"]}]})
            ),
            json!({"union": [{"method": "tag", "value": "x"},
                {"exclude": [{"method": "path", "value": "models/b.sql"}]}]})
        );
    }
}
