//! Config: the trees of project files, and how layers of config become one.
//!
//! Order and merging are dbt's: a package's own tree from its root to the node, then the
//! property file, then the file's own `config()`, then the root project's tree for that
//! package, which wins. `tags` and hooks accumulate, `meta` and the like merge by key,
//! `grants` merge by `+` keys, everything else is replaced.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use crate::diag::codes::{
    CONFIG_MAPPING_WITHOUT_PLUS, CONFIG_UNUSED_PATH, UNKNOWN_KEY, WRONG_TYPE,
};
use crate::diag::{Diagnostic, Spanned, nearest};

use super::declarations::{ConfigMap, ConfigTree};
use super::keys;
use super::render::Renderer;
use super::yaml::{Check, Node, Yaml};

/// Keys whose values accumulate.
const APPEND: [&str; 4] = ["tags", "pre-hook", "post-hook", "packages"];
/// Keys whose mappings merge.
const UPDATE: [&str; 5] = ["meta", "docs", "quoting", "column_types", "contract"];

/// Reads one tree (`models:`, ...) of a project file.
pub(super) fn parse_tree(
    tree: &str,
    node: &Node,
    renderer: &Renderer,
    check: &mut Check,
) -> ConfigTree {
    let mut parser = TreeParser {
        tree,
        known: keys::config_of_tree(tree),
        renderer,
        check,
    };
    parser.level(node, tree)
}

struct TreeParser<'a> {
    tree: &'a str,
    known: Vec<&'static str>,
    renderer: &'a Renderer,
    check: &'a mut Check,
}

impl TreeParser<'_> {
    fn level(&mut self, node: &Node, path: &str) -> ConfigTree {
        let mut level = ConfigTree::default();
        let entries = match &node.value {
            Yaml::Mapping(entries) => entries,
            Yaml::Null => return level,
            _ => {
                self.check.push(
                    Diagnostic::error(WRONG_TYPE, format!("`{path}` is {}", node.describe()))
                        .at(node.span, "expected folders and `+` config keys")
                        .hint("write `+key: value` lines here"),
                );
                return level;
            }
        };
        for (key, value) in entries {
            if let Some(name) = key.value.strip_prefix('+') {
                self.config(&mut level, name.trim(), key, value);
            } else if value.as_mapping().is_some() || (value.is_null() && !self.is_known(key)) {
                let below = if self.warn_of_mapping(key) {
                    parse_tree(self.tree, value, self.renderer, &mut Check::default())
                } else {
                    self.level(value, &format!("{path}.{}", key.value))
                };
                level.children.insert(key.value.clone(), (key.span, below));
            } else {
                self.config(&mut level, &key.value, key, value);
            }
        }
        level
    }

    fn is_known(&self, key: &Spanned<String>) -> bool {
        self.known.contains(&key.value.as_str())
    }

    fn config(&mut self, level: &mut ConfigTree, name: &str, key: &Spanned<String>, value: &Node) {
        let known = self.known.contains(&name);
        if !known {
            self.judge_unknown(name, key);
        }
        let name = canonical(name);
        let json = if is_hook(name) || name == "sql_header" {
            value.to_json()
        } else {
            self.renderer.json(value, self.check)
        };
        level.config.insert(
            name.to_owned(),
            Spanned {
                value: json,
                span: value_or_key(value, key),
            },
        );
    }

    /// Custom keys are allowed, so only a near miss is worth a word.
    fn judge_unknown(&mut self, name: &str, key: &Spanned<String>) {
        if let Some(near) = nearest(name, self.known.iter().copied()) {
            let tree = self.tree;
            self.check.push(
                Diagnostic::warning(
                    UNKNOWN_KEY,
                    format!("`{name}` is not a config that marts knows for `{tree}`"),
                )
                .at(key.span, "")
                .hint(format!("did you mean `{near}`?")),
            );
        } else if !key.value.starts_with('+') {
            let diagnostic = self
                .check
                .lint(
                    UNKNOWN_KEY,
                    format!("`{name}` is neither a folder nor a known config"),
                )
                .at(key.span, "")
                .hint(format!("write `+{name}` if it is a config of your own"));
            self.check.push(diagnostic);
        }
    }

    /// Whether a folder's name is that of a config, which is said then.
    fn warn_of_mapping(&mut self, key: &Spanned<String>) -> bool {
        let is_config = keys::CONFIG_MAPPINGS.contains(&key.value.as_str());
        if is_config {
            self.check.push(
                Diagnostic::warning(
                    CONFIG_MAPPING_WITHOUT_PLUS,
                    format!("`{}` is read as a folder here", key.value),
                )
                .at(key.span, "")
                .hint(format!("write `+{}` to set the config", key.value)),
            );
        }
        is_config
    }
}

fn value_or_key(value: &Node, key: &Spanned<String>) -> crate::diag::Span {
    if value.span.end > value.span.start {
        value.span
    } else {
        key.span
    }
}

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

/// Adds what `extra` has to `tree`; what is already there stays.
pub(super) fn join_trees(tree: &mut ConfigTree, extra: ConfigTree) {
    for (key, value) in extra.config {
        tree.config.entry(key).or_insert(value);
    }
    for (name, (span, below)) in extra.children {
        match tree.children.get_mut(&name) {
            Some((_, existing)) => join_trees(existing, below),
            None => {
                tree.children.insert(name, (span, below));
            }
        }
    }
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

    /// Where the value of a key that applies to a node was written, the innermost level's.
    pub fn place(&self, fqn: &[impl AsRef<str>], key: &str) -> Option<crate::diag::Span> {
        self.levels(fqn)
            .iter()
            .rev()
            .find_map(|level| level.config.get(key).map(|value| value.span))
    }

    /// Warnings for paths of this tree (named `tree` in the file) that match none of `fqns`.
    pub fn unused(&self, tree: &str, fqns: &[Vec<String>]) -> Vec<Diagnostic> {
        let mut used: HashSet<&[String]> = HashSet::new();
        for fqn in fqns {
            for end in 1..=fqn.len() {
                used.insert(&fqn[..end]);
            }
        }
        let mut found = Vec::new();
        let mut path = Vec::new();
        self.collect_unused(tree, &used, &mut path, &mut found);
        found
    }

    fn collect_unused(
        &self,
        tree: &str,
        used: &HashSet<&[String]>,
        path: &mut Vec<String>,
        found: &mut Vec<Diagnostic>,
    ) {
        for (name, (span, below)) in &self.children {
            path.push(name.clone());
            if used.contains(path.as_slice()) {
                below.collect_unused(tree, used, path, found);
            } else {
                found.push(unused_path(tree, path, *span, used));
            }
            path.pop();
        }
    }
}

fn unused_path(
    tree: &str,
    path: &[String],
    span: crate::diag::Span,
    used: &HashSet<&[String]>,
) -> Diagnostic {
    let (last, above) = match path.split_last() {
        Some(parts) => parts,
        None => return Diagnostic::warning(CONFIG_UNUSED_PATH, "a config path applies to nothing"),
    };
    let siblings: Vec<&str> = used
        .iter()
        .filter(|p| p.len() == path.len() && &p[..above.len()] == above)
        .map(|p| p[above.len()].as_str())
        .collect();
    let mut siblings = siblings;
    siblings.sort_unstable();
    let hint = match nearest(last, siblings.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if above.is_empty() => {
            "the first level below is a project's or package's name".to_owned()
        }
        None => "correct the name, or remove these lines".to_owned(),
    };
    Diagnostic::warning(
        CONFIG_UNUSED_PATH,
        format!(
            "the config path `{tree}.{}` applies to nothing",
            path.join(".")
        ),
    )
    .at(span, "")
    .hint(hint)
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
