//! From declarations to drafts: every resource as a node without parents, config or relation.

use indexmap::IndexMap;
use serde_json::Value as Json;
use std::collections::HashMap;

use super::{ColumnInfo, Detail, Node, ResourceKind};
use crate::diag::{Diagnostic, FileId, SourceMap, Span, codes};
use crate::jinja;
use crate::names::NodeId;
use crate::project::{
    CodeFile, ColumnProperties, ConfigMap, ConfigTree, ConfigTrees, ModelVersion, Package, Project,
    ResourceProperties, SourceTable, merge_configs,
};

/// A node to be, with where its config comes from.
pub(super) struct Draft<'p> {
    pub(super) node: Box<Node>,
    pub(super) properties: Option<&'p ResourceProperties>,
    pub(super) source: Option<&'p SourceTable>,
    /// Config of the property file alone.
    pub(super) property_config: ConfigMap,
}

/// Which tree of a project file holds a kind's config.
pub(super) fn tree(trees: &ConfigTrees, kind: ResourceKind) -> &ConfigTree {
    match kind {
        ResourceKind::Seed => &trees.seeds,
        ResourceKind::Snapshot => &trees.snapshots,
        ResourceKind::Function => &trees.functions,
        ResourceKind::Test => &trees.tests,
        ResourceKind::UnitTest => &trees.unit_tests,
        ResourceKind::Source => &trees.sources,
        _ => &trees.models,
    }
}

/// Config by folder for a node: its package's own tree, then the root project's for it.
pub(super) fn tree_layers(project: &Project, node: &Node) -> (ConfigMap, ConfigMap) {
    let root = project.root_package();
    let own = project.packages.iter().find(|p| p.name == node.package);
    let over = tree(&root.file.configs, node.kind).resolve(&node.fqn);
    match own {
        Some(package) if package.name != root.name => (
            tree(&package.file.configs, node.kind).resolve(&node.fqn),
            over,
        ),
        _ => (over, ConfigMap::new()),
    }
}

/// The same as written.
fn written_layers(project: &Project, node: &Node) -> (ConfigMap, ConfigMap) {
    let root = project.root_package();
    let own = project.packages.iter().find(|p| p.name == node.package);
    let over = tree(&root.file.configs, node.kind).written(&node.fqn);
    match own {
        Some(package) if package.name != root.name => (
            tree(&package.file.configs, node.kind).written(&node.fqn),
            over,
        ),
        _ => (over, ConfigMap::new()),
    }
}

/// A node's config as it was written, where that is not what came of it: dbt compares it with that
/// of an earlier manifest, since what is rendered depends on the target.
pub(super) fn written(
    project: &Project,
    node: &Node,
    of_property: &ConfigMap,
    in_file: &[ConfigMap],
) -> Option<Box<ConfigMap>> {
    let (own, over) = written_layers(project, node);
    let mut calls = merge_configs(&in_file.iter().collect::<Vec<_>>());
    // One call is kept as it is written: a hook that is no list, a key of `grants` with its `+`.
    if let [only] = in_file {
        for (key, dbts) in [
            ("pre_hook", "pre-hook"),
            ("post_hook", "post-hook"),
            ("pre-hook", "pre-hook"),
            ("post-hook", "post-hook"),
            ("grants", "grants"),
        ] {
            if let Some(value) = only.get(key) {
                calls.insert(dbts.to_owned(), value.clone());
            }
        }
    }
    let mut written = own;
    for layer in [of_property].into_iter().chain([&calls, &over]) {
        written.extend(layer.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    (written != node.config.raw).then(|| Box::new(written))
}

/// Drafts of all resources but generic tests.
pub(super) fn drafts<'p>(project: &'p Project, problems: &mut Vec<Diagnostic>) -> Vec<Draft<'p>> {
    let mut out = Vec::new();
    for package in &project.packages {
        let mut drafter = Drafter {
            package,
            sources: &project.sources,
            out: &mut out,
        };
        drafter.package(problems);
    }
    out
}

struct Drafter<'p, 'o> {
    package: &'p Package,
    sources: &'o SourceMap,
    out: &'o mut Vec<Draft<'p>>,
}

impl<'p> Drafter<'p, '_> {
    fn package(&mut self, problems: &mut Vec<Diagnostic>) {
        let package = self.package;
        let properties = &package.properties;
        let mut models = by_name(&properties.models);
        let mut seeds = by_name(&properties.seeds);
        let mut snapshots = by_name(&properties.snapshots);
        let mut analyses = by_name(&properties.analyses);
        let mut tests = by_name(&properties.singular_tests);
        let mut functions = by_name(&properties.functions);
        for file in &package.functions {
            let patch = functions.take(&file.name);
            self.code(ResourceKind::Function, file, patch);
        }
        for file in &package.models {
            let patch = models.take(&file.name);
            self.code(ResourceKind::Model, file, patch);
        }
        // dbt's users describe seeds under `models:` too, whose tests then run.
        models.lend(
            &mut seeds,
            package.seeds.iter().map(|seed| seed.name.as_str()),
        );
        for seed in &package.seeds {
            let mut node = self.node(ResourceKind::Seed, &seed.name, &seed.path, &seed.base);
            node.detail = Detail::Seed {
                path: seed.absolute.clone(),
            };
            self.push(node, seeds.take(&seed.name));
        }
        for file in &package.snapshots {
            self.snapshot_file(file, &mut snapshots, problems);
        }
        for file in &package.analyses {
            self.code(ResourceKind::Analysis, file, analyses.take(&file.name));
        }
        for file in &package.singular_tests {
            let patch = tests.take(&file.name);
            self.code(ResourceKind::Test, file, patch);
            if let Some(draft) = self.out.last_mut() {
                draft.node.detail = Detail::SingularTest;
            }
        }
        self.yaml_snapshots(&mut snapshots);
        for table in &properties.sources {
            self.source(table);
        }
        let names = |kind: ResourceKind| -> Vec<String> {
            let of = self.out.iter().filter(|d| d.node.kind == kind);
            of.filter(|d| d.node.package == package.name)
                .map(|d| d.node.name.clone())
                .collect()
        };
        models.report("model", &names(ResourceKind::Model), problems);
        seeds.report("seed", &names(ResourceKind::Seed), problems);
        snapshots.report("snapshot", &names(ResourceKind::Snapshot), problems);
        analyses.report("analysis", &names(ResourceKind::Analysis), problems);
        tests.report("singular test", &names(ResourceKind::Test), problems);
        functions.report("function", &names(ResourceKind::Function), problems);
    }

    fn code(&mut self, kind: ResourceKind, file: &CodeFile, patch: Option<&'p ResourceProperties>) {
        let mut node = self.node(kind, &file.name, &file.path, &file.base);
        if kind == ResourceKind::Analysis {
            node.fqn.insert(1, "analysis".to_owned());
        }
        self.code_of(&mut node, file.file);
        self.push(node, patch);
    }

    fn code_of(&self, node: &mut Node, file: FileId) {
        node.file = Some(file);
        node.span = Some(Span {
            file,
            start: 0,
            end: 0,
        });
        node.raw_code = self.sources.file(file).text.to_string();
    }

    fn snapshot_file(
        &mut self,
        file: &CodeFile,
        patches: &mut ByName<'p>,
        problems: &mut Vec<Diagnostic>,
    ) {
        let text = std::sync::Arc::clone(&self.sources.file(file.file).text);
        let blocks = match jinja::snapshot_blocks(&text) {
            Ok(blocks) => blocks,
            Err((line, message)) => {
                let span = self.sources.line_span(file.file, line);
                problems.push(Diagnostic::error(codes::JINJA_SYNTAX, message).at(span, ""));
                return;
            }
        };
        for block in blocks {
            let mut node = self.node(ResourceKind::Snapshot, &block.name, &file.path, &file.base);
            // dbt puts the file before the block, also where they share a name.
            let at = node.fqn.len() - 1;
            node.fqn.insert(at, file.name.clone());
            self.code_of(&mut node, file.file);
            node.raw_code = block.text;
            node.first_line = block.first_line;
            let patch = patches.take(&block.name);
            self.push(node, patch);
        }
    }

    /// Snapshots that a property file defines by `relation:`.
    fn yaml_snapshots(&mut self, patches: &mut ByName<'p>) {
        let defined: Vec<&'p ResourceProperties> = patches
            .0
            .values()
            .filter(|p| p.other.contains_key("relation"))
            .copied()
            .collect();
        for patch in defined {
            patches.take(&patch.name.value);
            let relation = patch.other["relation"].as_str().unwrap_or_default();
            let base = self
                .package
                .file
                .paths
                .snapshots
                .iter()
                .chain(&self.package.file.paths.models);
            let base = base
                .clone()
                .find(|b| patch.path.starts_with(&format!("{b}/")));
            let base = base.cloned().unwrap_or_default();
            let name = &patch.name.value;
            let mut node = self.node(ResourceKind::Snapshot, name, &patch.path, &base);
            node.file = Some(patch.name.span.file);
            node.span = Some(patch.name.span);
            node.raw_code = format!("select * from {{{{ {relation} }}}}");
            node.first_line = self
                .sources
                .file(patch.name.span.file)
                .line_column(patch.name.span.start)
                .0;
            self.push(node, Some(patch));
        }
    }

    fn source(&mut self, table: &'p SourceTable) {
        let (source, name) = (&table.source.value, &table.table.value);
        let base = self
            .package
            .file
            .paths
            .models
            .iter()
            .find(|b| table.path.starts_with(*b));
        let base = base.cloned().unwrap_or_default();
        let mut node = self.node(ResourceKind::Source, name, &table.path, &base);
        node.id = NodeId::new(format!("source.{}.{source}.{name}", self.package.name));
        let at = node.fqn.len() - 1;
        node.fqn.insert(at, source.clone());
        node.file = Some(table.table.span.file);
        node.span = Some(table.table.span);
        node.description = table.description.clone();
        node.columns = columns(&table.columns);
        node.other = table.other.clone();
        node.detail = Detail::Source {
            source: source.clone(),
            loaded_at_field: table.loaded_at_field.clone(),
            freshness: table.freshness.clone(),
        };
        let config = table
            .config
            .iter()
            .map(|(k, v)| (k.clone(), v.value.clone()))
            .collect();
        self.out.push(Draft {
            node: Box::new(node),
            properties: None,
            source: Some(table),
            property_config: config,
        });
    }

    fn node(&self, kind: ResourceKind, name: &str, path: &str, base: &str) -> Node {
        let inner = path
            .strip_prefix(base)
            .unwrap_or(path)
            .trim_start_matches('/');
        let fqn = fqn(&self.package.name, inner, name);
        let package = &self.package.name;
        let id = format!("{}.{package}.{name}", kind.as_str());
        Node {
            path: path.to_owned(),
            fqn,
            ..Node::bare(id, kind, package, name)
        }
    }

    fn push(&mut self, mut node: Node, patch: Option<&'p ResourceProperties>) {
        let mut config = ConfigMap::new();
        if let Some(patch) = patch {
            if let Some(version) = &patch.version {
                become_version(&mut node, &patch.name.value, version);
            }
            node.description = patch.description.clone();
            node.columns = columns(&patch.columns);
            node.patch_path = Some(patch.path.clone());
            node.other = patch.other.clone();
            if let Some(Json::Object(spine)) = node.other.get_mut("time_spine") {
                let grains = spine.entry("custom_granularities");
                grains.or_insert_with(|| Json::Array(Vec::new()));
            }
            if let Some(Json::String(date)) = node.other.get_mut("deprecation_date")
                && date.len() == "2020-01-01".len()
            {
                date.push_str("T00:00:00+00:00");
            }
            config = patch
                .config
                .iter()
                .map(|(k, v)| (k.clone(), v.value.clone()))
                .collect();
            for key in ["meta", "tags", "docs", "access", "group"] {
                let Some(beside) = patch.other.get(key) else {
                    continue;
                };
                let inside = config.entry(key.to_owned());
                let inside = inside.or_insert_with(|| beside.clone());
                // dbt joins the two; of everything else the one inside `config:` counts.
                if let (Json::Object(inside), Json::Object(beside), "meta") = (inside, beside, key)
                {
                    let beside = beside
                        .iter()
                        .filter(|(name, _)| !inside.contains_key(*name));
                    let beside: Vec<_> = beside.map(|(n, v)| (n.clone(), v.clone())).collect();
                    inside.extend(beside);
                }
            }
        }
        self.out.push(Draft {
            node: Box::new(node),
            properties: patch,
            source: None,
            property_config: config,
        });
    }
}

/// The package, the folders of a path below its resource folder, and the name.
fn fqn(package: &str, inner: &str, name: &str) -> Vec<String> {
    let mut folders: Vec<&str> = inner.split('/').collect();
    folders.pop();
    let parts = [package].into_iter().chain(folders).chain([name]);
    parts.map(str::to_owned).collect()
}

/// The qualified name of what an entry of a property file makes by itself.
pub(super) fn fqn_of_entry(package: &Package, path: &str, name: &str) -> Vec<String> {
    let bases = &package.file.paths.models;
    let inner = bases
        .iter()
        .find_map(|base| path.strip_prefix(base.as_str())?.strip_prefix('/'));
    fqn(&package.name, inner.unwrap_or(path), name)
}

/// A file's model is a version of the model of another name.
fn become_version(node: &mut Node, name: &str, version: &ModelVersion) {
    let v = format!("v{}", version.text());
    node.id = NodeId::new(format!("model.{}.{name}.{v}", node.package));
    name.clone_into(&mut node.name);
    node.fqn.pop();
    node.fqn.extend([name.to_owned(), v]);
    node.model.version = Some(version.clone());
}

/// Described columns by name.
fn columns(list: &[ColumnProperties]) -> IndexMap<String, ColumnInfo> {
    list.iter()
        .map(|c| {
            let info = ColumnInfo {
                description: c.description.clone(),
                doc_blocks: Vec::new(),
                data_type: c.data_type.clone(),
                quote: c.quote.unwrap_or(false),
                other: c.other.clone(),
            };
            (c.name.value.clone(), info)
        })
        .collect()
}

/// Property entries that are still to find their resource.
struct ByName<'p>(HashMap<&'p str, &'p ResourceProperties>);

fn by_name(list: &[ResourceProperties]) -> ByName<'_> {
    ByName(list.iter().map(|p| (file_of(p), p)).collect())
}

/// The name of the file that an entry describes.
fn file_of(entry: &ResourceProperties) -> &str {
    match &entry.version {
        Some(version) => &version.file,
        None => &entry.name.value,
    }
}

impl<'p> ByName<'p> {
    fn take(&mut self, name: &str) -> Option<&'p ResourceProperties> {
        self.0.remove(name)
    }

    /// Gives entries to the kind of resource that has those names, where it has none of its own.
    fn lend<'n>(&mut self, other: &mut Self, names: impl Iterator<Item = &'n str>) {
        for name in names {
            if other.0.contains_key(name) {
                continue;
            }
            if let Some((name, entry)) = self.0.remove_entry(name) {
                other.0.insert(name, entry);
            }
        }
    }

    /// Entries that describe nothing are warned of: their tests would silently not run.
    fn report(&self, what: &str, names: &[String], problems: &mut Vec<Diagnostic>) {
        let mut left: Vec<_> = self.0.values().collect();
        left.sort_by_key(|p| (p.path.clone(), p.name.span.start));
        for patch in left {
            let name = file_of(patch);
            let near = crate::diag::nearest(name, names.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add the {what}, or remove this entry"),
            };
            problems.push(
                Diagnostic::warning(
                    codes::UNKNOWN_RESOURCE,
                    format!("`{name}` is described here, but there is no {what} of that name"),
                )
                .at(patch.name.span, "")
                .hint(hint),
            );
        }
    }
}
