//! `manifest.json` of an invocation.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::failure::Failure;
use super::invocation::Invocation;
use crate::artifact;
use crate::artifact::manifest::ManifestMetadata;
use crate::diag::codes;
use crate::graph::manifest::{CompiledCode, ManifestInput, manifest};
use crate::graph::{DocsBlocks, NodeIx};
use crate::jinja::MacroInfo;

/// What a manifest takes from an invocation.
pub(super) fn input<'a>(
    invocation: &'a Invocation,
    macros: &'a [MacroInfo],
    docs: &'a DocsBlocks,
    compiled: &'a HashMap<NodeIx, CompiledCode>,
) -> ManifestInput<'a> {
    let root = invocation.project.root_package();
    let mut metadata = ManifestMetadata::new(&root.name, &invocation.run_id);
    metadata.common.env = invocation.custom_env.clone();
    metadata.send_anonymous_usage_stats = Some(false);
    let quoting = |key: &str| root.file.quoting.get(key);
    metadata.quoting = Some(serde_json::json!({
        "database": quoting("database").unwrap_or(&true),
        "schema": quoting("schema").unwrap_or(&true),
        "identifier": quoting("identifier").unwrap_or(&true),
        "column": quoting("column"),
    }));
    ManifestInput {
        graph: &invocation.graph,
        project: &invocation.project,
        macros,
        docs,
        compiled,
        metadata,
        created_at: jiff::Timestamp::now().as_microsecond() as f64 / 1e6,
    }
}

/// Sections of the manifest that make up dbt's `graph` variable.
const GRAPH: [&str; 8] = [
    "nodes",
    "sources",
    "exposures",
    "groups",
    "metrics",
    "semantic_models",
    "saved_queries",
    "functions",
];

/// Whether `graph` stands in it as a word of its own: `demographics` is no reason to make all of it.
fn names_graph(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices("graph").any(|(at, word)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

/// Gives templates dbt's `graph` variable, if any of them speaks of it: it is large.
pub(super) fn provide_graph(invocation: &Invocation) {
    let macros = invocation.engine.macros();
    let hooks = invocation.graph.all_run_hooks();
    let mut texts = macros
        .iter()
        .filter(|m| m.package != "dbt")
        .map(|m| m.text.as_str())
        .chain(invocation.graph.nodes().map(|(_, n)| n.raw_code.as_str()))
        .chain(hooks.map(|hook| hook.raw_code.as_str()));
    if !texts.any(names_graph) {
        return;
    }
    let docs = DocsBlocks::new(&invocation.project);
    let compiled = HashMap::new();
    let input = input(invocation, &macros, &docs, &compiled);
    let Ok(Json::Object(mut all)) = serde_json::to_value(manifest(&input)) else {
        return;
    };
    all.retain(|section, _| GRAPH.contains(&section.as_str()));
    invocation.engine.set_graph(&Json::Object(all));
}

/// Writes `manifest.json` on a thread of its own while `work` is done: it is for others, who
/// must not be waited for. Where it cannot be written, that is a warning in the log.
pub(super) fn beside<T>(invocation: &Invocation, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            if let Err(error) = write(invocation, &HashMap::new()) {
                tracing::warn!(?error, "manifest.json is not written");
            }
        });
        work()
    })
}

/// Writes `manifest.json` under the target path.
pub(super) fn write(
    invocation: &Invocation,
    compiled: &HashMap<NodeIx, CompiledCode>,
) -> Result<(), Failure> {
    let macros = invocation.engine.macros();
    let docs = DocsBlocks::new(&invocation.project);
    let input = input(invocation, &macros, &docs, compiled);
    let folder = invocation.root().join(&invocation.target_path);
    artifact::write(&folder.join("manifest.json"), &manifest(&input)).map_err(|error| {
        Failure::message(
            codes::TARGET_UNWRITABLE,
            error.to_string(),
            "make the folder writable, or name another with --target-path",
        )
    })
}
