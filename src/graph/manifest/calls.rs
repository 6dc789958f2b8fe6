//! What a node calls by `ref` and `source`, in the shape of dbt's manifest.

use serde_json::Value as Json;

use crate::artifact::manifest::view::Ref;
use crate::graph::Node;

pub(super) fn refs(node: &Node) -> Vec<Ref<'_>> {
    let calls = node.refs.iter();
    calls
        .map(|(call, _)| Ref {
            name: &call.name,
            package: call.package.as_deref(),
            version: call.version.as_deref().map(number_or_text),
        })
        .collect()
}

/// A version as a number where it reads like one; refs keep it as text.
fn number_or_text(version: &str) -> Json {
    let number = serde_json::from_str::<Json>(version).ok();
    number
        .filter(Json::is_number)
        .unwrap_or_else(|| Json::from(version))
}

pub(super) fn sources(node: &Node) -> Vec<[&str; 2]> {
    let calls = node.sources.iter();
    calls
        .map(|(call, _)| [call.source.as_str(), call.table.as_str()])
        .collect()
}
