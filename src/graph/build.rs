//! From declarations to a [`Graph`]: scan every template, settle config and names, resolve
//! what is read, refuse cycles. Scanning uses all cores.

use std::sync::Arc;

use indexmap::IndexMap;
use rayon::prelude::*;

use super::configs::Configs;
use super::draft::{self, Draft};
use super::generic_nodes::{Declared, Reading, declared, generic_tests};
use super::naming::Naming;
use super::plain_tests::PlainTests;
use super::{DocsBlocks, Graph, NameTable, Node, ResourceKind, cycle, exposures, hook_work, money};
use super::{
    contracts, deprecation, duplicates, functions, materialization, microbatch, model_json, naming,
    resolve, run_hooks, semantic, shares, unit_tests,
};
use crate::diag::{Diagnostic, Severity, SourceMap, codes};
use crate::jinja::{Engine, NodeContext, Scan, Template};
use crate::project::{ColumnProperties, ConfigMap, Project, TestDeclaration, merge_configs};

/// A graph, and what is worth saying of the project.
#[derive(Debug)]
pub struct Built {
    /// The graph.
    pub graph: Graph,
    /// Warnings, in order of the files.
    pub warnings: Vec<Diagnostic>,
}

/// Resolves a project. Errors: everything that is wrong, as far as it could be found.
pub fn build(project: &Project, engine: &Engine) -> Result<Built, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut drafts = draft::drafts(project, &mut problems);
    let docs = DocsBlocks::new(project);
    for draft in &mut drafts {
        describe(&docs, &mut draft.node, &mut problems);
    }
    let naming = Naming::new(project, engine);
    let configs = Configs::new(project);
    let settled: Vec<Result<Settled<'_>, Vec<Diagnostic>>> = drafts
        .into_par_iter()
        .map(|draft| settle(project, (&naming, &configs), draft))
        .collect();
    let mut kept = Vec::new();
    let mut disabled = Vec::new();
    for result in settled {
        match result {
            Ok(settled) if settled.node.config.enabled => kept.push(settled),
            Ok(settled) => disabled.push(settled.node),
            Err(found) => problems.extend(found),
        }
    }
    let reading = Reading {
        project,
        naming: &naming,
        configs: &configs,
        plain: PlainTests::default(),
    };
    let tests = generic_tests(&reading, &kept, &mut problems, &mut disabled);
    let mut nodes: Vec<Box<Node>> = kept.into_iter().map(|s| s.node).collect();
    nodes.extend(tests);
    let mut meanings = exposures::nodes(project, &mut problems);
    meanings.extend(semantic::nodes(project, &mut problems));
    for mut exposure in meanings {
        describe(&docs, &mut exposure, &mut problems);
        match exposure.config.enabled {
            true => nodes.push(exposure),
            false => disabled.push(exposure),
        }
    }
    let names = NameTable::new(&nodes, &disabled);
    let (mut tests, without) = unit_tests::nodes(project, &nodes, &names, &mut problems);
    for test in &mut tests {
        describe(&docs, test, &mut problems);
    }
    nodes.extend(tests);
    disabled.extend(without);
    problems.extend(duplicates::duplicates(&nodes));
    problems.extend(unused_config(project, &nodes, &disabled));
    problems.extend(resolve::parents(&mut nodes, &names, &project.sources));
    problems.extend(semantic::link(&mut nodes));
    problems.extend(unit_tests::check(&nodes));
    problems.extend(shares::check(&nodes));
    problems.extend(microbatch::unfiltered(&nodes));
    problems.extend(deprecation::check(&nodes, engine.started_at()));
    problems.extend(cycle::find(&nodes, &project.sources));
    let hooks = run_hooks::nodes((&naming, &configs), &names, &mut problems);
    let (errors, warnings): (Vec<_>, Vec<_>) = problems
        .into_iter()
        .partition(|p| p.severity == Severity::Error);
    if errors.is_empty() {
        let graph = Graph::new(nodes, names, disabled);
        Ok(Built {
            graph: Graph { hooks, ..graph },
            warnings,
        })
    } else {
        Err(errors)
    }
}

/// Puts docs blocks into the descriptions of a node and its columns.
fn describe(docs: &DocsBlocks, node: &mut Node, problems: &mut Vec<Diagnostic>) {
    let what = format!("{} `{}`", node.kind.as_str(), node.name);
    let path = node.patch_path.as_ref().unwrap_or(&node.path);
    let columns = node.columns.values_mut();
    let columns = columns.map(|c| (&mut c.description, &mut c.doc_blocks));
    let own = (&mut node.description, &mut node.doc_blocks);
    for description in columns.chain([own]) {
        docs.describe(description, &node.package, (&what, path), problems);
    }
}

/// A node with its config, relation and reads settled, and the tests declared on it.
pub(super) struct Settled<'p> {
    pub(super) node: Box<Node>,
    pub(super) tests: Vec<Declared<'p>>,
}

fn settle<'p>(
    project: &'p Project,
    (naming, configs): (&Naming<'_>, &Configs<'_>),
    draft: Draft<'p>,
) -> Result<Settled<'p>, Vec<Diagnostic>> {
    let engine = naming.engine;
    let Draft {
        mut node,
        properties,
        source,
        property_config,
    } = draft;
    let (own, over) = draft::tree_layers(project, &node);
    let before = merge_configs(&[&own, &property_config, &over]);
    let mut layers: Vec<&ConfigMap> = vec![&own, &property_config];
    let scan = if node.raw_code.is_empty() {
        Scan::default()
    } else {
        scan(engine, &node, &before).map_err(|problem| vec![problem])?
    };
    let in_file: Vec<ConfigMap> = scan.configs.clone();
    layers.extend(in_file.iter());
    layers.push(&over);
    let merged = merge_configs(&layers);
    let in_yaml = |key: &str| {
        let config = properties.map(|p| &p.config).or(source.map(|s| &s.config));
        config.and_then(|c| c.get(key)).map(|value| value.span)
    };
    node.config = configs.typed(&node, merged, &in_yaml)?;
    node.written = draft::written(project, &node, &property_config, &in_file);
    node.refs = scan.refs;
    node.sources = scan.sources;
    node.functions = scan.functions;
    node.macros = scan.macros;
    if !node.config.enabled {
        return Ok(Settled {
            node,
            tests: Vec::new(),
        });
    }
    let place = |key: &str| configs.place(&node, key, &in_yaml);
    let known = materialization::of_macro(project, engine, &node, &place);
    node.model.materialization = known.map_err(|problem| vec![problem])?;
    node.macros.extend(node.model.materialization.clone());
    node.model.microbatch = materialization::is_batched(project, engine, &node);
    let mut broken = contracts::check(&node, properties);
    if node.model.microbatch {
        broken.extend(microbatch::check(&node));
    }
    if !broken.is_empty() {
        return Err(broken);
    }
    let line = match (properties, node.file) {
        (Some(p), Some(file)) if p.name.span.file == file => line_of(&project.sources, p.name.span),
        _ => 1,
    };
    if node.kind == ResourceKind::Function {
        let missing = functions::check(&node, properties);
        if !missing.is_empty() {
            return Err(missing);
        }
    }
    contracts::read_foreign_keys(&mut node, line);
    read_hooks(engine, &mut node, &project.sources).map_err(|problem| vec![problem])?;
    if let Some(table) = source {
        node.relation = Some(naming::source_relation(project, table));
    } else if has_relation(&node) || node.kind == ResourceKind::Function {
        let relation = naming.relation(&node).map_err(|problem| vec![problem])?;
        node.relation = Some(relation);
    } else if node.kind == ResourceKind::Test {
        node.failures = naming::failures(naming, &node).map_err(|problem| vec![problem])?;
        let schema = naming::test_schema(naming, &node);
        node.model.test_schema = schema.map_err(|problem| vec![problem])?;
    }
    let (tests, columns, path): (&[TestDeclaration], &[ColumnProperties], &str) =
        match (properties, source) {
            (Some(p), _) => (&p.tests, &p.columns, &p.path),
            (None, Some(table)) => (&table.tests, &table.columns, &table.path),
            (None, None) => (&[], &[], ""),
        };
    let mut tests = declared(tests, columns, path);
    tests.extend(money::tests(&node, columns, path)?);
    Ok(Settled { node, tests })
}

pub(super) fn has_relation(node: &Node) -> bool {
    matches!(
        node.kind,
        ResourceKind::Model | ResourceKind::Seed | ResourceKind::Snapshot
    )
}

/// The context in which a node's templates are scanned.
pub(crate) fn scan_context(node: &Node, config: &ConfigMap) -> NodeContext {
    let mut model = model_json(node, |_| String::new());
    if let Some(map) = model.as_object_mut() {
        map.insert("config".to_owned(), serde_json::json!(config));
    }
    NodeContext {
        id: node.id.clone(),
        package: node.package.clone(),
        this: node.relation.clone(),
        model,
        config: config.clone(),
        extra: IndexMap::new(),
        execute: false,
    }
}

pub(super) fn scan(engine: &Engine, node: &Node, config: &ConfigMap) -> Result<Scan, Diagnostic> {
    let Some(file) = node.file else {
        return Ok(Scan::default());
    };
    let template = Template {
        file,
        text: Arc::from(node.raw_code.as_str()),
        first_line: node.first_line,
    };
    engine.scan_text(scan_context(node, config), &template)
}

/// What hooks read counts as read by the node.
fn read_hooks(engine: &Engine, node: &mut Node, sources: &SourceMap) -> Result<(), Diagnostic> {
    let hooks: Vec<String> = node
        .config
        .pre_hook
        .iter()
        .chain(&node.config.post_hook)
        .map(|h| h.sql.clone())
        .collect();
    for text in hooks
        .iter()
        .filter(|text| text.contains("{{") || text.contains("{%"))
    {
        let context = scan_context(node, &node.config.raw);
        // A seed has no file of templates.
        let named = || sources.add(format!("hook of {}", node.id), text.as_str());
        let file = node.file.unwrap_or_else(named);
        let scan = engine.scan_text(
            context,
            &Template {
                file,
                text: Arc::from(text.as_str()),
                first_line: 1,
            },
        )?;
        let reads = scan
            .refs
            .first()
            .map(|(call, _)| format!("ref('{}')", call.name));
        if let (ResourceKind::Seed, Some(call)) = (node.kind, reads) {
            let message = format!(
                "Seeds cannot depend on other nodes, and a hook of `{}` calls {call}",
                node.name
            );
            let problem = Diagnostic::error(codes::NODE_CONFIG, message).in_file(&node.path);
            return Err(problem.hint("do it in a model, or in on-run-end"));
        }
        for found in scan.refs {
            if !node.refs.iter().any(|(call, _)| *call == found.0) {
                node.refs.push(found);
            }
        }
        for found in scan.sources {
            if !node.sources.iter().any(|(call, _)| *call == found.0) {
                node.sources.push(found);
            }
        }
        for id in scan.macros {
            if !node.macros.contains(&id) {
                node.macros.push(id);
            }
        }
    }
    if !node.config.post_hook.is_empty() {
        for hook in &mut Arc::make_mut(&mut node.config).post_hook {
            hook.calls_work = hook_work::calls_work(engine, &node.package, &hook.sql);
        }
    }
    Ok(())
}

pub(super) fn line_of(sources: &SourceMap, span: crate::diag::Span) -> usize {
    sources.file(span.file).line_column(span.start).0
}

fn unused_config(
    project: &Project,
    nodes: &[Box<Node>],
    disabled: &[Box<Node>],
) -> Vec<Diagnostic> {
    let trees = &project.root_package().file.configs;
    let fqns = |kind: ResourceKind| -> Vec<Vec<String>> {
        nodes
            .iter()
            .chain(disabled)
            .filter(|n| n.kind == kind)
            .map(|n| n.fqn.clone())
            // A package that has none of a kind yet may be configured all the same.
            .chain(project.packages.iter().map(|p| vec![p.name.clone()]))
            .collect()
    };
    [
        ("models", ResourceKind::Model),
        ("seeds", ResourceKind::Seed),
        ("snapshots", ResourceKind::Snapshot),
        ("sources", ResourceKind::Source),
        ("data_tests", ResourceKind::Test),
        ("unit_tests", ResourceKind::UnitTest),
        ("functions", ResourceKind::Function),
    ]
    .into_iter()
    .flat_map(|(name, kind)| draft::tree(trees, kind).unused(name, &fqns(kind)))
    .collect()
}
