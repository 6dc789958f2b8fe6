//! Nodes as lines, as dbt's `ls` prints them.

use serde_json::Value as Json;

use super::{Detail, Graph, Node, NodeIx, ResourceKind};
use crate::diag::{Diagnostic, codes, nearest};

/// What is printed of each node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListForm {
    /// A selector that finds it: the dotted qualified name, or `source:package.source.table`.
    #[default]
    Selector,
    /// Its name.
    Name,
    /// Its path from the package's folder.
    Path,
    /// JSON with these keys; none means dbt's usual ones.
    Json(Vec<String>),
}

/// The keys that `--output json` prints where none are named.
const USUAL_KEYS: [&str; 10] = [
    "alias",
    "name",
    "package_name",
    "depends_on",
    "tags",
    "config",
    "resource_type",
    "source_name",
    "original_file_path",
    "unique_id",
];

impl ListForm {
    /// The form of a word of `--output`, with `--output-keys`.
    ///
    /// # Errors
    /// There is no such form.
    pub fn parse(word: &str, keys: &[String]) -> Result<Self, Diagnostic> {
        const WORDS: [&str; 4] = ["selector", "name", "path", "json"];
        match word {
            "selector" => Ok(Self::Selector),
            "name" => Ok(Self::Name),
            "path" => Ok(Self::Path),
            "json" => {
                let keys = keys.iter().flat_map(|keys| keys.split_whitespace());
                Ok(Self::Json(keys.map(str::to_owned).collect()))
            }
            _ => {
                let hint = match nearest(word, WORDS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("use one of {}", WORDS.join(", ")),
                };
                let message = format!("`{word}` is no form of a list");
                Err(Diagnostic::error(codes::SELECTION, message).hint(hint))
            }
        }
    }
}

/// A line for each node, in the order of their unique ids. `json` gives a node as dbt's
/// manifest has it.
pub fn listing(
    graph: &Graph,
    nodes: &[NodeIx],
    form: &ListForm,
    json: impl Fn(NodeIx) -> Json,
) -> Vec<String> {
    let mut nodes = nodes.to_vec();
    nodes.sort_by_key(|ix| graph.node(*ix).id.as_str());
    let line = |ix: NodeIx| {
        let node = graph.node(ix);
        match form {
            ListForm::Selector => selector(node),
            ListForm::Name => name(node),
            ListForm::Path => node.path.clone(),
            ListForm::Json(keys) => crate::encode::python_json(&picked(&json(ix), keys)),
        }
    };
    nodes.into_iter().map(line).collect()
}

fn selector(node: &Node) -> String {
    match &node.detail {
        Detail::Source { source, .. } => format!("source:{}.{source}.{}", node.package, node.name),
        Detail::UnitTest(_) => format!("unit_test:{}.{}", node.package, node.name),
        _ if node.kind == ResourceKind::Exposure => {
            format!("exposure:{}.{}", node.package, node.name)
        }
        Detail::Semantic(_) => {
            format!("{}:{}.{}", node.kind.as_str(), node.package, node.name)
        }
        _ => node.fqn.join("."),
    }
}

fn name(node: &Node) -> String {
    match &node.detail {
        Detail::Source { source, .. } => format!("{source}.{}", node.name),
        _ => node.name.clone(),
    }
}

/// The wanted keys: in the order of asking, or the usual ones in the order of the manifest.
fn picked(node: &Json, keys: &[String]) -> Json {
    let Json::Object(map) = node else {
        return Json::Null;
    };
    if keys.is_empty() {
        let usual = map.iter();
        let usual = usual.filter(|(key, _)| USUAL_KEYS.contains(&key.as_str()));
        return Json::Object(usual.map(|(k, v)| (k.clone(), v.clone())).collect());
    }
    let found = keys.iter().filter_map(|key| {
        let value = match key.split_once('.') {
            None => map.get(key).cloned(),
            Some(_) => {
                let nested = key.split('.').try_fold(node, |at, part| at.get(part));
                nested.filter(|value| !value.is_null()).cloned()
            }
        };
        Some((key.clone(), value?))
    });
    Json::Object(found.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graph::fixture::{graph, model, source};

    fn lines(form: &ListForm) -> Vec<String> {
        let graph = graph(vec![
            source("raw", "events"),
            model("b").path("models/gold/b.sql"),
            model("a"),
        ]);
        let all: Vec<NodeIx> = graph.nodes().map(|(ix, _)| ix).collect();
        listing(&graph, &all, form, |ix| {
            let node = graph.node(ix);
            json!({
                "name": node.name, "raw_code": "é \"x\"", "tags": ["a", "b"],
                "config": {"meta": {"n": 1, "none": null}},
            })
        })
    }

    #[test]
    fn lines_come_in_the_order_of_unique_ids() {
        let selectors = lines(&ListForm::Selector);
        assert_eq!(
            selectors,
            ["shop.a", "shop.gold.b", "source:shop.raw.events"]
        );
        assert_eq!(lines(&ListForm::Name), ["a", "b", "raw.events"]);
        let paths = lines(&ListForm::Path);
        assert_eq!(
            paths,
            ["models/a.sql", "models/gold/b.sql", "models/sources.yml"]
        );
    }

    #[test]
    fn json_has_the_keys_that_are_asked_for() {
        let json = |keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            lines(&ListForm::Json(keys)).swap_remove(0)
        };
        assert_eq!(
            json(&[]),
            r#"{"name": "a", "tags": ["a", "b"], "config": {"meta": {"n": 1, "none": null}}}"#
        );
        assert_eq!(
            json(&[
                "raw_code",
                "config.meta.n",
                "config.meta.none",
                "no",
                "name"
            ]),
            r#"{"raw_code": "\u00e9 \"x\"", "config.meta.n": 1, "name": "a"}"#
        );
    }

    #[test]
    fn an_unknown_form_is_told_with_the_nearest() {
        let error = ListForm::parse("names", &[]).unwrap_err();
        assert_eq!(error.hint.as_deref(), Some("did you mean `name`?"));
    }
}
