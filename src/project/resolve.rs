//! The config of one resource out of everything that speaks of it, with the places where the
//! winning values were written.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::{Span, Spanned};

use super::config::{canonical, merge_configs};
use super::declarations::{
    ConfigMap, ConfigTree, ConfigTrees, Package, Project, ResourceProperties,
};

/// Kinds of resources that have a config tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfigKind {
    /// `models:`.
    Model,
    /// `seeds:`.
    Seed,
    /// `snapshots:`.
    Snapshot,
    /// `data_tests:`.
    Test,
    /// `sources:`.
    Source,
    /// `unit_tests:`.
    UnitTest,
}

/// Whose config is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ConfigQuery<'a> {
    /// Its kind.
    pub kind: ConfigKind,
    /// Its package.
    pub package: &'a Package,
    /// Its fully qualified name, the package first.
    pub fqn: &'a [String],
    /// What its property file says ([`ResourceProperties::config_layer`]).
    pub properties: Option<&'a IndexMap<String, Spanned<Json>>>,
    /// Every `config()` of its own file, in order.
    pub in_file: &'a [ConfigMap],
}

/// A merged config.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResolvedConfig {
    /// The keys, hooks with a dash.
    pub map: ConfigMap,
    /// Where a key's last value was written in YAML; keys that the file itself set last are
    /// not here.
    pub places: HashMap<String, Span>,
}

impl ConfigTrees {
    /// The tree of a kind.
    pub fn tree(&self, kind: ConfigKind) -> &ConfigTree {
        match kind {
            ConfigKind::Model => &self.models,
            ConfigKind::Seed => &self.seeds,
            ConfigKind::Snapshot => &self.snapshots,
            ConfigKind::Test => &self.tests,
            ConfigKind::Source => &self.sources,
            ConfigKind::UnitTest => &self.unit_tests,
        }
    }
}

impl Project {
    /// The config of a resource in dbt's order: its package's tree, its property file, its own
    /// `config()`, and for an installed package the root project's tree, which wins.
    pub fn resolve_config(&self, query: &ConfigQuery<'_>) -> ResolvedConfig {
        let mut layers: Vec<ConfigMap> = Vec::new();
        let mut places = HashMap::new();
        let own = query.package.file.configs.tree(query.kind);
        tree_layers(own, query.fqn, &mut layers, &mut places);
        if let Some(properties) = query.properties {
            layers.push(values(properties));
            note_places(properties, &mut places);
        }
        for call in query.in_file {
            for key in call.keys() {
                places.remove(canonical(key));
            }
        }
        layers.extend(query.in_file.iter().cloned());
        let root = self.root_package();
        if root.name != query.package.name {
            let tree = root.file.configs.tree(query.kind);
            tree_layers(tree, query.fqn, &mut layers, &mut places);
        }
        let layers: Vec<&ConfigMap> = layers.iter().collect();
        ResolvedConfig {
            map: merge_configs(&layers),
            places,
        }
    }
}

fn tree_layers(
    tree: &ConfigTree,
    fqn: &[String],
    layers: &mut Vec<ConfigMap>,
    places: &mut HashMap<String, Span>,
) {
    for level in tree.levels(fqn) {
        if !level.config.is_empty() {
            layers.push(values(&level.config));
            note_places(&level.config, places);
        }
    }
}

fn values(config: &IndexMap<String, Spanned<Json>>) -> ConfigMap {
    config
        .iter()
        .map(|(key, value)| (key.clone(), value.value.clone()))
        .collect()
}

fn note_places(config: &IndexMap<String, Spanned<Json>>, places: &mut HashMap<String, Span>) {
    for (key, value) in config {
        places.insert(canonical(key).to_owned(), value.span);
    }
}

impl ResourceProperties {
    /// `config:`, and what dbt takes for config although it stands beside it: `meta`, `tags`,
    /// `docs`, `access` and `group`.
    pub fn config_layer(&self) -> IndexMap<String, Spanned<Json>> {
        let mut layer = IndexMap::new();
        for key in ["meta", "tags", "docs", "access", "group"] {
            if let Some(value) = self.other.get(key) {
                layer.insert(
                    key.to_owned(),
                    Spanned {
                        value: value.clone(),
                        span: self.name.span,
                    },
                );
            }
        }
        for (key, value) in &self.config {
            let joined = match (key.as_str(), layer.get(key)) {
                ("meta", Some(beside)) => joined_meta(&beside.value, &value.value),
                _ => value.value.clone(),
            };
            layer.insert(
                key.clone(),
                Spanned {
                    value: joined,
                    span: value.span,
                },
            );
        }
        layer
    }
}

fn joined_meta(beside: &Json, inside: &Json) -> Json {
    match (beside, inside) {
        (Json::Object(beside), Json::Object(inside)) => {
            let mut joined = beside.clone();
            joined.extend(inside.iter().map(|(k, v)| (k.clone(), v.clone())));
            Json::Object(joined)
        }
        _ => inside.clone(),
    }
}
