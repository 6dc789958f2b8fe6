//! Names that are taken twice within a package.
//!
//! A disabled resource takes no name. Whether a file's own `config()` disables it is known
//! only to the graph, so a pair that may be meant that way is left to it.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::diag::codes::{DUPLICATE_NAME, DUPLICATE_PROPERTIES, DUPLICATE_SOURCE};
use crate::diag::{Diagnostic, SourceMap, Spanned};

use super::declarations::{CodeFile, ConfigTree, Package, ResourceProperties, SeedFile};
use super::yaml::Check;

/// The message for two resources of one package that share a name.
pub fn duplicate_name(name: &str, first: &str, second: &str) -> Diagnostic {
    Diagnostic::error(DUPLICATE_NAME, format!("two resources are called `{name}`"))
        .in_file(second)
        .note(format!("the first one is {first}"))
        .hint("rename one of the files, or disable one: config(enabled=false)")
}

/// Looks for names that are taken twice.
pub(crate) fn check(package: &Package, shown: &str, sources: &SourceMap, check: &mut Check) {
    resources(package, shown, sources, check);
    let properties = &package.properties;
    for (kind, entries) in [
        ("model", &properties.models),
        ("seed", &properties.seeds),
        ("snapshot", &properties.snapshots),
        ("analysis", &properties.analyses),
        ("macro", &properties.macros),
    ] {
        described_twice(kind, entries, check);
    }
    source_tables(package, check);
}

/// A file that takes a name which `ref` can use.
struct Named<'a> {
    name: &'a str,
    path: &'a str,
    may_be_disabled: bool,
}

fn resources(package: &Package, shown: &str, sources: &SourceMap, check: &mut Check) {
    let mut seen: HashMap<&str, Named<'_>> = HashMap::new();
    let models = package.models.iter().map(|model| Named {
        name: &model.name,
        path: &model.path,
        may_be_disabled: false,
    });
    let seeds = package.seeds.iter().map(|seed| Named {
        name: &seed.name,
        path: &seed.path,
        may_be_disabled: false,
    });
    for mut named in models.chain(seeds) {
        let Some(first) = seen.get_mut(named.name) else {
            seen.insert(named.name, named);
            continue;
        };
        // Texts are looked at only for the rare pair that shares a name.
        first.may_be_disabled = may_be_disabled(package, first.path, sources);
        named.may_be_disabled = may_be_disabled(package, named.path, sources);
        if !first.may_be_disabled && !named.may_be_disabled {
            let place = |path: &str| PathBuf::from(shown).join(path).display().to_string();
            check.push(duplicate_name(
                named.name,
                &place(first.path),
                &place(named.path),
            ));
        }
    }
}

fn may_be_disabled(package: &Package, path: &str, sources: &SourceMap) -> bool {
    if let Some(model) = package.models.iter().find(|m| m.path == path) {
        let fqn = model.fqn(&package.name);
        return sources.file(model.file).text.contains("enabled")
            || is_configured(&package.file.configs.models, &fqn)
            || says_enabled(&package.properties.models, &model.name);
    }
    match package.seeds.iter().find(|s| s.path == path) {
        Some(seed) => {
            is_configured(&package.file.configs.seeds, &seed.fqn(&package.name))
                || says_enabled(&package.properties.seeds, &seed.name)
        }
        None => true,
    }
}

fn is_configured(tree: &ConfigTree, fqn: &[String]) -> bool {
    tree.resolve(fqn)
        .get("enabled")
        .is_some_and(|value| *value != Json::Bool(true))
}

fn says_enabled(entries: &[ResourceProperties], name: &str) -> bool {
    entries
        .iter()
        .any(|entry| entry.name.value == name && entry.config.contains_key("enabled"))
}

fn described_twice(kind: &str, entries: &[ResourceProperties], check: &mut Check) {
    let mut seen: HashMap<&str, &Spanned<String>> = HashMap::new();
    for entry in entries {
        if let Some(first) = seen.insert(&entry.name.value, &entry.name) {
            check.push(
                Diagnostic::error(
                    DUPLICATE_PROPERTIES,
                    format!("{kind} `{}` is described twice", entry.name.value),
                )
                .at(entry.name.span, "")
                .at(first.span, "the first one")
                .hint("join the two entries"),
            );
        }
    }
}

fn source_tables(package: &Package, check: &mut Check) {
    let mut seen: HashMap<(&str, &str), &Spanned<String>> = HashMap::new();
    for table in &package.properties.sources {
        if table
            .config
            .get("enabled")
            .is_some_and(|e| e.value == Json::Bool(false))
        {
            continue;
        }
        let key = (table.source.value.as_str(), table.table.value.as_str());
        if let Some(first) = seen.insert(key, &table.table) {
            check.push(
                Diagnostic::error(
                    DUPLICATE_SOURCE,
                    format!("source table `{}.{}` is declared twice", key.0, key.1),
                )
                .at(table.table.span, "")
                .at(first.span, "the first one")
                .hint("remove one, or give the sources different names"),
            );
        }
    }
}

impl CodeFile {
    /// The fully qualified name: package, folders below the resource folder, file name.
    pub fn fqn(&self, package: &str) -> Vec<String> {
        fqn(package, &self.base, &self.path, &self.name)
    }
}

impl SeedFile {
    /// The fully qualified name: package, folders below the resource folder, file name.
    pub fn fqn(&self, package: &str) -> Vec<String> {
        fqn(package, &self.base, &self.path, &self.name)
    }
}

fn fqn(package: &str, base: &str, path: &str, name: &str) -> Vec<String> {
    let below = path
        .strip_prefix(base)
        .unwrap_or(path)
        .trim_start_matches('/');
    let folders = below.rsplit_once('/').map_or("", |(folders, _)| folders);
    let mut fqn = vec![package.to_owned()];
    fqn.extend(
        folders
            .split('/')
            .filter(|f| !f.is_empty())
            .map(str::to_owned),
    );
    fqn.push(name.to_owned());
    fqn
}
