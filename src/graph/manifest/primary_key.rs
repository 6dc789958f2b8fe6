//! The primary key of a node, as its constraints or tests tell it.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Json;

use crate::graph::{Detail, GenericTest, Graph, Node, NodeIx};

/// Columns of models that are told to be the key: by a constraint, else by tests for unique
/// and not null, else by tests for unique alone.
pub(super) fn primary_keys(graph: &Graph) -> HashMap<NodeIx, Vec<&str>> {
    let mut unique: HashMap<NodeIx, BTreeSet<&str>> = HashMap::new();
    let mut not_null: HashMap<NodeIx, BTreeSet<&str>> = HashMap::new();
    for (_, node) in graph.nodes() {
        let Detail::GenericTest(test) = &node.detail else {
            continue;
        };
        let map = match test.test.as_str() {
            "unique" | "unique_combination_of_columns" => &mut unique,
            "not_null" => &mut not_null,
            _ => continue,
        };
        map.entry(test.attached)
            .or_default()
            .extend(tested_columns(test));
    }
    let mut keys: HashMap<NodeIx, Vec<&str>> = HashMap::new();
    for (ix, node) in graph.nodes() {
        let declared = declared_key(node);
        let key = if !declared.is_empty() {
            declared
        } else if let Some(unique) = unique.get(&ix) {
            let none = BTreeSet::new();
            let both = unique.intersection(not_null.get(&ix).unwrap_or(&none));
            let both: Vec<&str> = both.copied().collect();
            match both.is_empty() {
                true => unique.iter().copied().collect(),
                false => both,
            }
        } else {
            continue;
        };
        let key: BTreeSet<&str> = key.into_iter().collect();
        keys.insert(ix, key.into_iter().collect());
    }
    keys
}

fn tested_columns(test: &GenericTest) -> Vec<&str> {
    if let Some(column) = test.arguments.get("column_name").and_then(Json::as_str) {
        return vec![column];
    }
    let several = test.arguments.get("combination_of_columns");
    let several = several.and_then(Json::as_array).map(Vec::as_slice);
    let several = several.unwrap_or_default().iter();
    several.filter_map(Json::as_str).collect()
}

fn declared_key(node: &Node) -> Vec<&str> {
    let is_key =
        |constraint: &&Json| constraint.get("type").and_then(Json::as_str) == Some("primary_key");
    let of = |json: Option<&'_ Json>| -> Option<usize> {
        json?.as_array()?.iter().position(|c| is_key(&c))
    };
    let own = node.other.get("constraints");
    if let Some(at) = of(own) {
        let columns = own.and_then(|list| list[at].get("columns"));
        let columns = columns.and_then(Json::as_array).map(Vec::as_slice);
        let columns = columns.unwrap_or_default().iter();
        return columns.filter_map(Json::as_str).collect();
    }
    let mut columns = node.columns.iter();
    let keyed = columns.find(|(_, info)| of(info.other.get("constraints")).is_some());
    keyed
        .map(|(name, _)| vec![name.as_str()])
        .unwrap_or_default()
}
