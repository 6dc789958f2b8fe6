//! Contracts and constraints of models: what is wrong with them as they are written, what their
//! foreign keys refer to, and what the engine sees of them.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value as Json, json};

use super::{Graph, Node, NodeIx, ResourceKind};
use crate::diag::{Diagnostic, Span, codes, nearest};
use crate::jinja::{RefCall, SourceCall};
use crate::project::{OnSchemaChange, ResourceProperties};

/// dbt's words for the kinds of constraints.
const KINDS: [&str; 6] = [
    "not_null",
    "unique",
    "primary_key",
    "foreign_key",
    "check",
    "custom",
];

static TO: LazyLock<Regex> = LazyLock::new(|| {
    let name = r#"['"]([^'"]+)['"]"#;
    Regex::new(&format!(
        r#"^\s*(?:\{{\{{)?\s*(ref|source)\(\s*{name}\s*(?:,\s*{name}\s*)?(?:,\s*v(?:ersion)?\s*=\s*['"]?([^'"\s)]+)['"]?\s*)?\)\s*(?:\}}\}})?\s*$"#
    ))
    .expect("a constant pattern compiles")
});

/// What `to` of a foreign key names.
enum To {
    Ref(RefCall),
    Source(SourceCall),
}

fn to(constraint: &Json) -> Option<To> {
    let found = TO.captures(constraint.get("to")?.as_str()?)?;
    let first = found[2].to_owned();
    let second = found.get(3).map(|m| m.as_str().to_owned());
    Some(match (&found[1], second) {
        ("source", Some(table)) => To::Source(SourceCall {
            source: first,
            table,
        }),
        (_, second) => {
            let (package, name) = match second {
                Some(name) => (Some(first), name),
                None => (None, first),
            };
            To::Ref(RefCall {
                package,
                name,
                version: found.get(4).map(|m| m.as_str().to_owned()),
            })
        }
    })
}

fn list(written: Option<&Json>) -> &[Json] {
    written.and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// All constraints of a model, each with the column that it stands at.
fn constraints(node: &Node) -> impl Iterator<Item = (Option<&str>, &Json)> {
    let own = list(node.other.get("constraints"))
        .iter()
        .map(|c| (None, c));
    let of_columns = node.columns.iter().flat_map(|(name, info)| {
        let all = list(info.other.get("constraints")).iter();
        all.map(move |c| (Some(name.as_str()), c))
    });
    own.chain(of_columns)
}

/// What foreign keys refer to is read by the model: it has to be there first.
pub(super) fn read_foreign_keys(node: &mut Node, line: usize) {
    if node.kind != ResourceKind::Model || !node.config.contract.enforced {
        return;
    }
    let calls: Vec<To> = constraints(node).filter_map(|(_, c)| to(c)).collect();
    for call in calls {
        match call {
            To::Ref(call) if !node.refs.iter().any(|(known, _)| *known == call) => {
                node.refs.push((call, line));
            }
            To::Source(call) if !node.sources.iter().any(|(known, _)| *known == call) => {
                node.sources.push((call, line));
            }
            _ => {}
        }
    }
}

/// What is wrong with a model's contract before any query is looked at.
pub(super) fn check(node: &Node, properties: Option<&ResourceProperties>) -> Vec<Diagnostic> {
    if node.kind != ResourceKind::Model || !node.config.contract.enforced {
        return Vec::new();
    }
    let checker = Checker { node, properties };
    let mut problems = Vec::new();
    checker.materialization(&mut problems);
    checker.columns(&mut problems);
    for (column, constraint) in constraints(node) {
        checker.constraint(column, constraint, &mut problems);
    }
    checker.primary_key(&mut problems);
    problems
}

struct Checker<'a> {
    node: &'a Node,
    properties: Option<&'a ResourceProperties>,
}

impl Checker<'_> {
    fn problem(&self, message: String, column: Option<&str>) -> Diagnostic {
        let text = format!("the contract of model `{}` {message}", self.node.name);
        let problem = Diagnostic::error(codes::CONTRACT_FORM, text);
        match self.span(column) {
            Some(span) => problem.at(span, ""),
            None => problem.in_file(self.node.patch_path.as_ref().unwrap_or(&self.node.path)),
        }
    }

    fn span(&self, column: Option<&str>) -> Option<Span> {
        let properties = self.properties?;
        let mut columns = properties.columns.iter();
        let of_column = columns.find(|c| Some(c.name.value.as_str()) == column);
        Some(of_column.map_or(properties.name.span, |c| c.name.span))
    }

    fn materialization(&self, problems: &mut Vec<Diagnostic>) {
        let config = &self.node.config;
        let kind = config.materialized.as_str();
        if kind == "ephemeral" {
            problems.push(
                self.problem("cannot be enforced: it is ephemeral".to_owned(), None)
                    .hint("materialize it as a view, table or incremental"),
            );
        }
        let keeps = matches!(
            config.on_schema_change,
            OnSchemaChange::AppendNewColumns | OnSchemaChange::Fail
        );
        if kind == "incremental" && !keeps {
            problems.push(
                self.problem(
                    "cannot be kept by an incremental model that ignores new columns or drops \
                     old ones"
                        .to_owned(),
                    None,
                )
                .hint("set `on_schema_change: append_new_columns`, or fail"),
            );
        }
    }

    fn columns(&self, problems: &mut Vec<Diagnostic>) {
        if self.node.columns.is_empty() {
            problems.push(
                self.problem("names no columns".to_owned(), None)
                    .hint("add all columns of the model under `columns:`, each with `data_type`"),
            );
        }
        for (name, info) in &self.node.columns {
            if info
                .data_type
                .as_deref()
                .is_none_or(|t| t.trim().is_empty())
            {
                problems.push(
                    self.problem(format!("gives no data_type for `{name}`"), Some(name))
                        .hint("add `data_type:`, for example `data_type: text`"),
                );
            }
        }
    }

    fn constraint(&self, column: Option<&str>, written: &Json, problems: &mut Vec<Diagnostic>) {
        let at = column.map_or(String::new(), |c| format!(" at `{c}`"));
        let kind = written.get("type").and_then(Json::as_str);
        let Some(kind) = kind.filter(|kind| KINDS.contains(kind)) else {
            let hint = match kind.and_then(|kind| nearest(kind, KINDS)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write `type:` as one of {}", KINDS.join(", ")),
            };
            let kind = kind.unwrap_or("no type");
            let message = format!("has a constraint{at} of {kind}");
            problems.push(self.problem(message, column).hint(hint));
            return;
        };
        let has = |key: &str| match written.get(key) {
            None | Some(Json::Null) => false,
            Some(Json::String(text)) => !text.trim().is_empty(),
            Some(Json::Array(items)) => !items.is_empty(),
            Some(_) => true,
        };
        let lacks = match kind {
            "check" | "custom" if !has("expression") => Some("expression"),
            "foreign_key" if has("to") && !has("to_columns") => Some("to_columns"),
            "foreign_key" if !has("to") && !has("expression") => Some("to"),
            "unique" | "primary_key" | "foreign_key" | "not_null"
                if column.is_none() && !has("columns") =>
            {
                Some("columns")
            }
            _ => None,
        };
        if let Some(key) = lacks {
            let message = format!("has a {kind} constraint{at} without `{key}`");
            let hint = match key {
                "to" => "add `to: ref('model')` and `to_columns: [...]`".to_owned(),
                "expression" => {
                    "add `expression:`, for example `expression: amount >= 0`".to_owned()
                }
                key => format!("add `{key}: [...]`"),
            };
            problems.push(self.problem(message, column).hint(hint));
        }
        if kind == "foreign_key" && has("to") && to(written).is_none() {
            let message = format!("has a foreign key{at} to something that is no ref or source");
            problems.push(
                self.problem(message, column)
                    .hint("write `to: ref('model')` or `to: source('source', 'table')`"),
            );
        }
        for name in list(written.get("columns")).iter().filter_map(Json::as_str) {
            // `quote: true` columns may be named with their quotes.
            let bare = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
            let is_known = |name: &str| self.node.columns.contains_key(name);
            if !is_known(name) && !bare.is_some_and(is_known) {
                let known = self.node.columns.keys().map(String::as_str);
                let hint = match nearest(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add `{name}` under `columns:`"),
                };
                let message = format!("has a {kind} constraint on `{name}`, which is no column");
                problems.push(self.problem(message, column).hint(hint));
            }
        }
    }

    fn primary_key(&self, problems: &mut Vec<Diagnostic>) {
        let is_key = |c: &Json| c.get("type").and_then(Json::as_str) == Some("primary_key");
        let keys: Vec<Option<&str>> = constraints(self.node)
            .filter(|(_, c)| is_key(c))
            .map(|(column, _)| column)
            .collect();
        if keys.len() > 1 {
            let hint = "write one for all its columns: `constraints: [{type: primary_key, \
                        columns: [...]}]` of the model";
            problems.push(
                self.problem("has more than one primary key".to_owned(), None)
                    .hint(hint),
            );
        }
    }
}

/// The node that the `to` of a foreign key of `node` names.
pub(super) fn referred(graph: &Graph, node: &Node, constraint: &Json) -> Option<NodeIx> {
    let found = match to(constraint)? {
        To::Ref(call) => graph.names().find_ref(&node.package, &call),
        To::Source(call) => graph.names().find_source(&node.package, &call),
    };
    found.ok()
}

impl Graph {
    /// A model's variable `model` gets its constraints as the engine's macros write them: `to`
    /// is a relation. `apart` tells for a foreign key why it is not created, where it is not.
    pub fn resolve_constraints(
        &self,
        ix: NodeIx,
        model: &mut Json,
        apart: impl Fn(NodeIx) -> Option<String>,
    ) {
        let node = self.node(ix);
        if node.kind != ResourceKind::Model || !node.config.contract.enforced {
            return;
        }
        let resolve = |constraint: &mut Json| {
            let Some(parent) = referred(self, node, constraint) else {
                return;
            };
            let relation = self.node(parent).relation.as_ref();
            let map = constraint.as_object_mut();
            if let (Some(map), Some(relation)) = (map, relation) {
                map.insert("to".to_owned(), json!(relation.to_string()));
                if let Some(reason) = apart(parent) {
                    map.insert("not_created".to_owned(), json!(reason));
                }
            }
        };
        let each = |owner: &mut Json| {
            let written = owner.get_mut("constraints").and_then(Json::as_array_mut);
            written.into_iter().flatten().for_each(resolve);
        };
        each(model);
        let columns = model.get_mut("columns").and_then(Json::as_object_mut);
        columns
            .map(Map::values_mut)
            .into_iter()
            .flatten()
            .for_each(each);
    }
}
