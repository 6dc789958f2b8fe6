//! Exposures as nodes: nothing runs them, but what they need can be selected.

use std::sync::LazyLock;

use indexmap::IndexMap;
use regex::{Captures, Regex};
use serde_json::Value as Json;

use super::draft::fqn_of_entry;
use super::{Node, ResourceKind};
use crate::diag::{Diagnostic, Span, codes};
use crate::jinja::{RefCall, SourceCall};
use crate::project::{ConfigMap, ConfigOrigin, NodeConfig, Package, Project};

static CALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"^\s*(?:\{\{)?\s*(ref|source|metric)\(\s*['"]([^'"]+)['"]\s*(?:,\s*['"]([^'"]+)['"]\s*)?(?:,\s*v(?:ersion)?\s*=\s*['"]?([^'"\s)]+))?"#,
    )
    .expect("a constant pattern compiles")
});

/// The ref that a text is, for example `ref('orders')`.
pub(super) fn reference(text: &str) -> Option<RefCall> {
    let call = CALL.captures(text).filter(|call| &call[1] == "ref")?;
    Some(ref_call(&call))
}

fn ref_call(call: &Captures<'_>) -> RefCall {
    let (first, second) = (call[2].to_owned(), call.get(3));
    let (package, name) = match second {
        Some(name) => (Some(first), name.as_str().to_owned()),
        None => (None, first),
    };
    RefCall {
        package,
        name,
        version: call.get(4).map(|version| version.as_str().to_owned()),
    }
}

/// The exposures of all property files.
pub(super) fn nodes(project: &Project, problems: &mut Vec<Diagnostic>) -> Vec<Box<Node>> {
    let mut nodes = Vec::new();
    for package in &project.packages {
        for (key, json, path) in &package.properties.other {
            if key != "exposures" {
                continue;
            }
            let written = Written {
                project,
                package,
                path,
                span: json.span,
                entry: &json.value,
            };
            nodes.extend(written.node(problems).map(Box::new));
        }
    }
    nodes
}

/// An entry as it stands in a property file.
struct Written<'a> {
    project: &'a Project,
    package: &'a Package,
    path: &'a str,
    span: Span,
    entry: &'a Json,
}

impl Written<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.entry.get(key).and_then(Json::as_str)
    }

    fn node(&self, problems: &mut Vec<Diagnostic>) -> Option<Node> {
        let Some(name) = self.text("name") else {
            let problem = Diagnostic::error(codes::MISSING_KEY, "an exposure has no name");
            problems.push(problem.at(self.span, "").hint("give it a `name:`"));
            return None;
        };
        let config = self.config(name, problems);
        let package = &self.package.name;
        let id = format!("exposure.{package}.{name}");
        let mut node = Node {
            path: self.path.to_owned(),
            fqn: fqn_of_entry(self.package, self.path, name),
            file: Some(self.span.file),
            span: Some(self.span),
            config: config.into(),
            description: self.text("description").unwrap_or_default().to_owned(),
            other: match self.entry {
                Json::Object(map) => map.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
                _ => IndexMap::new(),
            },
            ..Node::bare(id, ResourceKind::Exposure, package, name)
        };
        self.needs(&mut node);
        Some(node)
    }

    /// `enabled`, tags and meta, from `config:` or beside it.
    fn config(&self, name: &str, problems: &mut Vec<Diagnostic>) -> NodeConfig {
        let mut raw = ConfigMap::new();
        for key in ["enabled", "tags", "meta"] {
            let config = self.entry.get("config").and_then(|c| c.get(key));
            if let Some(value) = config.or_else(|| self.entry.get(key)) {
                raw.insert(key.to_owned(), value.clone());
            }
        }
        let what = format!("exposure `{name}`");
        let origin = ConfigOrigin {
            what: &what,
            place: &|_| Some(self.span),
            file: Some(self.path),
        };
        let (config, found) = NodeConfig::new(raw, "view", &origin);
        problems.extend(found);
        config
    }

    /// What `depends_on` names, each with its line.
    fn needs(&self, node: &mut Node) {
        let list = self.entry.get("depends_on").and_then(Json::as_array);
        let list = list.map(Vec::as_slice).unwrap_or_default();
        for text in list.iter().filter_map(Json::as_str) {
            let Some(call) = CALL.captures(text) else {
                continue;
            };
            let (first, second) = (call[2].to_owned(), call.get(3));
            let second = second.map(|m| m.as_str().to_owned());
            match (&call[1], second) {
                ("source", Some(table)) => {
                    let line = self.line_of(&table);
                    let source = first;
                    node.sources.push((SourceCall { source, table }, line));
                }
                ("source", None) | ("metric", Some(_)) => {}
                // Connected once all metrics are known.
                ("metric", None) => node.model.metrics.push(first),
                _ => {
                    let call = ref_call(&call);
                    let line = self.line_of(&call.name);
                    node.refs.push((call, line));
                }
            }
        }
    }

    /// The first line of the property file that calls something of this name.
    fn line_of(&self, name: &str) -> usize {
        let file = self.project.sources.file(self.span.file);
        let is_call =
            |line: &str| line.contains(name) && (line.contains("ref(") || line.contains("source("));
        let start = file.line_column(self.span.start).0;
        let lines = file.text.lines().enumerate().skip(start - 1);
        let mut found = lines.filter(|(_, line)| is_call(line));
        found.next().map_or(start, |(index, _)| index + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ref_names_its_package_and_version() {
        let of = |text: &str| {
            let call = reference(text).unwrap();
            (call.package, call.name, call.version)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("ref('m')"), (None, "m".to_owned(), None));
        assert_eq!(of("ref('m', v=1)"), (None, "m".to_owned(), some("1")));
        assert_eq!(
            of("{{ ref(\"p\", \"m\", version='2b') }}"),
            (some("p"), "m".to_owned(), some("2b"))
        );
        assert_eq!(of("ref('p', 'm')"), (some("p"), "m".to_owned(), None));
    }
}
