//! Things that the property files of a package describe twice, and the names of its files.
//!
//! Two resources of one name are the graph's business, since a disabled one takes no name.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::diag::codes::{DUPLICATE_PROPERTIES, DUPLICATE_SOURCE};
use crate::diag::{Diagnostic, Spanned};

use super::declarations::{CodeFile, Package, ResourceProperties, SeedFile};
use super::yaml::Check;

/// Looks for entries that describe one thing twice.
pub(crate) fn check(package: &Package, check: &mut Check) {
    let properties = &package.properties;
    for (kind, entries) in [
        ("model", &properties.models),
        ("seed", &properties.seeds),
        ("snapshot", &properties.snapshots),
        ("analysis", &properties.analyses),
        ("macro", &properties.macros),
        ("function", &properties.functions),
    ] {
        described_twice(kind, entries, check);
    }
    source_tables(package, check);
}

fn described_twice(kind: &str, entries: &[ResourceProperties], check: &mut Check) {
    let mut seen: HashMap<(&str, Option<String>), &Spanned<String>> = HashMap::new();
    for entry in entries {
        let version = entry.version.as_ref().map(|version| version.text());
        let key = (entry.name.value.as_str(), version);
        let first = seen.insert(key, &entry.name);
        // The versions of one entry share its place.
        if let Some(first) = first.filter(|first| first.span != entry.name.span) {
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
