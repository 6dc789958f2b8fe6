//! How layers of config become one.
//!
//! Order and merging are dbt's: a package's own tree from its root to the node, then the
//! property file, then the file's own `config()`, then the root project's tree for that
//! package, which wins. `tags` and hooks accumulate, `meta` and the like merge by key,
//! `grants` merge by `+` keys, everything else is replaced.

use serde_json::{Map, Value as Json};

use super::declarations::{ConfigMap, ConfigTree};

/// Keys whose values accumulate.
const APPEND: [&str; 4] = ["tags", "pre-hook", "post-hook", "packages"];
/// Keys whose mappings merge.
const UPDATE: [&str; 5] = ["meta", "docs", "quoting", "column_types", "contract"];

/// The one spelling of a config key: hooks with a dash.
pub(crate) fn canonical(key: &str) -> &str {
    match key {
        "pre_hook" => "pre-hook",
        "post_hook" => "post-hook",
        "project" => "database",
        other => other,
    }
}

/// Whether a key holds hooks, whose Jinja is rendered when they run.
pub(crate) fn is_hook(key: &str) -> bool {
    matches!(key, "pre-hook" | "post-hook" | "pre_hook" | "post_hook")
}

impl ConfigTree {
    /// The levels that apply to a node, outermost first: the tree's own root, then each part
    /// of `fqn` (package, folders, name) as far as the tree goes.
    pub fn levels<'t>(&'t self, fqn: &[impl AsRef<str>]) -> Vec<&'t ConfigTree> {
        let mut levels = vec![self];
        let mut at = self;
        for part in fqn {
            match at.children.get(part.as_ref()) {
                Some((_, below)) => {
                    at = below;
                    levels.push(at);
                }
                None => break,
            }
        }
        levels
    }

    /// The config of a node by this tree alone, its levels merged.
    pub fn resolve(&self, fqn: &[impl AsRef<str>]) -> ConfigMap {
        let mut config = ConfigMap::new();
        for level in self.levels(fqn) {
            for (key, value) in &level.config {
                merge_key(&mut config, key, &value.value);
            }
        }
        config
    }

    /// The same as it was written: not rendered, and each level's value in place of the one before.
    pub fn written(&self, fqn: &[impl AsRef<str>]) -> ConfigMap {
        let mut config = ConfigMap::new();
        for level in self.levels(fqn) {
            for (key, value) in &level.config {
                let value = level.written.get(key).unwrap_or(&value.value);
                config.insert(key.clone(), value.clone());
            }
        }
        config
    }

    /// Where the value of a key that applies to a node was written, the innermost level's.
    pub fn place(&self, fqn: &[impl AsRef<str>], key: &str) -> Option<crate::diag::Span> {
        self.levels(fqn)
            .iter()
            .rev()
            .find_map(|level| level.config.get(key).map(|value| value.span))
    }
}

/// One config out of layers, the first the weakest. Keys come out in dbt's spelling
/// (`pre-hook`), in order of first appearance.
pub fn merge_configs(layers: &[&ConfigMap]) -> ConfigMap {
    let mut config = ConfigMap::new();
    for layer in layers {
        for (key, value) in *layer {
            merge_key(&mut config, key, value);
        }
    }
    config
}

fn merge_key(config: &mut ConfigMap, key: &str, value: &Json) {
    let key = canonical(key);
    let Some(old) = config.get_mut(key) else {
        config.insert(key.to_owned(), first_value(key, value));
        return;
    };
    if APPEND.contains(&key) {
        append(old, value);
    } else if UPDATE.contains(&key) {
        update(old, value);
    } else if key == "grants" {
        extend_grants(old, value);
    } else {
        *old = value.clone();
    }
}

fn first_value(key: &str, value: &Json) -> Json {
    if APPEND.contains(&key) {
        return Json::Array(listify(value));
    }
    if key == "grants" {
        let mut grants = Json::Object(Map::new());
        extend_grants(&mut grants, value);
        return grants;
    }
    value.clone()
}

fn listify(value: &Json) -> Vec<Json> {
    match value {
        Json::Array(items) => items.clone(),
        Json::Null => Vec::new(),
        other => vec![other.clone()],
    }
}

fn append(old: &mut Json, value: &Json) {
    let mut items = listify(old);
    items.extend(listify(value));
    *old = Json::Array(items);
}

fn update(old: &mut Json, value: &Json) {
    match (old.as_object_mut(), value) {
        (Some(map), Json::Object(new)) => {
            for (key, value) in new {
                map.insert(key.clone(), value.clone());
            }
        }
        (Some(_), Json::Null) => {}
        _ => *old = value.clone(),
    }
}

/// `select: x` replaces, `+select: x` adds.
fn extend_grants(old: &mut Json, value: &Json) {
    let (Some(map), Json::Object(new)) = (old.as_object_mut(), value) else {
        *old = value.clone();
        return;
    };
    for (key, grantees) in new {
        let bare = key.trim_start_matches('+');
        let mut list = listify(grantees);
        if key.starts_with('+')
            && let Some(existing) = map.get(bare)
        {
            let mut all = listify(existing);
            all.append(&mut list);
            list = all;
        }
        map.insert(bare.to_owned(), Json::Array(list));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Json) -> ConfigMap {
        match value {
            Json::Object(map) => map.into_iter().collect(),
            _ => ConfigMap::new(),
        }
    }

    #[test]
    fn tags_and_hooks_accumulate_in_both_spellings() {
        let low = map(json!({"tags": "a", "pre_hook": "x"}));
        let high = map(json!({"tags": ["b"], "pre-hook": ["y"]}));
        let merged = merge_configs(&[&low, &high]);
        assert_eq!(merged["tags"], json!(["a", "b"]));
        assert_eq!(merged["pre-hook"], json!(["x", "y"]));
    }

    #[test]
    fn meta_merges_by_key_and_other_keys_are_replaced() {
        let low = map(json!({"meta": {"a": 1, "b": 1}, "materialized": "view"}));
        let high = map(json!({"meta": {"b": 2}, "materialized": "table"}));
        let merged = merge_configs(&[&low, &high]);
        assert_eq!(merged["meta"], json!({"a": 1, "b": 2}));
        assert_eq!(merged["materialized"], json!("table"));
    }

    #[test]
    fn grants_replace_unless_the_privilege_has_a_plus() {
        let low = map(json!({"grants": {"select": "a", "insert": ["a"]}}));
        let high = map(json!({"grants": {"+select": ["b"], "insert": "b"}}));
        let merged = merge_configs(&[&low, &high]);
        assert_eq!(
            merged["grants"],
            json!({"select": ["a", "b"], "insert": ["b"]})
        );
    }
}
