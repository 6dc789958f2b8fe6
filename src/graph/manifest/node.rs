//! Nodes and sources as views in the shape of dbt's manifest.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::ManifestInput;
use super::calls::{refs, sources};
use super::checksum;
use super::raw_code::raw_code;
use crate::artifact::manifest::view::{
    Checksum, Code, Column, ColumnConfig, Compiled, Contract, DependsOn, Docs, HookPart,
    MacroDependsOn, ModelPart, Node as NodeView, Overlay, Part, SeedPart, Source, SourceQuoting,
    TestMetadata, TestPart,
};
use crate::graph::config_json::defaults;
use crate::graph::contracts;
use crate::graph::{ColumnInfo, Detail, GenericTest, Graph, Node, NodeIx, ResourceKind};

/// Above this many bytes a seed's checksum is its path, as in dbt.
const LARGE_SEED: u64 = 1 << 20;

/// Makes views of nodes.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub(super) input: &'a ManifestInput<'a>,
}

impl<'a> Writer<'a> {
    /// A node that is no source. `ix` is `None` for a disabled one.
    pub(super) fn node(
        self,
        ix: Option<NodeIx>,
        node: &'a Node,
        primary_key: Vec<&'a str>,
    ) -> NodeView<'a> {
        let relation = node.relation.as_ref();
        let target = &self.input.project.target;
        let database = relation.map_or_else(
            || Cow::Owned(self.database()),
            |r| Cow::Borrowed(r.database.as_str()),
        );
        let schema = match (relation, node.kind) {
            (Some(relation), _) => Cow::Borrowed(relation.schema.as_str()),
            (None, _) if node.model.test_schema.is_some() => {
                Cow::Borrowed(node.model.test_schema.as_deref().unwrap_or_default())
            }
            (None, ResourceKind::Test) => Cow::Owned(format!("{}_dbt_test__audit", target.schema)),
            (None, _) => Cow::Borrowed(target.schema.as_str()),
        };
        let shown = relation.or(node.failures.as_ref());
        let shown = shown.filter(|_| !node.is_ephemeral());
        NodeView {
            database,
            schema,
            name: &node.name,
            resource_type: node.kind.as_str(),
            package_name: &node.package,
            path: inner_path(node),
            original_file_path: &node.path,
            unique_id: node.id.as_str(),
            fqn: &node.fqn,
            alias: match (&node.detail, relation) {
                (Detail::GenericTest(test), _) => {
                    let own = node.config.raw.get("alias").and_then(Json::as_str);
                    own.unwrap_or(&test.short_name)
                }
                (_, Some(relation)) => &relation.identifier,
                _ => &node.name,
            },
            checksum: self.checksum(node),
            config: config(node),
            tags: self.input.graph.tags(node),
            description: &node.description,
            columns: columns(node, self.foreign(node)),
            meta: &node.config.meta,
            group: group(self.input.graph, node),
            docs: Docs {
                show: node.config.docs_show,
                node_color: node.config.docs_color.as_deref(),
            },
            patch_path: node
                .patch_path
                .as_ref()
                .map(|path| format!("{}://{path}", node.package)),
            build_path: None,
            unrendered_config: node.unrendered_config(),
            created_at: self.input.created_at,
            relation_name: shown.map(ToString::to_string),
            raw_code: raw_code(node),
            doc_blocks: node.doc_blocks.iter().map(String::as_str).collect(),
            part: self.part(ix, node, primary_key),
        }
    }

    fn database(self) -> String {
        let output = &self.input.project.target.output;
        let name = output.get("dbname").or(output.get("database"));
        name.and_then(Json::as_str).unwrap_or_default().to_owned()
    }

    fn part(self, ix: Option<NodeIx>, node: &'a Node, primary_key: Vec<&'a str>) -> Part<'a> {
        if node.kind == ResourceKind::Seed {
            let package = &self.input.project.packages;
            let package = package.iter().find(|p| p.name == node.package);
            let root = package.map_or(&self.input.project.root, |p| &p.root);
            return Part::Seed(SeedPart {
                root_path: root.to_string_lossy(),
                depends_on: MacroDependsOn {
                    macros: node.macros.iter().map(String::as_str).collect(),
                },
            });
        }
        let code = self.code(ix, node);
        match (&node.detail, node.kind) {
            (Detail::RunHook { index, .. }, _) => {
                let index = *index;
                Part::Hook(Box::new(HookPart { code, index }))
            }
            (Detail::GenericTest(test), _) => Part::Test(Box::new(self.test(test, node, code))),
            (_, ResourceKind::Model) => Part::Model(Box::new(ModelPart {
                code,
                access: node.config.access.as_str(),
                constraints: constraints(node.other.get("constraints"), true, self.foreign(node)),
                version: node.model.version.as_ref().map(|version| &version.v),
                latest_version: node.model.version.as_ref().map(|version| &version.latest),
                deprecation_date: node.other.get("deprecation_date"),
                primary_key,
                time_spine: node.other.get("time_spine"),
            })),
            _ => Part::Code(Box::new(code)),
        }
    }

    fn code(self, ix: Option<NodeIx>, node: &'a Node) -> Code<'a> {
        let graph = self.input.graph;
        let compiled = ix.and_then(|ix| self.input.compiled.get(&ix));
        Code {
            language: "sql",
            refs: refs(node),
            sources: sources(node),
            metrics: [],
            functions: node
                .functions
                .iter()
                .map(|(call, _)| {
                    call.package
                        .as_deref()
                        .into_iter()
                        .chain([call.name.as_str()])
                        .collect()
                })
                .collect(),
            depends_on: DependsOn {
                macros: node.macros.iter().map(String::as_str).collect(),
                nodes: node
                    .parents
                    .iter()
                    .map(|p| graph.node(*p).id.as_str())
                    .collect(),
            },
            compiled_path: compiled.map(|c| c.path.as_str()),
            compiled: compiled.map(|c| Compiled {
                compiled: true,
                compiled_code: &c.code,
                extra_ctes_injected: true,
                extra_ctes: [],
            }),
            contract: Contract {
                enforced: node.config.contract.enforced,
                alias_types: node.config.contract.alias_types,
                checksum: checksum::of_contract(node),
            },
        }
    }

    /// What the `to` of a foreign key of this node refers to.
    fn foreign(self, node: &'a Node) -> Foreign<'a> {
        Foreign {
            graph: self.input.graph,
            node,
        }
    }

    fn test(self, test: &'a GenericTest, node: &'a Node, code: Code<'a>) -> TestPart<'a> {
        let attached = self.input.graph.node(test.attached);
        let (section, key, model) = match (&attached.detail, attached.kind) {
            (Detail::Source { source, .. }, _) => (
                "sources",
                source,
                format!("source('{source}', '{}')", attached.name),
            ),
            (_, kind) => (
                match kind {
                    ResourceKind::Seed => "seeds",
                    ResourceKind::Snapshot => "snapshots",
                    _ => "models",
                },
                &attached.name,
                match &attached.model.version {
                    Some(v) => format!("ref('{}', version='{}')", attached.name, v.text()),
                    None => format!("ref('{}')", attached.name),
                },
            ),
        };
        let mut kwargs: IndexMap<&str, Cow<'_, Json>> = test
            .arguments
            .iter()
            .map(|(k, v)| (k.as_str(), Cow::Borrowed(v)))
            .collect();
        let model = format!("{{{{ get_where_subquery({model}) }}}}");
        kwargs.insert("model", Cow::Owned(Json::String(model)));
        TestPart {
            code,
            column_name: test
                .column
                .as_ref()
                .and_then(|_| test.arguments.get("column_name")?.as_str()),
            file_key_name: format!("{section}.{key}"),
            attached_node: (attached.kind != ResourceKind::Source && node.config.enabled)
                .then(|| attached.id.as_str()),
            test_metadata: TestMetadata {
                name: &test.test,
                kwargs,
                namespace: test.namespace.as_deref(),
            },
        }
    }

    /// Of the node's file without blanks around its text.
    fn checksum(self, node: &'a Node) -> Checksum<'a> {
        match &node.detail {
            Detail::GenericTest(_) => Checksum::NONE,
            Detail::Seed { path } => {
                let is_large = std::fs::metadata(path).is_ok_and(|m| m.len() > LARGE_SEED);
                if is_large {
                    return Checksum {
                        name: "path",
                        checksum: Cow::Borrowed(&node.path),
                    };
                }
                match std::fs::read_to_string(path) {
                    Ok(text) => sha256(&text),
                    Err(_) => Checksum::NONE,
                }
            }
            _ => match node.file {
                Some(file) => sha256(&self.input.project.sources.file(file).text),
                None => Checksum::NONE,
            },
        }
    }

    /// A table of a source.
    pub(super) fn source(self, node: &'a Node) -> Source<'a> {
        let (source, loaded_at_field, freshness) = match &node.detail {
            Detail::Source {
                source,
                loaded_at_field,
                freshness,
            } => (
                source.as_str(),
                loaded_at_field.as_deref(),
                // One that is not there has limits that say nothing; `null` takes it away.
                match freshness {
                    Some(Json::Null) => None,
                    written => Some(written.as_ref().unwrap_or(&Json::Null)),
                },
            ),
            _ => ("", None, None),
        };
        let relation = node.relation.as_ref();
        let part = |get: fn(&'a crate::names::Relation) -> &'a String| {
            relation.map_or("", |relation| get(relation).as_str())
        };
        let declared = self.declared_source(node, source);
        let text = |key: &str| node.other.get(key).and_then(Json::as_str);
        let freshness = freshness.map(whole_freshness);
        let loaded_at_field = loaded_at_field.or(text("loaded_at_field"));
        let meta = object(node.other.get("meta").or(node.config.raw.get("meta")));
        let tags = self.input.graph.tags(node);
        let mut config = config(node);
        let mut unrendered = node.unrendered_config().clone();
        let mut tell = |key: &str, value: Json| unrendered.insert(key.to_owned(), value);
        if !matches!(
            &node.detail,
            Detail::Source {
                freshness: None,
                ..
            }
        ) {
            tell("freshness", json!(freshness));
        }
        tell("loaded_at_field", json!(loaded_at_field));
        tell("loaded_at_query", json!(text("loaded_at_query")));
        tell("meta", json!(meta));
        tell("tags", json!(tags));
        config.top = vec![
            ("freshness", json!(freshness)),
            ("loaded_at_field", json!(loaded_at_field)),
            ("loaded_at_query", json!(text("loaded_at_query"))),
            ("meta", json!(meta)),
            ("tags", json!(tags)),
        ];
        let quoting = |key: &str| declared.and_then(|table| table.quoting.get(key).copied());
        Source {
            database: part(|r| &r.database),
            schema: part(|r| &r.schema),
            name: &node.name,
            resource_type: "source",
            package_name: &node.package,
            path: &node.path,
            original_file_path: &node.path,
            unique_id: node.id.as_str(),
            fqn: &node.fqn,
            source_name: source,
            source_description: declared.map_or("", |table| &table.source_description),
            loader: text("loader").unwrap_or_default(),
            identifier: part(|r| &r.identifier),
            quoting: SourceQuoting {
                database: quoting("database"),
                schema: quoting("schema"),
                identifier: quoting("identifier"),
                column: quoting("column"),
            },
            loaded_at_field,
            loaded_at_query: text("loaded_at_query"),
            freshness,
            external: node.other.get("external"),
            description: &node.description,
            columns: columns(node, self.foreign(node)),
            meta,
            source_meta: Map::new(),
            tags,
            config,
            patch_path: None,
            unrendered_config: unrendered,
            relation_name: relation.map(ToString::to_string),
            created_at: self.input.created_at,
            unrendered_database: text("unrendered_database"),
            unrendered_schema: text("unrendered_schema"),
            doc_blocks: node.doc_blocks.iter().map(String::as_str).collect(),
        }
    }

    fn declared_source(self, node: &Node, source: &str) -> Option<&'a crate::project::SourceTable> {
        let packages = self.input.project.packages.iter();
        let mut tables = packages
            .filter(|p| p.name == node.package)
            .flat_map(|p| &p.properties.sources);
        tables.find(|t| t.source.value == source && t.table.value == node.name)
    }
}

fn object(json: Option<&Json>) -> Map<String, Json> {
    match json {
        Some(Json::Object(map)) => map.clone(),
        _ => Map::new(),
    }
}

/// dbt names both limits and the filter, even where they are not given.
fn whole_freshness(written: &Json) -> Json {
    let limit = |key: &str| {
        let limit = written.get(key);
        let of = |key: &str| limit.and_then(|l| l.get(key)).cloned().unwrap_or_default();
        json!({ "count": of("count"), "period": of("period") })
    };
    json!({
        "warn_after": limit("warn_after"),
        "error_after": limit("error_after"),
        "filter": written.get("filter").cloned().unwrap_or_default(),
    })
}

/// A node's config with dbt's defaults under it, as the manifest has it.
pub(super) fn config(node: &Node) -> Overlay<'_> {
    let mut top = Vec::new();
    for (key, list) in [
        ("pre-hook", &node.config.pre_hook),
        ("post-hook", &node.config.post_hook),
    ] {
        if !list.is_empty() {
            top.push((key, list.iter().map(hook).collect()));
        }
    }
    if node.kind == ResourceKind::Model {
        top.push(("materialized", json!(node.config.materialized)));
        top.push(("access", json!(node.config.access.as_str())));
    }
    if !node.config.tags.is_empty() {
        top.push(("tags", json!(node.config.tags)));
    }
    if node.config.raw.contains_key("contract") {
        let contract = &node.config.contract;
        let (enforced, alias_types) = (contract.enforced, contract.alias_types);
        let whole = json!({ "enforced": enforced, "alias_types": alias_types });
        top.push(("contract", whole));
    }
    if let Some(Json::Object(own)) = node.config.raw.get("docs") {
        let mut whole = serde_json::Map::from_iter([
            ("show".to_owned(), json!(true)),
            ("node_color".to_owned(), Json::Null),
        ]);
        whole.extend(own.clone());
        top.push(("docs", Json::Object(whole)));
    }
    let begin = node.config.raw.get("begin").and_then(Json::as_str);
    if let Some(at) = begin.and_then(crate::graph::microbatch::moment) {
        top.push(("begin", json!(at.strftime("%Y-%m-%dT%H:%M:%S").to_string())));
    }
    if node.kind == ResourceKind::Test {
        let raw = |key: &str| node.config.raw.get(key);
        let how = raw("store_failures_as").and_then(Json::as_str);
        // Each of the two says what the other is, as in dbt.
        match (how, raw("store_failures").and_then(Json::as_bool)) {
            (Some(how), _) => top.push(("store_failures", json!(how != "ephemeral"))),
            (None, Some(true)) => top.push(("store_failures_as", json!("table"))),
            (None, Some(false)) => top.push(("store_failures_as", json!("ephemeral"))),
            (None, None) => {}
        }
    }
    let names = "snapshot_meta_column_names";
    if let Some(Json::Object(own)) = node.config.raw.get(names) {
        let mut all = defaults(ResourceKind::Snapshot).get(names).cloned();
        if let Some(Json::Object(all)) = &mut all {
            all.extend(own.clone());
        }
        top.push((names, all.unwrap_or_default()));
    }
    Overlay {
        under: defaults(node.kind),
        over: &node.config.raw,
        top,
    }
}

/// A hook with every key that dbt gives it.
fn hook(hook: &crate::project::Hook) -> Json {
    json!({ "sql": hook.sql, "transaction": hook.transaction, "index": null })
}

fn sha256(text: &str) -> Checksum<'static> {
    let digest = Sha256::digest(text.trim().as_bytes());
    Checksum {
        name: "sha256",
        checksum: Cow::Owned(crate::encode::hex(digest)),
    }
}

/// The path without its resource folder, as far as the qualified name tells that folder.
fn inner_path(node: &Node) -> Cow<'_, str> {
    let last = |parts: usize| {
        let cut = node.path.rmatch_indices('/').nth(parts.saturating_sub(1));
        Cow::Borrowed(cut.map_or(node.path.as_str(), |(at, _)| &node.path[at + 1..]))
    };
    let names = node.fqn.len() - usize::from(node.model.version.is_some());
    match (&node.detail, node.kind) {
        (Detail::GenericTest(test), _) => Cow::Owned(format!("{}.sql", test.short_name)),
        (Detail::RunHook { .. }, _) => Cow::Owned(format!("hooks/{}.sql", node.name)),
        (_, ResourceKind::Snapshot) if !node.path.ends_with(".sql") => {
            Cow::Owned(format!("{}/{}.sql", last(names - 1), node.name))
        }
        (_, ResourceKind::Snapshot) => last(names.saturating_sub(2)),
        (_, ResourceKind::Analysis) => {
            Cow::Owned(format!("analysis/{}", last(names.saturating_sub(2))))
        }
        _ => last(names.saturating_sub(1)),
    }
}

/// The group of a node; a generic test is in the group of the model that it tests.
pub(super) fn group<'a>(graph: &'a Graph, node: &'a Node) -> Option<&'a str> {
    let tested = match &node.detail {
        Detail::GenericTest(test) => Some(graph.node(test.attached)),
        _ => None,
    };
    let of = |node: &'a Node| node.config.group.as_deref();
    of(node).or_else(|| tested.and_then(of))
}

/// Where a node's foreign keys are looked up.
#[derive(Clone, Copy)]
struct Foreign<'a> {
    graph: &'a Graph,
    node: &'a Node,
}

impl Foreign<'_> {
    /// A `to` as the relation that it names; where it names none, as it is written.
    fn to(self, constraint: &Json) -> Json {
        let found = contracts::referred(self.graph, self.node, constraint);
        let relation = found.and_then(|ix| self.graph.node(ix).relation.as_ref());
        match relation {
            Some(relation) => Json::String(relation.to_string()),
            None => constraint.get("to").cloned().unwrap_or_default(),
        }
    }
}

fn columns<'a>(node: &'a Node, foreign: Foreign<'_>) -> IndexMap<&'a str, Column<'a>> {
    let columns = node.columns.iter();
    columns
        .map(|(name, info)| (name.as_str(), column(name, info, foreign)))
        .collect()
}

fn column<'a>(name: &'a str, info: &'a ColumnInfo, foreign: Foreign<'_>) -> Column<'a> {
    let config = info.other.get("config");
    let of = |key: &str| {
        let beside = info.other.get(key);
        beside.or_else(|| config.and_then(|c| c.get(key)))
    };
    let meta = || of("meta").map_or_else(|| Cow::Owned(json!({})), Cow::Borrowed);
    let tags = || -> Vec<&str> {
        match of("tags") {
            Some(Json::String(tag)) => vec![tag],
            Some(Json::Array(tags)) => tags.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        }
    };
    Column {
        name,
        description: &info.description,
        meta: meta(),
        data_type: info.data_type.as_deref(),
        constraints: constraints(info.other.get("constraints"), false, foreign),
        quote: info.quote.then_some(true),
        config: ColumnConfig {
            meta: meta(),
            tags: tags(),
        },
        tags: tags(),
        granularity: info.other.get("granularity").and_then(Json::as_str),
        doc_blocks: info.doc_blocks.iter().map(String::as_str).collect(),
        other: info
            .other
            .iter()
            .map(|(key, value)| (key.as_str(), value))
            .filter(|(key, _)| !OF_COLUMNS.contains(key))
            .collect(),
    }
}

/// What dbt knows of columns, which has its place in the manifest; the rest is kept as it is written.
const OF_COLUMNS: [&str; 12] = [
    "name",
    "description",
    "data_type",
    "meta",
    "tags",
    "constraints",
    "quote",
    "config",
    "granularity",
    "doc_blocks",
    "tests",
    "data_tests",
];

/// Constraints with every key that dbt gives them.
fn constraints(written: Option<&Json>, of_model: bool, foreign: Foreign<'_>) -> Vec<Json> {
    let list = written.and_then(Json::as_array);
    let list = list.map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|constraint| {
            let mut whole = checksum::whole(constraint, of_model);
            whole.insert("to".to_owned(), foreign.to(constraint));
            Json::Object(whole)
        })
        .collect()
}
