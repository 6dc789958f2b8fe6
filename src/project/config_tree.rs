//! The config trees of project files: read from YAML, and checked for paths that apply to
//! nothing.
//!
//! dbt's rule tells config from folders: `+key` is config; without `+` a mapping is a folder
//! and anything else is config.

use std::collections::HashSet;

use crate::diag::codes::{
    CONFIG_MAPPING_WITHOUT_PLUS, CONFIG_UNUSED_PATH, UNKNOWN_KEY, WRONG_TYPE,
};
use crate::diag::{Diagnostic, Span, Spanned, nearest};

use super::config::canonical;
use super::declarations::ConfigTree;
use super::keys;
use super::render::Renderer;
use super::yaml::{Check, Node, Yaml};

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
        let json = self.renderer.value(name, value, self.check);
        let written = value.to_json();
        if written != json {
            level.written.insert(name.to_owned(), written);
        }
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

fn value_or_key(value: &Node, key: &Spanned<String>) -> Span {
    if value.span.end > value.span.start {
        value.span
    } else {
        key.span
    }
}

/// Adds what `extra` has to `tree`; what is already there stays.
pub(super) fn join_trees(tree: &mut ConfigTree, extra: ConfigTree) {
    for (key, value) in extra.written {
        if !tree.config.contains_key(&key) {
            tree.written.insert(key, value);
        }
    }
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
            // That this is read as a folder has been said.
            let told = keys::CONFIG_MAPPINGS.contains(&name.as_str());
            if told && !used.contains(path.as_slice()) {
                path.pop();
                continue;
            }
            if used.contains(path.as_slice()) {
                below.collect_unused(tree, used, path, found);
            } else {
                found.push(unused_path(tree, path, *span, used));
            }
            path.pop();
        }
    }
}

fn unused_path(tree: &str, path: &[String], span: Span, used: &HashSet<&[String]>) -> Diagnostic {
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
