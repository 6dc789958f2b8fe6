//! The graph as dbt's manifest: borrowed views, made entry by entry while they are written.

mod calls;
mod checksum;
mod node;
mod primary_key;
mod raw_code;
mod resources;
mod selectors;
mod semantic;
mod unit_tests;

pub(super) use raw_code::raw_code;
pub(super) use resources::KnownMacros;

use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{DocsBlocks, Graph, Node, NodeIx, ResourceKind};
use crate::artifact::manifest::ManifestMetadata;
use crate::artifact::manifest::view::{Entries, ManifestView};
use crate::jinja::MacroInfo;
use crate::project::Project;

/// What a manifest is made of.
pub struct ManifestInput<'a> {
    /// The resolved project.
    pub graph: &'a Graph,
    /// As it was read.
    pub project: &'a Project,
    /// All macros, built-in ones included.
    pub macros: &'a [MacroInfo],
    /// All docs blocks.
    pub docs: &'a DocsBlocks,
    /// Compiled SQL and its file, of nodes that were compiled.
    pub compiled: &'a HashMap<NodeIx, CompiledCode>,
    /// The head.
    pub metadata: ManifestMetadata,
    /// Seconds since 1970.
    pub created_at: f64,
}

/// What compiling a node gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledCode {
    /// The SQL.
    pub code: String,
    /// The file that it was written to, from the project's folder.
    pub path: String,
}

/// The manifest of a project.
pub fn manifest<'a>(input: &'a ManifestInput<'a>) -> ManifestView<'a> {
    let (graph, project) = (input.graph, input.project);
    let of = |wanted: fn(ResourceKind) -> bool| -> Vec<NodeIx> {
        let nodes = graph.nodes().filter(|(_, node)| wanted(node.kind));
        nodes.map(|(ix, _)| ix).collect()
    };
    let nodes = of(|kind| {
        !matches!(
            kind,
            ResourceKind::Source
                | ResourceKind::Exposure
                | ResourceKind::UnitTest
                | ResourceKind::Function
                | ResourceKind::SemanticModel
                | ResourceKind::Metric
                | ResourceKind::SavedQuery
        )
    });
    let hooks: Vec<&Node> = graph.all_run_hooks().collect();
    let sources = of(|kind| kind == ResourceKind::Source);
    let exposures = of(|kind| kind == ResourceKind::Exposure);
    let primary_keys = primary_key::primary_keys(graph);
    let writer = node::Writer { input };
    ManifestView {
        metadata: input.metadata.clone(),
        nodes: Entries::new(nodes.len() + hooks.len(), move |index| {
            let Some(&ix) = nodes.get(index) else {
                let node = hooks[index - nodes.len()];
                return (node.id.as_str().into(), writer.node(None, node, Vec::new()));
            };
            let keys = primary_keys.get(&ix).cloned().unwrap_or_default();
            let node = graph.node(ix);
            (node.id.as_str().into(), writer.node(Some(ix), node, keys))
        }),
        sources: Entries::new(sources.len(), move |index| {
            let node = graph.node(sources[index]);
            (node.id.as_str().into(), writer.source(node))
        }),
        macros: resources::macros(input),
        docs: resources::docs(input),
        metrics: semantic::section(input, ResourceKind::Metric),
        groups: resources::groups(input),
        selectors: selectors::section(&project.selectors),
        disabled: disabled(input),
        parent_map: relatives(graph, true),
        child_map: relatives(graph, false),
        group_map: group_map(graph, project),
        saved_queries: semantic::section(input, ResourceKind::SavedQuery),
        semantic_models: semantic::section(input, ResourceKind::SemanticModel),
        unit_tests: unit_tests_section(input),
        functions: functions_section(input),
        exposures: Entries::new(exposures.len(), move |index| {
            let node = graph.node(exposures[index]);
            (node.id.as_str().into(), resources::exposure(input, node))
        }),
    }
}

/// A node's config as the manifest has it: what was configured, with dbt's defaults under it.
pub fn config_json(node: &Node) -> Json {
    serde_json::to_value(node::config(node)).unwrap_or_default()
}

/// One node or source as its JSON.
pub fn node_json(input: &ManifestInput<'_>, ix: NodeIx) -> Json {
    let writer = node::Writer { input };
    let node = input.graph.node(ix);
    json_of(&writer, Some(ix), node)
}

fn json_of(writer: &node::Writer<'_>, ix: Option<NodeIx>, node: &Node) -> Json {
    let json = match node.kind {
        ResourceKind::Source => serde_json::to_value(writer.source(node)),
        ResourceKind::Exposure => serde_json::to_value(resources::exposure(writer.input, node)),
        ResourceKind::UnitTest => Ok(unit_tests::unit_test(writer.input, node)),
        ResourceKind::Function => Ok(function(writer, ix, node)),
        _ if matches!(node.detail, super::Detail::Semantic(_)) => {
            Ok(semantic::one(writer.input, node))
        }
        _ => serde_json::to_value(writer.node(ix, node, Vec::new())),
    };
    json.unwrap_or_default()
}

fn unit_tests_section(input: &ManifestInput<'_>) -> IndexMap<String, Json> {
    let nodes = input.graph.nodes().map(|(_, node)| node);
    nodes
        .filter(|node| node.kind == ResourceKind::UnitTest)
        .map(|node| {
            let json = unit_tests::unit_test(input, node);
            (node.id.as_str().to_owned(), json)
        })
        .collect()
}

fn functions_section(input: &ManifestInput<'_>) -> IndexMap<String, Json> {
    let writer = node::Writer { input };
    let of_kind = |(_, node): &(NodeIx, &Node)| node.kind == ResourceKind::Function;
    let all = input.graph.nodes().filter(of_kind);
    all.map(|(ix, node)| {
        let json = function(&writer, Some(ix), node);
        (node.id.as_str().to_owned(), json)
    })
    .collect()
}

/// A user-defined function: a node with arguments and what it returns.
fn function(writer: &node::Writer<'_>, ix: Option<NodeIx>, node: &Node) -> Json {
    let json = serde_json::to_value(writer.node(ix, node, Vec::new()));
    let mut json = json.unwrap_or_default();
    if let Some(map) = json.as_object_mut() {
        map.insert("arguments".to_owned(), super::functions::arguments(node));
        map.insert("returns".to_owned(), super::functions::returns(node));
        map.insert("relation_name".to_owned(), Json::Null);
    }
    json
}

fn disabled(input: &ManifestInput<'_>) -> IndexMap<String, Vec<Json>> {
    let writer = node::Writer { input };
    let mut all: IndexMap<String, Vec<Json>> = IndexMap::new();
    for node in input.graph.disabled() {
        let json = json_of(&writer, None, node);
        all.entry(node.id.as_str().to_owned())
            .or_default()
            .push(json);
    }
    all
}

/// Parents or children of every node, by unique id, each list in order.
fn relatives(graph: &Graph, parents: bool) -> IndexMap<&str, Vec<&str>> {
    let id = |ix: NodeIx| graph.node(ix).id.as_str();
    let nodes = graph.nodes();
    let mut all: IndexMap<&str, Vec<&str>> = nodes
        .map(|(ix, node)| {
            let near: Vec<&str> = if parents {
                node.parents.iter().map(|p| id(*p)).collect()
            } else {
                graph.children(ix).map(id).collect()
            };
            (node.id.as_str(), near)
        })
        .collect();
    for hook in graph.all_run_hooks() {
        let read = hook.parents.iter().map(|p| id(*p));
        if parents {
            all.insert(hook.id.as_str(), read.collect());
            continue;
        }
        for parent in read {
            all.entry(parent).or_default().push(hook.id.as_str());
        }
        all.entry(hook.id.as_str()).or_default();
    }
    all.values_mut().for_each(|near| near.sort_unstable());
    all
}

/// Members of each group that a property file defines.
fn group_map<'a>(graph: &'a Graph, project: &Project) -> IndexMap<String, Vec<&'a str>> {
    let mut groups: BTreeMap<String, Vec<&str>> = resources::group_names(project)
        .map(|name| (name, Vec::new()))
        .collect();
    for (_, node) in graph.nodes() {
        if let Some(group) = node::group(graph, node) {
            let members = groups.entry(group.to_owned()).or_default();
            members.push(node.id.as_str());
        }
    }
    groups.into_iter().collect()
}
