//! Generic tests: from a declaration in a property file to a node of its own.

use std::borrow::Cow;

use indexmap::IndexMap;
use rayon::prelude::*;
use serde_json::Value as Json;

use super::build::{Settled, line_of, scan};
use super::configs::Configs;
use super::naming::Naming;
use super::plain_tests::PlainTests;
use super::{Detail, GenericTest, Node, NodeIx, ResourceKind, draft, generic_test, naming};
use crate::diag::{Diagnostic, codes};
use crate::jinja::Engine;
use crate::project::{ColumnProperties, ConfigMap, Project, TestDeclaration, merge_configs};

/// A generic test as declared, with the column it is declared on.
pub(super) struct Declared<'p> {
    pub(super) declaration: Cow<'p, TestDeclaration>,
    pub(super) column: Option<&'p ColumnProperties>,
    pub(super) path: &'p str,
}

pub(super) fn declared<'p>(
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

/// What generic tests are made with.
pub(super) struct Reading<'a> {
    pub(super) project: &'a Project,
    pub(super) naming: &'a Naming<'a>,
    pub(super) configs: &'a Configs<'a>,
    pub(super) plain: PlainTests,
}

pub(super) fn generic_tests(
    reading: &Reading<'_>,
    kept: &[Settled<'_>],
    problems: &mut Vec<Diagnostic>,
    disabled: &mut Vec<Box<Node>>,
) -> Vec<Box<Node>> {
    let made: Vec<Result<Box<Node>, Vec<Diagnostic>>> = kept
        .par_iter()
        .enumerate()
        .flat_map_iter(|(index, settled)| {
            settled
                .tests
                .iter()
                .map(move |test| (NodeIx(index as u32), settled, test))
        })
        .map(|(ix, settled, test)| generic_test_node(reading, ix, &settled.node, test))
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
    reading: &Reading<'_>,
    attached: NodeIx,
    target: &Node,
    declared: &Declared<'_>,
) -> Result<Box<Node>, Vec<Diagnostic>> {
    let Reading {
        project,
        naming,
        configs,
        plain,
    } = reading;
    let engine = naming.engine;
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
    if !engine.has_macro(&macro_name, &target.package) {
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
    let mut fqn = property_folders(declared.path, package);
    fqn.push(name.clone());
    let id = format!("test.{package}.{name}.{hash}");
    let mut node = Node {
        path: declared.path.to_owned(),
        fqn,
        file: Some(declaration.test.span.file),
        span: Some(declaration.test.span),
        raw_code: generic_test::template(&macro_name, &model, &arguments),
        first_line: line_of(&project.sources, declaration.test.span),
        description: declaration.description.clone(),
        detail: Detail::GenericTest(GenericTest {
            test: test.to_owned(),
            namespace: namespace.map(str::to_owned),
            attached,
            column: declared.column.map(|c| c.name.value.clone()),
            arguments,
            config: declaration.config.clone(),
            short_name: short,
        }),
        ..Node::bare(id, ResourceKind::Test, package, &name)
    };
    let (own, over) = draft::tree_layers(project, &node);
    let before = merge_configs(&[&own, &declaration.config, &over]);
    let full = || scan(engine, &node, &before);
    let scan = plain
        .scan(engine, (&node, target), &before, full)
        .map_err(|problem| vec![problem])?;
    let mut layers: Vec<&ConfigMap> = scan.configs.iter().collect();
    layers.extend([&own, &declaration.config, &over]);
    let place = |key: &str| declaration.config_places.get(key).copied();
    let mut merged = merge_configs(&layers);
    let short = match &node.detail {
        // A name that is too long for Postgres is called by its short form, and says so.
        Detail::GenericTest(test) if test.short_name != node.name => {
            Some(Json::String(test.short_name.clone()))
        }
        _ => None,
    };
    if let Some(short) = &short {
        merged
            .entry("alias".to_owned())
            .or_insert_with(|| short.clone());
    }
    node.config = configs.typed(&node, merged, &place)?;
    node.written = draft::written(project, &node, &declaration.config, &scan.configs);
    if let (Some(short), Some(written)) = (short, &mut node.written) {
        written.entry("alias".to_owned()).or_insert(short);
    }
    node.refs = scan.refs;
    node.sources = scan.sources;
    node.functions = scan.functions;
    node.macros = scan.macros;
    node.failures = naming::failures(naming, &node).map_err(|problem| vec![problem])?;
    let schema = naming::test_schema(naming, &node);
    node.model.test_schema = schema.map_err(|problem| vec![problem])?;
    Ok(Box::new(node))
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
        _ => match &target.model.version {
            Some(version) => {
                let (name, version) = (&target.name, version.text());
                format!("get_where_subquery(ref('{name}', version='{version}'))")
            }
            None => format!("get_where_subquery(ref('{}'))", target.name),
        },
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
        _ => match &target.model.version {
            Some(version) => ("", format!("{}_v{}", target.name, version.text())),
            None => ("", target.name.clone()),
        },
    };
    let namespace = namespace.map(|n| format!("{n}_")).unwrap_or_default();
    generic_test::names(&format!("{namespace}{prefix}{test}"), &of, arguments)
}

fn property_folders(path: &str, package: &str) -> Vec<String> {
    let mut fqn = vec![package.to_owned()];
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    // dbt leaves out the first folder, whatever it holds: `models`, as a rule.
    fqn.extend(folders.into_iter().skip(1).map(str::to_owned));
    fqn
}
