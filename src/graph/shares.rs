//! Thresholds that are a share of rows need one relation whose rows are meant.

use super::{Detail, Node};
use crate::diag::{Diagnostic, codes};
use crate::project::Threshold;

/// Refuses a share on tests that do not read exactly one relation.
pub(super) fn check(nodes: &[Box<Node>]) -> Vec<Diagnostic> {
    nodes.iter().filter_map(|node| problem(node)).collect()
}

fn problem(node: &Node) -> Option<Diagnostic> {
    let parents = node.parents.len();
    if !matches!(node.detail, Detail::SingularTest) || parents == 1 {
        return None;
    }
    let is_share = |text: &str| matches!(Threshold::parse(text), Ok(Threshold::Share(_)));
    let config = &node.config;
    let (key, text) = [("error_if", &config.error_if), ("warn_if", &config.warn_if)]
        .into_iter()
        .find(|(_, text)| is_share(text))?;
    let message = format!(
        "`{key}: {}` of test `{}` is a share of rows, but the test reads {parents} relations",
        text.trim(),
        node.name
    );
    let hint =
        "compare with a count, as in `> 10`, or let the test read one model that joins the others";
    let diagnostic = Diagnostic::error(codes::TEST_SHARE, message).hint(hint);
    Some(match node.span {
        Some(span) => diagnostic.at(span, ""),
        None => diagnostic.in_file(&node.path),
    })
}
