//! `deprecation_date` of models: a warning once it has passed, and for those that read the model.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value as Json;

use super::{Node, ResourceKind};
use crate::diag::{Diagnostic, codes};

/// Warnings about deprecated models and the nodes that read them. `now` is an RFC 3339 instant.
pub(super) fn check(nodes: &[Box<Node>], now: &str) -> Vec<Diagnostic> {
    let now: Option<Timestamp> = now.parse().ok();
    let dates: Vec<Option<(&str, bool)>> = nodes.iter().map(|node| date(node, now)).collect();
    let mut found = Vec::new();
    for (node, own) in nodes.iter().zip(&dates) {
        if let Some((date, true)) = own {
            let message = format!("model `{}` was deprecated on {date}", label(node));
            let problem = Diagnostic::warning(codes::MODEL_DEPRECATED, message);
            let problem = problem.in_file(node.patch_path.as_ref().unwrap_or(&node.path));
            found.push(problem.hint("remove it, or move its `deprecation_date`"));
        }
        if node.kind == ResourceKind::Test {
            continue;
        }
        for parent in &node.parents {
            if let Some((date, past)) = dates[parent.index()] {
                let read = &nodes[parent.index()];
                found.push(reference(node, read, date, past));
            }
        }
    }
    found
}

fn reference(node: &Node, read: &Node, date: &str, past: bool) -> Diagnostic {
    let when = if past {
        "was deprecated on"
    } else {
        "will be deprecated on"
    };
    let message = format!(
        "`{}` reads `{}`, which {when} {date}",
        node.name,
        label(read)
    );
    let hint = match &read.model.version {
        Some(version) if !version.is_latest() => format!(
            "move on to ref('{}', v={})",
            read.name,
            version.latest.to_string().trim_matches('"')
        ),
        _ => "read another model instead".to_owned(),
    };
    Diagnostic::warning(codes::MODEL_DEPRECATED, message)
        .in_file(&node.path)
        .hint(hint)
}

/// A model's deprecation date as written, and whether it has passed.
fn date(node: &Node, now: Option<Timestamp>) -> Option<(&str, bool)> {
    let text = node.other.get("deprecation_date").and_then(Json::as_str)?;
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        let day: Date = text.get(..10)?.parse().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })?;
    Some((text.get(..10).unwrap_or(text), at <= now?))
}

fn label(node: &Node) -> String {
    match &node.model.version {
        Some(version) => format!("{}.v{}", node.name, version.text()),
        None => node.name.clone(),
    }
}
