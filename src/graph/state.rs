//! How nodes compare with themselves in an earlier manifest: the answers for `state:`.
//!
//! Compared is what a user wrote, as dbt does it: SQL, config, the parts of the relation's
//! name, descriptions that are kept in the database, and macros, however far away. Text of
//! built-in macros is not compared, or every node would change with a new release. Where an
//! earlier manifest keeps Jinja in a config value, the value counts as the same.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::manifest::{KnownMacros, ManifestInput, node_json, raw_code};
use super::select::{StateAnswers, StateCheck};
use super::{Node, NodeIx, ResourceKind};
use crate::artifact::Manifest;
use crate::jinja::MacroInfo;

/// Packages whose macros come with dbt or with marts.
const BUILT_IN: [&str; 2] = ["dbt", "dbt_postgres"];

/// Config that says where a relation is and how it is found, not what it is.
const NOT_COMPARED: [&str; 5] = ["alias", "schema", "database", "tags", "group"];

/// Config of sources and exposures that is compared.
const CONFIG_OF_SOURCES: [&str; 6] = [
    "enabled",
    "event_time",
    "freshness",
    "loaded_at_field",
    "loaded_at_query",
    "meta",
];

/// All nodes compared with an earlier manifest.
#[derive(Debug)]
pub struct StateComparison {
    nodes: Vec<Differences>,
}

/// What differs in one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Differences {
    is_new: bool,
    body: bool,
    configs: bool,
    relation: bool,
    descriptions: bool,
    macros: bool,
    contract: bool,
    /// Anything that counts as a change and has no check of its own.
    other: bool,
    /// A new source or exposure: dbt counts it as new, but not as modified.
    is_only_new: bool,
}

impl StateAnswers for StateComparison {
    fn holds(&self, node: NodeIx, check: StateCheck) -> bool {
        let of = self.nodes[node.index()];
        match check {
            StateCheck::New => of.is_new,
            StateCheck::Old => !of.is_new,
            StateCheck::Modified => of.any(),
            StateCheck::Unmodified => !of.any(),
            StateCheck::Body => of.body,
            StateCheck::Configs => of.configs,
            StateCheck::Relation => of.relation,
            StateCheck::PersistedDescriptions => of.descriptions,
            StateCheck::Macros => of.macros,
            StateCheck::Contract => of.contract,
        }
    }
}

impl Differences {
    fn any(self) -> bool {
        let parts = [
            self.body,
            self.configs,
            self.relation,
            self.descriptions,
            self.macros,
            self.contract,
            self.other,
        ];
        !self.is_only_new && parts.contains(&true)
    }
}

impl StateComparison {
    /// Compares every node of the graph with the earlier manifest.
    pub fn new(input: &ManifestInput<'_>, earlier: &Manifest) -> Self {
        let changed = changed_macros(input.macros, earlier);
        let nodes = input.graph.nodes().map(|(ix, node)| {
            let mut of = match earlier_of(earlier, node) {
                Some(earlier) => differences(input, ix, earlier),
                None => new(node),
            };
            of.macros = node.macros.iter().any(|id| changed.contains(id.as_str()));
            of
        });
        Self {
            nodes: nodes.collect(),
        }
    }
}

fn earlier_of<'m>(earlier: &'m Manifest, node: &Node) -> Option<&'m Json> {
    let map = match node.kind {
        ResourceKind::Source => &earlier.sources,
        ResourceKind::Exposure => &earlier.exposures,
        _ => &earlier.nodes,
    };
    map.get(node.id.as_str())
}

/// Everything that a node of its kind has is new.
fn new(node: &Node) -> Differences {
    let has_code = has_code(node);
    Differences {
        is_new: true,
        body: has_code,
        configs: true,
        relation: node.kind != ResourceKind::Exposure,
        descriptions: has_code,
        contract: has_code,
        is_only_new: !has_code,
        ..Differences::default()
    }
}

fn has_code(node: &Node) -> bool {
    !matches!(node.kind, ResourceKind::Source | ResourceKind::Exposure)
}

fn differences(input: &ManifestInput<'_>, ix: NodeIx, earlier: &Json) -> Differences {
    let node = input.graph.node(ix);
    let mut of = Differences {
        configs: has_code(node) && !same_config(node.unrendered_config(), earlier),
        other: earlier["fqn"] != serde_json::json!(node.fqn),
        ..Differences::default()
    };
    match node.kind {
        ResourceKind::Source | ResourceKind::Exposure => {
            let now = node_json(input, ix);
            let differ = |key: &&str| now[*key] != earlier[*key];
            of.relation = ["database", "schema", "identifier"].iter().any(differ)
                && node.kind == ResourceKind::Source;
            of.other |= compared_keys(node.kind).iter().any(differ);
            of.configs = CONFIG_OF_SOURCES
                .iter()
                .any(|key| now["config"][*key] != earlier["config"][*key]);
            of.other |= needed(&now) != needed(earlier);
        }
        // A generic test is told by its name and config, which its text repeats.
        ResourceKind::Test if matches!(node.detail, super::Detail::GenericTest(_)) => {
            of.body = of.configs && earlier["raw_code"].as_str() != Some(&*raw_code(node));
        }
        ResourceKind::Seed => {
            let now = node_json(input, ix);
            of.body = now["checksum"] != earlier["checksum"];
            written_differences(node, earlier, &mut of);
        }
        _ => {
            of.body = earlier["raw_code"].as_str() != Some(&*raw_code(node));
            written_differences(node, earlier, &mut of);
        }
    }
    if node.kind == ResourceKind::Model {
        model_differences(input, ix, earlier, &mut of);
    }
    of
}

fn compared_keys(kind: ResourceKind) -> &'static [&'static str] {
    match kind {
        ResourceKind::Source => &["quoting", "freshness", "loaded_at_field", "external"],
        _ => &["type", "owner", "maturity", "url", "description", "label"],
    }
}

/// The nodes that an exposure needs, in order of their ids.
fn needed(exposure: &Json) -> Vec<&str> {
    let nodes = exposure["depends_on"]["nodes"].as_array();
    let nodes = nodes.map(Vec::as_slice).unwrap_or_default();
    let mut ids: Vec<&str> = nodes.iter().filter_map(Json::as_str).collect();
    ids.sort_unstable();
    ids
}

/// The relation's name as configured, and descriptions that the database keeps.
fn written_differences(node: &Node, earlier: &Json, of: &mut Differences) {
    let written = &earlier["unrendered_config"];
    let keys = ["database", "schema", "alias"];
    of.relation = keys
        .iter()
        .any(|key| !same_value(key, node.unrendered_config().get(*key), written.get(key)));
    let kept = &node.config.persist_docs;
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    if kept.relation && text(&earlier["description"]) != node.description {
        of.descriptions = true;
    }
    if kept.columns {
        let then = earlier["columns"].as_object();
        let then_of = |name: &str| then.and_then(|columns| columns.get(name));
        let same = then.map_or(0, serde_json::Map::len) == node.columns.len()
            && node.columns.iter().all(|(name, column)| {
                then_of(name).is_some_and(|c| text(&c["description"]) == column.description)
            });
        of.descriptions |= !same;
    }
}

/// Contract, access and dates.
fn model_differences(input: &ManifestInput<'_>, ix: NodeIx, earlier: &Json, of: &mut Differences) {
    let node = input.graph.node(ix);
    let was_enforced = earlier["contract"]["enforced"].as_bool() == Some(true);
    let enforced = node.config.contract.enforced;
    of.contract = match (was_enforced, enforced) {
        (false, false) => false,
        (true, true) => {
            let now = node_json(input, ix);
            let keys = ["columns", "constraints"];
            keys.iter()
                .any(|key| promised(&now[*key]) != promised(&earlier[*key]))
        }
        _ => true,
    };
    let access = earlier["access"].as_str();
    of.other |= access.is_some_and(|access| access != node.config.access.as_str());
    let date = node.other.get("deprecation_date").unwrap_or(&Json::Null);
    of.other |= *date != earlier["deprecation_date"];
}

/// What a contract promises of columns: names, types and constraints, without their words.
fn promised(columns: &Json) -> Json {
    match columns {
        Json::Object(map) => {
            let columns = map.iter().map(|(name, column)| {
                let promised = serde_json::json!([column["data_type"], column["constraints"]]);
                (name.clone(), promised)
            });
            Json::Object(columns.collect())
        }
        other => other.clone(),
    }
}

fn same_config(now: &IndexMap<String, Json>, earlier: &Json) -> bool {
    let none = serde_json::Map::new();
    let then = earlier["unrendered_config"].as_object().unwrap_or(&none);
    let mut keys = now.keys().chain(then.keys());
    keys.all(|key| {
        NOT_COMPARED.contains(&key.as_str())
            || same_value(key, now.get(key), find(then, key))
                && same_value(key, find_now(now, key), then.get(key))
    })
}

/// dbt writes hooks with a hyphen or an underscore.
fn other_spelling(key: &str) -> Option<&'static str> {
    match key {
        "pre_hook" => Some("pre-hook"),
        "pre-hook" => Some("pre_hook"),
        "post_hook" => Some("post-hook"),
        "post-hook" => Some("post_hook"),
        _ => None,
    }
}

fn find<'m>(map: &'m serde_json::Map<String, Json>, key: &str) -> Option<&'m Json> {
    map.get(key).or_else(|| map.get(other_spelling(key)?))
}

fn find_now<'m>(map: &'m IndexMap<String, Json>, key: &str) -> Option<&'m Json> {
    map.get(key).or_else(|| map.get(other_spelling(key)?))
}

/// Whether two values of a config key mean the same; absent, null and empty are one.
fn same_value(key: &str, now: Option<&Json>, then: Option<&Json>) -> bool {
    let is_set = |value: Option<&Json>| match value {
        None | Some(Json::Null) => false,
        Some(Json::Array(list)) => !list.is_empty(),
        Some(Json::Object(map)) => !map.is_empty(),
        Some(_) => true,
    };
    match (
        now.filter(|v| is_set(Some(v))),
        then.filter(|v| is_set(Some(v))),
    ) {
        (None, None) => true,
        (Some(now), Some(then)) => {
            has_jinja(then) && !key.ends_with("hook") || hooks(key, now) == hooks(key, then)
        }
        _ => false,
    }
}

fn has_jinja(value: &Json) -> bool {
    value.as_str().is_some_and(|text| text.contains("{{"))
}

/// Hooks as a list, however they were written; other values as they are.
fn hooks(key: &str, value: &Json) -> Json {
    match value {
        Json::Array(_) => value.clone(),
        one if other_spelling(key).is_some() => Json::Array(vec![one.clone()]),
        other => other.clone(),
    }
}

/// Unique ids of macros that changed or call one that did.
fn changed_macros<'a>(macros: &'a [MacroInfo], earlier: &Manifest) -> HashSet<&'a str> {
    let text_then = |id: &str| earlier.macros.get(id).and_then(|m| m["macro_sql"].as_str());
    let mut changed: HashSet<&str> = macros
        .iter()
        .filter(|info| !BUILT_IN.contains(&info.package.as_str()))
        .filter(|info| text_then(&info.unique_id).map(str::trim) != Some(info.text.trim()))
        .map(|info| info.unique_id.as_str())
        .collect();
    if changed.is_empty() {
        return changed;
    }
    let known = KnownMacros::new(macros);
    let calls: Vec<(&str, Vec<&str>)> = macros
        .iter()
        .map(|info| (info.unique_id.as_str(), known.called_by(info)))
        .collect();
    loop {
        let before = changed.len();
        for (id, called) in &calls {
            if called.iter().any(|callee| changed.contains(callee)) {
                changed.insert(id);
            }
        }
        if changed.len() == before {
            return changed;
        }
    }
}
