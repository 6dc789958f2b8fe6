//! Which nodes a method finds, before `+` and `@` reach further.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::method::{Method, TestType, VersionKind};
use super::set::NodeSet;
use super::{Earlier, SelectContext};
use crate::diag::{Diagnostic, codes};
use crate::graph::config_json::config_value;
use crate::graph::{Detail, Graph, Node, NodeIx, ResourceKind};

/// The nodes that a method finds. Errors: it needs an earlier artifact that is not there.
pub(super) fn search(
    method: &Method,
    graph: &Graph,
    context: &SelectContext<'_>,
) -> Result<NodeSet, Diagnostic> {
    let earlier = context.earlier;
    Ok(match method {
        Method::State(check) => {
            let state = earlier.state.ok_or_else(|| missing("state", "--state"))?;
            NodeSet::of(graph, |ix| state.holds(ix, *check))
        }
        Method::Result(status) => {
            let results = earlier
                .results
                .ok_or_else(|| missing("result", "--state"))?;
            let ended = |ix: NodeIx| results.get(&graph.node(ix).id);
            NodeSet::of(graph, |ix| ended(ix).is_some_and(|s| s == status))
        }
        Method::Fresher => {
            let fresher = earlier
                .fresher
                .ok_or_else(|| missing("source_status", "--state"))?;
            NodeSet::of(graph, |ix| fresher.contains(&graph.node(ix).id))
        }
        other => NodeSet::of(graph, |ix| {
            finds(other, graph, graph.node(ix), context.root_package)
        }),
    })
}

fn missing(method: &str, flag: &str) -> Diagnostic {
    let file = match method {
        "state" => "manifest.json",
        "result" => "run_results.json",
        _ => "sources.json",
    };
    Diagnostic::error(
        codes::STATE_MISSING,
        format!("`{method}:` compares with an earlier run, and there is no {file} of one"),
    )
    .hint(format!(
        "give the folder of the earlier artifacts: `{flag} path/to/target`"
    ))
}

impl Earlier<'_> {
    /// Nothing to compare with.
    pub const NONE: Earlier<'static> = Earlier {
        state: None,
        results: None,
        fresher: None,
    };
}

fn finds(method: &Method, graph: &Graph, node: &Node, root_package: &str) -> bool {
    match method {
        Method::Fqn(name) => match (&node.model.version, node.kind) {
            (_, ResourceKind::Source) => false,
            (Some(_), ResourceKind::Model) => name.matches_version(&node.fqn),
            _ => name.matches(&node.fqn),
        },
        Method::Path(pattern) => {
            let described = node.patch_path.as_ref();
            pattern.covers(&node.path) || described.is_some_and(|path| pattern.names(path))
        }
        Method::File(pattern) => {
            let file = node.path.rsplit('/').next().unwrap_or_default();
            let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            pattern.matches(file) || pattern.matches(stem)
        }
        Method::Package(pattern) => pattern.matches(&node.package),
        Method::ThisPackage => node.package == root_package,
        Method::Tag(pattern) => graph.tags(node).iter().any(|tag| pattern.matches(tag)),
        Method::Group(pattern) => {
            let group = node.config.group.as_deref();
            node.kind != ResourceKind::Source && group.is_some_and(|g| pattern.matches(g))
        }
        Method::Access(access) => {
            node.kind == ResourceKind::Model && node.config.access.as_str() == access
        }
        Method::Source {
            package,
            source,
            table,
        } => match &node.detail {
            Detail::Source { source: own, .. } => {
                package.matches(&node.package) && source.matches(own) && table.matches(&node.name)
            }
            _ => false,
        },
        Method::Named {
            kind,
            package,
            name,
        } => {
            node.kind.as_str() == *kind
                && package.matches(&node.package)
                && name.matches(&node.name)
        }
        Method::ResourceType(kind) => node.kind.as_str() == *kind,
        Method::Config { path, value } => {
            node.kind != ResourceKind::Exposure && config_is(node, path, value)
        }
        Method::TestName(pattern) => match &node.detail {
            Detail::GenericTest(test) => pattern.matches(&test.test),
            _ => node.kind.as_str() == "unit_test" && pattern.matches(&node.name),
        },
        Method::TestType(kind) => match &node.detail {
            Detail::GenericTest(_) => matches!(kind, TestType::Generic | TestType::Data),
            Detail::SingularTest => matches!(kind, TestType::Singular | TestType::Data),
            _ => *kind == TestType::Unit && node.kind.as_str() == "unit_test",
        },
        Method::Version(kind) => {
            let against = node.model.version.as_ref().map(|v| v.against_latest());
            node.kind == ResourceKind::Model
                && match kind {
                    VersionKind::Latest => against == Some(Ordering::Equal),
                    VersionKind::Prerelease => against == Some(Ordering::Greater),
                    VersionKind::Old => against == Some(Ordering::Less),
                    VersionKind::None => against.is_none(),
                }
        }
        Method::State(_) | Method::Result(_) | Method::Fresher | Method::Selector(_) => false,
    }
}

fn config_is(node: &Node, path: &[String], wanted: &str) -> bool {
    let Some((first, below)) = path.split_first() else {
        return false;
    };
    let any_case = below.is_empty() && first == "severity";
    let mut value = config_value(node, first);
    for key in below {
        value = value.and_then(|v| v.as_object()).and_then(|m| m.get(key));
    }
    match value {
        Some(Json::Array(list)) => list.iter().any(|item| is_text(item, wanted, any_case)),
        Some(value) => is_text(value, wanted, any_case),
        None => false,
    }
}

fn is_text(value: &Json, wanted: &str, any_case: bool) -> bool {
    match value {
        Json::String(text) if any_case => text.eq_ignore_ascii_case(wanted),
        Json::String(text) => text == wanted,
        Json::Bool(flag) => wanted.eq_ignore_ascii_case(if *flag { "true" } else { "false" }),
        Json::Number(number) => number.to_string() == wanted,
        _ => false,
    }
}
