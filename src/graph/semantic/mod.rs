//! Semantic models, metrics and saved queries as nodes: nothing runs them, but they are in the
//! manifest as dbt has them, and can be selected with what they need.

mod shapes;

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::draft::fqn_of_entry;
use super::{Detail, Node, NodeIx, ResourceKind};
use crate::diag::{Diagnostic, Span, codes, nearest};
use crate::project::{ConfigMap, ConfigOrigin, NodeConfig, Package, Project};
use shapes::{
    conversion, cumulative, dimension, entity, filter, input_measure, input_metric, listed,
    measure, object, text_of, window,
};

/// What is written of a node of these kinds, finished but for what needs other nodes.
#[derive(Clone, Debug)]
pub struct Semantic {
    /// Its keys in the manifest.
    pub manifest: Map<String, Json>,
    /// Measures that a metric uses, by name.
    measures: Vec<String>,
    /// Metrics that it uses, by name.
    metrics: Vec<String>,
}

/// The sections of property files, with the kind of each.
const SECTIONS: [(&str, ResourceKind, &str); 3] = [
    (
        "semantic_models",
        ResourceKind::SemanticModel,
        "semantic-models",
    ),
    ("metrics", ResourceKind::Metric, "metrics"),
    ("saved_queries", ResourceKind::SavedQuery, "saved-queries"),
];

/// The nodes of all property files; metrics that measures ask for come last.
pub(super) fn nodes(project: &Project, problems: &mut Vec<Diagnostic>) -> Vec<Box<Node>> {
    let (mut nodes, mut created) = (Vec::new(), Vec::new());
    for (section, kind, tree) in SECTIONS {
        for package in &project.packages {
            for (key, json, path) in &package.properties.other {
                if key != section {
                    continue;
                }
                let written = Written {
                    project,
                    package,
                    kind,
                    tree,
                    path,
                    span: json.span,
                    entry: &json.value,
                };
                let node = written.node(problems);
                if let Some(node) = &node {
                    created.extend(written.created_metrics(node));
                }
                nodes.extend(node.map(Box::new));
            }
        }
    }
    nodes.extend(created);
    nodes
}

/// Connects metrics with their semantic models and with one another, saved queries with metrics.
pub(super) fn link(nodes: &mut [Box<Node>]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let (mut measures, mut metrics) = (HashMap::new(), HashMap::new());
    for (index, node) in nodes.iter().enumerate() {
        let ix = NodeIx(index as u32);
        match (&node.detail, node.kind) {
            (Detail::Semantic(semantic), ResourceKind::SemanticModel) => {
                for name in names(semantic.manifest.get("measures")) {
                    measures.entry(name).or_insert(ix);
                }
            }
            (_, ResourceKind::Metric) => {
                metrics.entry(node.name.clone()).or_insert(ix);
            }
            _ => {}
        }
    }
    let mut found = Vec::with_capacity(nodes.len());
    for node in nodes.iter() {
        let none = Vec::new();
        let (uses, shows) = match &node.detail {
            Detail::Semantic(semantic) => (&semantic.measures, &semantic.metrics),
            _ => (&none, &node.model.metrics),
        };
        let mut parents = Vec::new();
        for (wanted, known, what) in [(uses, &measures, "measure"), (shows, &metrics, "metric")] {
            for name in wanted {
                match known.get(name) {
                    Some(ix) if !parents.contains(ix) => parents.push(*ix),
                    Some(_) => {}
                    None => problems.push(unknown(node, what, name, known.keys())),
                }
            }
        }
        found.push(parents);
    }
    for (node, parents) in nodes.iter_mut().zip(found) {
        node.parents.extend(parents);
    }
    let inputs: Vec<Option<Vec<Json>>> = (0..nodes.len()).map(|at| inputs(nodes, at)).collect();
    for (node, inputs) in nodes.iter_mut().zip(inputs) {
        if let (Detail::Semantic(semantic), Some(inputs)) = (&mut node.detail, inputs)
            && let Some(params) = semantic.manifest.get_mut("type_params")
        {
            params["input_measures"] = Json::Array(inputs);
        }
    }
    problems
}

/// The measures that a metric uses, those of the metrics that it is made of included.
fn inputs(nodes: &[Box<Node>], at: usize) -> Option<Vec<Json>> {
    if nodes[at].kind != ResourceKind::Metric {
        return None;
    }
    let (mut found, mut seen, mut stack) = (Vec::new(), Vec::new(), vec![at]);
    while let Some(at) = stack.pop() {
        if seen.contains(&at) {
            continue;
        }
        seen.push(at);
        let Detail::Semantic(semantic) = &nodes[at].detail else {
            continue;
        };
        let params = semantic.manifest.get("type_params")?;
        let conversion = &params["conversion_type_params"];
        for input in [
            &params["measure"],
            &conversion["base_measure"],
            &conversion["conversion_measure"],
        ] {
            if !input.is_null() && !found.contains(input) {
                found.push(input.clone());
            }
        }
        let parents = nodes[at].parents.iter().rev().map(|ix| ix.index());
        stack.extend(parents.filter(|ix| nodes[*ix].kind == ResourceKind::Metric));
    }
    Some(found)
}

fn unknown<'n>(
    node: &Node,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'n String>,
) -> Diagnostic {
    let kind = node.kind.as_str().replace('_', " ");
    let message = format!(
        "{kind} `{}` uses the {what} `{name}`, which is not there",
        node.name
    );
    let hint = match nearest(name, known.map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("define the {what}, or remove it here"),
    };
    let problem = Diagnostic::error(codes::SEMANTIC_FORM, message).hint(hint);
    match node.span {
        Some(span) => problem.at(span, ""),
        None => problem.in_file(&node.path),
    }
}

/// The `name` of each entry of a list.
fn names(list: Option<&Json>) -> Vec<String> {
    let list = list.and_then(Json::as_array).into_iter().flatten();
    list.filter_map(|entry| Some(entry.get("name")?.as_str()?.to_owned()))
        .collect()
}

/// An entry as it stands in a property file.
struct Written<'a> {
    project: &'a Project,
    package: &'a Package,
    kind: ResourceKind,
    tree: &'a str,
    path: &'a str,
    span: Span,
    entry: &'a Json,
}

impl Written<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.entry.get(key).and_then(Json::as_str)
    }

    fn get(&self, key: &str) -> Json {
        self.entry.get(key).cloned().unwrap_or(Json::Null)
    }

    fn node(&self, problems: &mut Vec<Diagnostic>) -> Option<Node> {
        let kind = self.kind.as_str().replace('_', " ");
        let Some(name) = self.text("name") else {
            let problem = Diagnostic::error(codes::MISSING_KEY, format!("a {kind} has no name"));
            problems.push(problem.at(self.span, "").hint("give it a `name:`"));
            return None;
        };
        let needed: &[&str] = match self.kind {
            ResourceKind::SemanticModel => &["model"],
            ResourceKind::Metric => &["label", "type"],
            _ => &["query_params"],
        };
        for key in needed {
            if self.get(key).is_null() {
                let message = format!("{kind} `{name}` has no `{key}`");
                let problem = Diagnostic::error(codes::MISSING_KEY, message).at(self.span, "");
                problems.push(problem.hint(format!("add `{key}:`")));
                return None;
            }
        }
        let fqn = fqn_of_entry(self.package, self.path, name);
        let config = self.config(name, &fqn, problems);
        let mut node = self.bare(name, fqn, config);
        let semantic = match self.kind {
            ResourceKind::SemanticModel => self.semantic_model(&mut node, problems),
            ResourceKind::Metric => self.metric(&node),
            _ => self.saved_query(&node),
        };
        node.detail = Detail::Semantic(Box::new(semantic));
        Some(node)
    }

    fn bare(&self, name: &str, fqn: Vec<String>, config: NodeConfig) -> Node {
        let package = &self.package.name;
        let id = format!("{}.{package}.{name}", self.kind.as_str());
        Node {
            path: self.path.to_owned(),
            fqn,
            file: Some(self.span.file),
            span: Some(self.span),
            config: config.into(),
            description: self.text("description").unwrap_or_default().to_owned(),
            ..Node::bare(id, self.kind, package, name)
        }
    }

    /// The project's config for it, then its own.
    fn config(&self, name: &str, fqn: &[String], problems: &mut Vec<Diagnostic>) -> NodeConfig {
        let root = &self.project.root_package().file.configs.other;
        let own = &self.package.file.configs.other;
        let mut raw = ConfigMap::new();
        let trees = [own.get(self.tree), root.get(self.tree)];
        let is_root = self.package.name == self.project.root_package().name;
        for tree in trees.into_iter().skip(usize::from(is_root)).flatten() {
            of_tree(tree, fqn, &mut raw);
        }
        let config = self.entry.get("config").and_then(Json::as_object);
        for (key, value) in config.into_iter().flatten() {
            merge(&mut raw, key, value);
        }
        if let Some(meta) = self.entry.get("meta").filter(|_| !raw.contains_key("meta")) {
            raw.insert("meta".to_owned(), meta.clone());
        }
        let what = format!("{} `{name}`", self.kind.as_str().replace('_', " "));
        let origin = ConfigOrigin {
            what: &what,
            place: &|_| Some(self.span),
            file: Some(self.path),
        };
        let (config, found) = NodeConfig::new(raw, "view", &origin);
        problems.extend(found);
        config
    }

    fn semantic_model(&self, node: &mut Node, problems: &mut Vec<Diagnostic>) -> Semantic {
        let written = self.text("model").unwrap_or_default();
        match super::exposures::reference(written) {
            Some(call) => node.refs.push((call, 1)),
            None => {
                let message = format!(
                    "semantic model `{}` has the model {written:?}, which is no ref",
                    node.name
                );
                let problem = Diagnostic::error(codes::SEMANTIC_FORM, message);
                let problem = problem.at(self.span, "");
                problems.push(problem.hint("write `model: ref('name')`"));
            }
        }
        let meta = &node.config.meta;
        let elements = |key: &str, shape: fn(&Json) -> Map<String, Json>| -> Json {
            let list = self.entry.get(key).and_then(Json::as_array);
            let element = |written: &Json| {
                let mut map = shape(written);
                let mut all = meta.clone();
                let own = written.get("config").and_then(|c| c.get("meta"));
                all.extend(own.and_then(Json::as_object).cloned().unwrap_or_default());
                map.insert("config".to_owned(), json!({ "meta": all }));
                Json::Object(map)
            };
            list.into_iter().flatten().map(element).collect()
        };
        let defaults = self.entry.get("defaults").filter(|d| d.is_object());
        let time = |d: &Json| json!({"agg_time_dimension": d.get("agg_time_dimension")});
        let manifest = object(json!({
            "model": written,
            "description": null,
            "label": self.get("label"),
            "defaults": defaults.map(time),
            "entities": elements("entities", entity),
            "measures": elements("measures", measure),
            "dimensions": elements("dimensions", dimension),
            "primary_entity": self.get("primary_entity"),
            "config": base_config(&node.config),
        }));
        Semantic {
            manifest,
            measures: Vec::new(),
            metrics: Vec::new(),
        }
    }

    fn metric(&self, node: &Node) -> Semantic {
        let params = self.get("type_params");
        let of = |key: &str| params.get(key).filter(|v| !v.is_null());
        let kind = self.text("type").unwrap_or_default().to_lowercase();
        let measure = of("measure").map(input_measure);
        let conversion = of("conversion_type_params").map(conversion);
        let cumulative = (kind == "cumulative").then(|| cumulative(&params));
        let inputs: Vec<Json> = of("metrics")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .map(input_metric)
            .collect();
        let (numerator, denominator) = (
            of("numerator").map(input_metric),
            of("denominator").map(input_metric),
        );
        let name = |json: &Json| json["name"].as_str().unwrap_or_default().to_owned();
        let mut measures: Vec<String> = measure.iter().map(name).collect();
        for key in ["base_measure", "conversion_measure"] {
            measures.extend(conversion.iter().map(|c| name(&c[key])));
        }
        let metrics = numerator
            .iter()
            .chain(&denominator)
            .chain(&inputs)
            .map(name);
        let metrics = metrics.collect();
        let expr = of("expr").map(text_of);
        let manifest = object(json!({
            "description": "",
            "label": self.get("label"),
            "type": kind,
            "type_params": {
                "measure": measure,
                "input_measures": [],
                "numerator": numerator,
                "denominator": denominator,
                "expr": expr,
                "window": of("window").map(window),
                "grain_to_date": of("grain_to_date"),
                "metrics": inputs,
                "conversion_type_params": conversion,
                "cumulative_type_params": cumulative,
                "metric_aggregation_params": null,
            },
            "filter": filter(self.entry.get("filter")),
            "time_granularity": self.get("time_granularity"),
            "meta": node.config.meta,
            "tags": listed(self.entry.get("tags")),
            "config": with_others(base_config(&node.config), &node.config, &["tags"]),
            "sources": [],
            "metrics": [],
        }));
        Semantic {
            manifest,
            measures,
            metrics,
        }
    }

    /// Metrics of the measures that say `create_metric: true`.
    fn created_metrics(&self, model: &Node) -> Vec<Box<Node>> {
        let Detail::Semantic(semantic) = &model.detail else {
            return Vec::new();
        };
        let all = self.entry.get("measures").and_then(Json::as_array);
        let asks = |m: &Json| m.get("create_metric") == Some(&Json::Bool(true));
        let asking = all.into_iter().flatten().map(asks);
        // dbt keeps no trace of the wish on the measure itself.
        let measures = semantic.manifest.get("measures").and_then(Json::as_array);
        let wanted = measures.into_iter().flatten().zip(asking);
        let wanted = wanted.filter_map(|(measure, asks)| asks.then_some(measure));
        let made = |measure: &Json| {
            let name = measure["name"].as_str().unwrap_or_default();
            let entry = json!({
                "name": name,
                "label": measure["label"].as_str().unwrap_or(name),
                "type": "simple",
                "description": measure["description"].as_str().map_or_else(
                    || format!("Metric created from measure {name}"), str::to_owned),
                "type_params": {
                    "measure": name,
                    "expr": measure["expr"].as_str().unwrap_or(name),
                },
                "config": {"enabled": true, "meta": measure["config"]["meta"]},
            });
            let written = Written {
                kind: ResourceKind::Metric,
                tree: "metrics",
                entry: &entry,
                ..*self
            };
            written.node(&mut Vec::new()).map(Box::new)
        };
        wanted.filter_map(made).collect()
    }

    fn saved_query(&self, node: &Node) -> Semantic {
        let params = self.get("query_params");
        let of = |key: &str| params.get(key);
        let metrics: Vec<String> = of("metrics")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .map(text_of)
            .collect();
        let exports = self.entry.get("exports").and_then(Json::as_array);
        let exports: Vec<Json> = exports
            .into_iter()
            .flatten()
            .map(|export| self.export(export, &node.config))
            .collect();
        let cache = node.config.raw.get("cache").cloned();
        let mut config = base_config(&node.config);
        for key in ["export_as", "schema"] {
            let value = node.config.raw.get(key).cloned();
            config.insert(key.to_owned(), value.unwrap_or(Json::Null));
        }
        let cache = cache.unwrap_or_else(|| json!({"enabled": false}));
        config.insert("cache".to_owned(), cache);
        let manifest = object(json!({
            "query_params": {
                "metrics": metrics,
                "group_by": listed(of("group_by")),
                "where": filter(of("where")),
                "order_by": listed(of("order_by")),
                "limit": of("limit"),
            },
            "exports": exports,
            "description": null,
            "label": self.get("label"),
            "config": config,
            "tags": listed(self.entry.get("tags")),
        }));
        Semantic {
            manifest,
            measures: Vec::new(),
            metrics,
        }
    }

    fn export(&self, written: &Json, query: &NodeConfig) -> Json {
        let config = written.get("config").cloned().unwrap_or_else(|| json!({}));
        let of = |key: &str| {
            let own = config.get(key).or_else(|| query.raw.get(key));
            own.filter(|v| !v.is_null()).cloned()
        };
        let target = &self.project.target;
        let database = target
            .output
            .get("dbname")
            .or(target.output.get("database"));
        let name = written.get("name").cloned().unwrap_or(Json::Null);
        json!({
            "name": name,
            "config": {
                "export_as": of("export_as").unwrap_or_else(|| json!("table")),
                "schema_name": of("schema").or(of("schema_name")).unwrap_or_else(|| json!(target.schema)),
                "alias": of("alias").unwrap_or(name),
                "database": of("database").or(database.cloned()),
            },
            "unrendered_config": config,
        })
    }
}

/// The config of a tree of the project file that applies to a name: keys with `+`, and those that
/// are no folder.
fn of_tree(tree: &Json, fqn: &[String], into: &mut ConfigMap) {
    const KEYS: [&str; 6] = ["enabled", "group", "meta", "tags", "cache", "export_as"];
    let mut level = Some(tree);
    let mut parts = fqn.iter();
    while let Some(Json::Object(map)) = level {
        for (key, value) in map {
            let bare = key.trim_start_matches('+');
            if bare.len() < key.len() || KEYS.contains(&bare) {
                merge(into, bare, value);
            }
        }
        level = parts.next().and_then(|part| map.get(part));
    }
}

fn merge(into: &mut ConfigMap, key: &str, value: &Json) {
    match (into.get_mut(key), value) {
        (Some(Json::Object(base)), Json::Object(over)) if key == "meta" => {
            base.extend(over.clone());
        }
        _ => {
            into.insert(key.to_owned(), value.clone());
        }
    }
}

fn base_config(config: &NodeConfig) -> Map<String, Json> {
    object(json!({
        "enabled": config.enabled, "group": config.group, "meta": config.meta,
    }))
}

/// dbt keeps keys that it does not know.
fn with_others(
    mut map: Map<String, Json>,
    config: &NodeConfig,
    keys: &[&str],
) -> Map<String, Json> {
    for key in keys {
        if let Some(value) = config.raw.get(*key) {
            map.insert((*key).to_owned(), value.clone());
        }
    }
    map
}
