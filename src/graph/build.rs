//! From declarations to a [`Graph`]: scan every template, settle config and names, resolve
//! what is read, refuse cycles. Scanning uses all cores.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;
use rayon::prelude::*;
use serde_json::Value as Json;

use super::draft::{self, Draft};
use super::{
    Detail, DocsBlocks, GenericTest, Graph, NameTable, Node, NodeIx, ResourceKind, cycle,
    exposures, generic_test, money,
};
use super::{contracts, duplicates, model_json, naming, resolve, shares, unit_tests};
use crate::diag::{Diagnostic, Severity, SourceMap, Span, codes};
use crate::jinja::{Engine, NodeContext, Scan, Template};
use crate::names::NodeId;
use crate::project::{
    ColumnProperties, ConfigMap, ConfigOrigin, NodeConfig, Project, TestDeclaration, merge_configs,
};

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
    let settled: Vec<Result<Settled<'_>, Vec<Diagnostic>>> = drafts
        .into_par_iter()
        .map(|draft| settle(project, engine, draft))
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
    let tests = generic_tests(project, engine, &kept, &mut problems, &mut disabled);
    let mut nodes: Vec<Node> = kept.into_iter().map(|s| s.node).collect();
    nodes.extend(tests);
    for mut exposure in exposures::nodes(project, &mut problems) {
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
    problems.extend(unit_tests::check(&nodes));
    problems.extend(shares::check(&nodes));
    problems.extend(cycle::find(&nodes, &project.sources));
    let (errors, warnings): (Vec<_>, Vec<_>) = problems
        .into_iter()
        .partition(|p| p.severity == Severity::Error);
    if errors.is_empty() {
        Ok(Built {
            graph: Graph::new(nodes, names, disabled),
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
    let columns = node.columns.values_mut().map(|c| &mut c.description);
    for description in columns.chain([&mut node.description]) {
        docs.describe(description, &node.package, (&what, path), problems);
    }
}

/// A node with its config, relation and reads settled, and the tests declared on it.
struct Settled<'p> {
    node: Node,
    tests: Vec<Declared<'p>>,
}

/// A generic test as declared, with the column it is declared on.
pub(super) struct Declared<'p> {
    pub(super) declaration: Cow<'p, TestDeclaration>,
    pub(super) column: Option<&'p ColumnProperties>,
    pub(super) path: &'p str,
}

fn settle<'p>(
    project: &'p Project,
    engine: &Engine,
    draft: Draft<'p>,
) -> Result<Settled<'p>, Vec<Diagnostic>> {
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
    node.config = typed(&node, merged, project, &in_yaml)?;
    node.refs = scan.refs;
    node.sources = scan.sources;
    node.macros = scan.macros;
    if !node.config.enabled {
        return Ok(Settled {
            node,
            tests: Vec::new(),
        });
    }
    known_materialization(project, engine, &node, &in_yaml).map_err(|problem| vec![problem])?;
    let broken = contracts::check(&node, properties);
    if !broken.is_empty() {
        return Err(broken);
    }
    let line = match (properties, node.file) {
        (Some(p), Some(file)) if p.name.span.file == file => line_of(&project.sources, p.name.span),
        _ => 1,
    };
    contracts::read_foreign_keys(&mut node, line);
    read_hooks(engine, &mut node, &project.sources).map_err(|problem| vec![problem])?;
    if let Some(table) = source {
        node.relation = Some(naming::source_relation(project, table));
    } else if has_relation(&node) {
        let relation = naming::relation(project, engine, &node).map_err(|problem| vec![problem])?;
        node.relation = Some(relation);
    } else if node.kind == ResourceKind::Test {
        node.failures =
            naming::failures(project, engine, &node).map_err(|problem| vec![problem])?;
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

fn declared<'p>(
    tests: &'p [TestDeclaration],
    columns: &'p [ColumnProperties],
    path: &'p str,
) -> Vec<Declared<'p>> {
    let own = tests.iter().map(|declaration| Declared {
        declaration: Cow::Borrowed(declaration),
        column: None,
        path,
    });
    let of_columns = columns.iter().flat_map(|column| {
        column.tests.iter().map(move |declaration| Declared {
            declaration: Cow::Borrowed(declaration),
            column: Some(column),
            path,
        })
    });
    own.chain(of_columns).collect()
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

fn scan(engine: &Engine, node: &Node, config: &ConfigMap) -> Result<Scan, Diagnostic> {
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
    Ok(())
}

fn typed(
    node: &Node,
    merged: ConfigMap,
    project: &Project,
    in_yaml: &dyn Fn(&str) -> Option<Span>,
) -> Result<NodeConfig, Vec<Diagnostic>> {
    let what = format!("{} `{}`", node.kind.as_str(), node.name);
    let place = |key: &str| config_place(node, key, project, in_yaml);
    let origin = ConfigOrigin {
        what: &what,
        place: &place,
        file: Some(&node.path),
    };
    let default = match node.kind {
        ResourceKind::Model => "view",
        kind => kind.as_str(),
    };
    let (config, problems) = NodeConfig::new(merged, default, &origin);
    if problems.iter().any(|p| p.severity == Severity::Error) {
        return Err(problems);
    }
    Ok(config)
}

/// Refuses a model whose materialization neither marts nor a macro knows.
fn known_materialization(
    project: &Project,
    engine: &Engine,
    node: &Node,
    in_yaml: &dyn Fn(&str) -> Option<Span>,
) -> Result<(), Diagnostic> {
    const OURS: [&str; 5] = [
        "view",
        "table",
        "incremental",
        "ephemeral",
        "logistic_regression",
    ];
    let name = node.config.materialized.as_str();
    let is_macro = |adapter: &str| {
        let name = format!("materialization_{name}_{adapter}");
        engine.find_macro(&name, &node.package).is_some()
    };
    if node.kind != ResourceKind::Model
        || OURS.contains(&name)
        || is_macro("postgres")
        || is_macro("default")
    {
        return Ok(());
    }
    let message = format!(
        "model `{}` has the unknown materialization `{name}`",
        node.name
    );
    let hint = match crate::diag::nearest(name, OURS) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use one of {}", OURS.join(", ")),
    };
    let problem = Diagnostic::error(codes::UNKNOWN_MATERIALIZATION, message).hint(hint);
    Err(match config_place(node, "materialized", project, in_yaml) {
        Some(span) => problem.at(span, ""),
        None => problem.in_file(&node.path),
    })
}

/// The line of the node's own file that names a config key, else its property file's value,
/// else where the project file sets it.
fn config_place(
    node: &Node,
    key: &str,
    project: &Project,
    in_yaml: &dyn Fn(&str) -> Option<Span>,
) -> Option<Span> {
    let in_code = node.raw_code.lines().position(|line| line.contains(key));
    if let (Some(file), Some(line)) = (node.file, in_code) {
        return Some(project.sources.line_span(file, node.first_line + line));
    }
    let trees = &project.root_package().file.configs;
    in_yaml(key).or_else(|| draft::tree(trees, node.kind).place(&node.fqn, key))
}

fn generic_tests(
    project: &Project,
    engine: &Engine,
    kept: &[Settled<'_>],
    problems: &mut Vec<Diagnostic>,
    disabled: &mut Vec<Node>,
) -> Vec<Node> {
    let made: Vec<Result<Node, Vec<Diagnostic>>> = kept
        .par_iter()
        .enumerate()
        .flat_map_iter(|(index, settled)| {
            settled
                .tests
                .iter()
                .map(move |test| (NodeIx(index as u32), settled, test))
        })
        .map(|(ix, settled, test)| generic_test_node(project, engine, ix, &settled.node, test))
        .collect();
    let mut nodes = Vec::new();
    for result in made {
        match result {
            Ok(node) if node.config.enabled => nodes.push(node),
            Ok(node) => disabled.push(node),
            Err(found) => problems.extend(found),
        }
    }
    nodes
}

fn generic_test_node(
    project: &Project,
    engine: &Engine,
    attached: NodeIx,
    target: &Node,
    declared: &Declared<'_>,
) -> Result<Node, Vec<Diagnostic>> {
    let declaration = declared.declaration.as_ref();
    let written = declaration.test.value.as_str();
    let (namespace, test) = match written.split_once('.') {
        Some((namespace, test)) => (Some(namespace), test),
        None => (None, written),
    };
    let macro_name = match namespace {
        Some(namespace) => format!("{namespace}.test_{test}"),
        None => format!("test_{test}"),
    };
    if engine.find_macro(&macro_name, &target.package).is_none() {
        return Err(vec![unknown_test(engine, declaration)]);
    }
    let model = model_expression(target);
    let mut arguments = declaration.arguments.clone();
    let column = declared.column.map(|c| match c.quote {
        Some(true) => crate::names::quote_ident(&c.name.value),
        _ => c.name.value.clone(),
    });
    if let Some(column) = &column {
        arguments.insert("column_name".to_owned(), Json::String(column.clone()));
    }
    let mut kwargs = arguments.clone();
    kwargs.insert(
        "model".to_owned(),
        Json::String(format!("{{{{ {model} }}}}")),
    );
    let (short, full) = test_names(target, namespace, test, &arguments);
    let (name, short) = match &declaration.name {
        Some(own) => (own.clone(), own.clone()),
        None => (full, short),
    };
    let hash = generic_test::id_hash(&name, test, namespace, &kwargs);
    let package = &project.root_package().name;
    let package = if target.package == *package {
        package
    } else {
        &target.package
    };
    let mut fqn = target_folders(target, declared.path, package);
    fqn.push(name.clone());
    let mut node = Node {
        id: NodeId::new(format!("test.{package}.{name}.{hash}")),
        kind: ResourceKind::Test,
        name,
        package: package.clone(),
        path: declared.path.to_owned(),
        fqn,
        file: Some(declaration.test.span.file),
        span: Some(declaration.test.span),
        raw_code: generic_test::template(&macro_name, &model, &arguments),
        first_line: line_of(&project.sources, declaration.test.span),
        config: NodeConfig::default(),
        relation: None,
        failures: None,
        description: declaration.description.clone(),
        columns: IndexMap::new(),
        patch_path: None,
        parents: Vec::new(),
        refs: Vec::new(),
        sources: Vec::new(),
        macros: Vec::new(),
        detail: Detail::GenericTest(GenericTest {
            test: test.to_owned(),
            namespace: namespace.map(str::to_owned),
            attached,
            column: declared.column.map(|c| c.name.value.clone()),
            arguments,
            config: declaration.config.clone(),
            short_name: short,
        }),
        other: IndexMap::new(),
    };
    let (own, over) = draft::tree_layers(project, &node);
    let before = merge_configs(&[&own, &declaration.config, &over]);
    let scan = scan(engine, &node, &before).map_err(|problem| vec![problem])?;
    let mut layers: Vec<&ConfigMap> = scan.configs.iter().collect();
    layers.extend([&own, &declaration.config, &over]);
    let place = |key: &str| declaration.config_places.get(key).copied();
    let mut merged = merge_configs(&layers);
    if let Detail::GenericTest(test) = &node.detail
        && test.short_name != node.name
    {
        // A name that is too long for Postgres is called by its short form, and says so.
        let short = || Json::String(test.short_name.clone());
        merged.entry("alias".to_owned()).or_insert_with(short);
    }
    node.config = typed(&node, merged, project, &place)?;
    node.refs = scan.refs;
    node.sources = scan.sources;
    node.macros = scan.macros;
    node.failures = naming::failures(project, engine, &node).map_err(|problem| vec![problem])?;
    Ok(node)
}

fn unknown_test(engine: &Engine, declaration: &TestDeclaration) -> Diagnostic {
    let written = &declaration.test.value;
    let known: Vec<String> = engine
        .macros()
        .iter()
        .filter_map(|m| {
            let (rest, name) = m.unique_id.rsplit_once('.')?;
            let package = rest.rsplit_once('.')?.1;
            let test = name.strip_prefix("test_")?;
            Some(if written.contains('.') {
                format!("{package}.{test}")
            } else {
                test.to_owned()
            })
        })
        .collect();
    let hint = match crate::diag::nearest(written, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "define it with `{% test … %}`, or install the package that has it".to_owned(),
    };
    Diagnostic::error(
        codes::UNKNOWN_TEST,
        format!("there is no data test named `{written}`"),
    )
    .at(declaration.test.span, "")
    .hint(hint)
}

/// The Jinja expression of the relation that a test asks about.
fn model_expression(target: &Node) -> String {
    match &target.detail {
        Detail::Source { source, .. } => {
            format!("get_where_subquery(source('{source}', '{}'))", target.name)
        }
        _ => format!("get_where_subquery(ref('{}'))", target.name),
    }
}

pub(super) fn test_names(
    target: &Node,
    namespace: Option<&str>,
    test: &str,
    arguments: &IndexMap<String, Json>,
) -> (String, String) {
    let (prefix, of) = match &target.detail {
        Detail::Source { source, .. } => ("source_", format!("{source}_{}", target.name)),
        _ => ("", target.name.clone()),
    };
    let namespace = namespace.map(|n| format!("{n}_")).unwrap_or_default();
    generic_test::names(&format!("{namespace}{prefix}{test}"), &of, arguments)
}

fn target_folders(target: &Node, path: &str, package: &str) -> Vec<String> {
    let mut fqn = vec![package.to_owned()];
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    // dbt leaves out the resource folder itself, for example `models`.
    let skip = usize::from(!folders.is_empty() && target.path.starts_with(folders[0]));
    fqn.extend(folders.into_iter().skip(skip).map(str::to_owned));
    fqn
}

fn line_of(sources: &SourceMap, span: crate::diag::Span) -> usize {
    sources.file(span.file).line_column(span.start).0
}

fn unused_config(project: &Project, nodes: &[Node], disabled: &[Node]) -> Vec<Diagnostic> {
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
    ]
    .into_iter()
    .flat_map(|(name, kind)| draft::tree(trees, kind).unused(name, &fqns(kind)))
    .collect()
}
