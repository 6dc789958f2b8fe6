//! Refs and sources as written become parents, or diagnostics at their lines.

use super::{NameTable, Node, NodeIx};
use crate::diag::{Diagnostic, SourceMap, codes};

/// Fills in every node's parents; what could not be resolved.
pub(super) fn parents(
    nodes: &mut [Box<Node>],
    names: &NameTable,
    sources: &SourceMap,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for node in nodes.iter_mut() {
        let mut parents: Vec<NodeIx> = Vec::new();
        let mut add = |ix: NodeIx| {
            if !parents.contains(&ix) {
                parents.push(ix);
            }
        };
        for (call, line) in &node.refs {
            match names.find_ref(&node.package, call) {
                Ok(ix) => add(ix),
                Err(error) => {
                    let base = Diagnostic::error(codes::UNKNOWN_REF, error.message);
                    problems.push(place(base, node, *line, &call.name, sources, error.hint));
                }
            }
        }
        for (call, line) in &node.sources {
            match names.find_source(&node.package, call) {
                Ok(ix) => add(ix),
                Err(error) => {
                    let base = Diagnostic::error(codes::UNKNOWN_SOURCE, error.message);
                    problems.push(place(base, node, *line, &call.table, sources, error.hint));
                }
            }
        }
        for (call, line) in &node.functions {
            match names.find_function(&node.package, call) {
                Ok(ix) => add(ix),
                Err(error) => {
                    let base = Diagnostic::error(codes::UNKNOWN_REF, error.message);
                    problems.push(place(base, node, *line, &call.name, sources, error.hint));
                }
            }
        }
        node.parents = parents;
    }
    problems
}

/// Points at the name on its line where it stands there, else at the whole line.
fn place(
    diagnostic: Diagnostic,
    node: &Node,
    line: usize,
    name: &str,
    sources: &SourceMap,
    hint: Option<String>,
) -> Diagnostic {
    let diagnostic = match (node.file, hint) {
        (Some(_), Some(hint)) => diagnostic.hint(hint),
        (None, Some(hint)) => diagnostic.in_file(&node.path).hint(hint),
        _ => diagnostic,
    };
    let Some(file) = node.file else {
        return diagnostic;
    };
    let mut span = sources.line_span(file, line);
    let text = &sources.file(file).text;
    let on_line = text.get(span.start as usize..span.end as usize);
    if let Some(at) = on_line.and_then(|text| text.find(name)) {
        span.start += at as u32;
        span.end = span.start + name.len() as u32;
    }
    diagnostic.at(span, "")
}
