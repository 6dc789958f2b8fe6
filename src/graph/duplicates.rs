//! Two nodes of one id, of one name, or of one relation: what a project may not have.

use indexmap::IndexMap;

use super::build::has_relation;
use super::{Detail, Node};
use crate::diag::{Diagnostic, codes};

/// Two nodes of one id, or two relations of one name.
pub(super) fn duplicates(nodes: &[Box<Node>]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut ids: IndexMap<&str, &Node> = IndexMap::new();
    let mut names: IndexMap<(&str, &str, Option<String>), &Node> = IndexMap::new();
    let mut relations: IndexMap<String, &Node> = IndexMap::new();
    for node in nodes {
        let seen = ids.insert(node.id.as_str(), node);
        if let Some(first) = seen.filter(|_| !matches!(node.detail, Detail::GenericTest(_))) {
            let text = format!(
                "there are two {}s named `{}`",
                node.kind.as_str(),
                node.name
            );
            problems.push(two(text, first, node, "rename one of them"));
            continue;
        }
        if !has_relation(node) {
            continue;
        }
        let version = node.model.version.as_ref().map(|version| version.text());
        let key = (node.package.as_str(), node.name.as_str(), version);
        if let Some(first) = names.insert(key, node) {
            let text = format!(
                "a {} and a {} are both named `{}`, so a ref could mean either",
                first.kind.as_str(),
                node.kind.as_str(),
                node.name
            );
            problems.push(two(text, first, node, "rename one of them"));
            continue;
        }
        let Some(relation) = node.relation.as_ref().filter(|_| !node.is_ephemeral()) else {
            continue;
        };
        if let Some(first) = relations.insert(relation.to_string(), node) {
            let text = format!(
                "`{}` and `{}` would both build {relation}",
                first.name, node.name
            );
            problems.push(two(
                text,
                first,
                node,
                "give one another `alias` or `schema`",
            ));
        }
    }
    problems
}

fn two(text: String, first: &Node, second: &Node, hint: &str) -> Diagnostic {
    Diagnostic::error(codes::DUPLICATE_NODE, text)
        .in_file(&second.path)
        .note(format!("one in {}", first.path))
        .note(format!("one in {}", second.path))
        .hint(hint)
}
