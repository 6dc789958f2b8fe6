//! `on-run-start` and `on-run-end` of every package as nodes: dbt's operations. They stand beside
//! the graph: nothing selects them, nothing reads them, and they run in [`Graph::run_hooks`]' order.

use super::configs::Configs;
use super::naming::{self, Naming};
use super::{Detail, Graph, NameTable, Node, ResourceKind, build, draft, resolve};
use crate::diag::{Diagnostic, Spanned};
use crate::project::{ConfigMap, Package, merge_configs};

/// The tag of hooks that run before all nodes.
pub const ON_RUN_START: &str = "on-run-start";
/// The tag of hooks that run after all nodes.
pub const ON_RUN_END: &str = "on-run-end";

impl Graph {
    /// The hooks with a tag as they run: the root project's, then packages' by name.
    pub fn run_hooks<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Node> {
        self.all_run_hooks().filter(
            move |node| matches!(&node.detail, Detail::RunHook { tag: own, .. } if *own == tag),
        )
    }

    /// All of them.
    pub fn all_run_hooks(&self) -> impl Iterator<Item = &Node> {
        self.hooks.iter().map(|node| &**node)
    }
}

/// The hooks of all packages.
pub(super) fn nodes(
    (naming, configs): (&Naming<'_>, &Configs<'_>),
    names: &NameTable,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Box<Node>> {
    let project = naming.project;
    let root = project.root_package();
    let mut packages: Vec<&Package> = project.packages.iter().collect();
    packages.sort_by_key(|package| (package.name != root.name, package.name.as_str()));
    let mut nodes = Vec::new();
    for package in packages {
        let lists = [
            (ON_RUN_START, &package.file.on_run_start),
            (ON_RUN_END, &package.file.on_run_end),
        ];
        for (tag, list) in lists {
            for (index, hook) in list.iter().enumerate() {
                match node((naming, configs), package, (tag, index, hook)) {
                    Ok(node) => nodes.push(Box::new(node)),
                    Err(found) => problems.extend(found),
                }
            }
        }
    }
    problems.extend(resolve::parents(&mut nodes, names, &project.sources));
    nodes
}

fn node(
    (naming, configs): (&Naming<'_>, &Configs<'_>),
    package: &Package,
    (tag, index, hook): (&'static str, usize, &Spanned<String>),
) -> Result<Node, Vec<Diagnostic>> {
    let project = naming.project;
    let name = format!("{}-{tag}-{index}", package.name);
    let id = format!("operation.{}.{name}", package.name);
    let mut node = Node::bare(id, ResourceKind::Operation, &package.name, &name);
    node.path = "./dbt_project.yml".to_owned();
    node.fqn = vec![package.name.clone(), "hooks".to_owned(), name];
    node.file = Some(hook.span.file);
    node.span = Some(hook.span);
    node.raw_code = hook.value.clone();
    node.first_line = build::line_of(&project.sources, hook.span);
    node.detail = Detail::RunHook { tag, index };
    let (own, over) = draft::tree_layers(project, &node);
    let merged = merge_configs(&[&own, &over]);
    let scan = match node.raw_code.contains('{') {
        true => build::scan(naming.engine, &node, &merged).map_err(|problem| vec![problem])?,
        false => crate::jinja::Scan::default(),
    };
    node.config = configs.typed(&node, merged, &|_| None)?;
    node.written = draft::written(project, &node, &ConfigMap::new(), &[]);
    node.refs = scan.refs;
    node.sources = scan.sources;
    node.functions = scan.functions;
    node.macros = scan.macros;
    let schema = naming::hook_schema(naming, &node).map_err(|problem| vec![problem])?;
    node.model.test_schema = Some(schema);
    Ok(node)
}
