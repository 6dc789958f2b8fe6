//! The warning about a selection that matches nothing: which part of it, and what may have
//! been meant.

use super::SelectContext;
use super::matches::search;
use super::method::Method;
use super::spec::{Criterion, Spec};
use crate::diag::{Diagnostic, codes, nearest};
use crate::graph::{Detail, Graph, Node, ResourceKind};

pub(super) fn warning(
    text: &str,
    parts: &[Spec],
    graph: &Graph,
    context: &SelectContext<'_>,
) -> Result<Diagnostic, Diagnostic> {
    let mut warning = Diagnostic::warning(
        codes::SELECTION_EMPTY,
        format!("the selection `{text}` matches nothing"),
    );
    for part in parts {
        let Spec::Criterion(criterion) = part else {
            continue;
        };
        if !search(&criterion.method, graph, context)?.is_empty() {
            continue;
        }
        if parts.len() > 1 {
            warning = warning.note(format!("`{}` alone matches nothing", criterion.text));
        }
        return Ok(match hint(criterion, graph) {
            Some(hint) => warning.hint(hint),
            None => warning.hint("`marts ls` shows what there is"),
        });
    }
    if parts.len() > 1 {
        warning = warning.note("each part matches something, but nothing matches all of them");
    }
    Ok(warning.hint("`marts ls --select` with one part shows what it matches"))
}

fn hint(criterion: &Criterion, graph: &Graph) -> Option<String> {
    let nodes = || graph.nodes().map(|(_, node)| node);
    match &criterion.method {
        Method::Fqn(name) => fqn_hint(&name.text, graph),
        Method::Tag(_) => near(criterion, "tag:", nodes().flat_map(|node| graph.tags(node))),
        Method::Package(_) => near(
            criterion,
            "package:",
            nodes().map(|node| node.package.as_str()),
        ),
        Method::Group(_) => near(
            criterion,
            "group:",
            nodes().filter_map(|node| node.config.group.as_deref()),
        ),
        Method::File(_) => {
            let files = nodes().map(|node| node.path.rsplit('/').next().unwrap_or_default());
            near(criterion, "file:", files)
        }
        Method::Path(_) => near(criterion, "path:", nodes().flat_map(folders)),
        Method::TestName(_) => {
            let tests = nodes().filter_map(|node| match &node.detail {
                Detail::GenericTest(test) => Some(test.test.as_str()),
                _ => None,
            });
            near(criterion, "test_name:", tests)
        }
        Method::Source { .. } => {
            let names: Vec<String> = nodes().flat_map(source_names).collect();
            near(criterion, "source:", names.iter().map(String::as_str))
        }
        _ => None,
    }
}

/// The value of the criterion, without its method and plus signs, and its nearest.
fn near<'a>(
    criterion: &Criterion,
    prefix: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let text = criterion.text.trim_matches(['@', '+']);
    let value = text.split_once(':').map_or(text, |(_, value)| value);
    let mut known: Vec<&str> = known.filter(|name| near_in_length(value, name)).collect();
    known.sort_unstable();
    known.dedup();
    nearest(value, known).map(|name| format!("did you mean `{prefix}{name}`?"))
}

/// Whether a name could be near at all: saves the comparison with thousands that cannot.
fn near_in_length(value: &str, name: &str) -> bool {
    value.len().abs_diff(name.len()) <= value.len() / 3 + 1
}

fn fqn_hint(name: &str, graph: &Graph) -> Option<String> {
    if let Some(node) = graph.disabled().find(|node| node.name == name) {
        return Some(format!(
            "`{name}` is disabled: set `enabled: true` for {}",
            node.path
        ));
    }
    let mut candidates: Vec<&str> = Vec::new();
    for (_, node) in graph.nodes() {
        if let Detail::Source { source, .. } = &node.detail {
            if source == name || node.name == name {
                let full = if source == name {
                    name.to_owned()
                } else {
                    format!("{source}.{name}")
                };
                return Some(format!("sources are selected by `source:{full}`"));
            }
        } else if near_in_length(name, &node.name) {
            candidates.push(&node.name);
        }
    }
    nearest(name, candidates).map(|near| format!("did you mean `{near}`?"))
}

/// A node's path and the folders above it.
fn folders(node: &Node) -> impl Iterator<Item = &str> {
    let path = node.path.as_str();
    let ends = path.match_indices('/').map(|(at, _)| at);
    ends.chain([path.len()]).map(move |end| &path[..end])
}

fn source_names(node: &Node) -> Vec<String> {
    match (&node.detail, node.kind) {
        (Detail::Source { source, .. }, ResourceKind::Source) => {
            vec![source.clone(), format!("{source}.{}", node.name)]
        }
        _ => Vec::new(),
    }
}
