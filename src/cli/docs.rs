//! `docs generate`: the manifest with compiled SQL, and `catalog.json` of what the database
//! holds of the project's relations.

use std::collections::BTreeSet;
use std::path::Path;

use clap::{Args, Subcommand};
use indexmap::IndexMap;

use super::args::{Global, SelectArgs};
use super::build::{runtime, setup};
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::target::Connected;
use super::{EXIT_OK, World, compiled_results, logging, manifest, target};
use crate::artifact;
use crate::artifact::catalog::{Catalog, CatalogTable, ColumnMetadata, TableMetadata, no_stats};
use crate::diag::{Diagnostic, codes};
use crate::event::Event;
use crate::graph::manifest::CompiledCode;
use crate::graph::{NodeIx, ResourceKind};
use crate::names::quote_literal;
use crate::report::format::count;
use crate::run::{CompiledNode, compile_nodes};

/// `docs`.
#[derive(Args, Clone, Debug)]
pub struct DocsArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: DocsCommand,
}

/// What to do with documentation.
#[derive(Clone, Debug, Subcommand)]
pub enum DocsCommand {
    /// Write target/manifest.json and target/catalog.json
    Generate(GenerateDocsArgs),
}

/// `docs generate`.
#[derive(Args, Clone, Debug, Default)]
pub struct GenerateDocsArgs {
    /// Which nodes.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Compile nothing and leave the manifest alone
    #[arg(long)]
    pub no_compile: bool,
    /// Compile, which is what happens anyway
    #[arg(long, hide = true)]
    pub compile: bool,
    /// Ask the database nothing: a catalog without relations
    #[arg(long)]
    pub empty_catalog: bool,
}

/// Runs the command.
pub(super) fn run(global: &Global, args: &DocsArgs, world: &mut World) -> Result<u8, Failure> {
    let DocsCommand::Generate(args) = &args.command;
    let invocation = Invocation::load(global, "generate", false, world)?;
    logging::start(global, invocation.root());
    let mut reporter = reporter(global, world);
    let color = world.stderr_style.color;
    invocation.tell_warnings(&mut *reporter, color);
    let selected = invocation.select(&args.select, &mut *reporter, color)?;
    invocation.tell_selected(selected.iter());
    let (compiled, rows, problems) = runtime()?.block_on(async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let mut log = |message: String| reporter.event(&Event::Logged { message });
        let done = ask(&invocation, args, &selected, &connected, world, &mut log).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        done
    })?;
    if !args.no_compile {
        if problems.is_empty() {
            let select = &args.select;
            let results =
                compiled_results::of_compiled(&invocation, (select, &selected), &compiled);
            compiled_results::write(global, &invocation, ("generate", select), results)?;
        }
        let code = compiled.into_iter().map(|node| {
            let (code, path) = (node.sql, node.path.display().to_string());
            (node.node, CompiledCode { code, path })
        });
        manifest::write(&invocation, &code.collect())?;
    }
    let catalog = catalog(&invocation, &selected, &rows);
    let found = catalog.nodes.len() + catalog.sources.len();
    let folder = invocation.root().join(&invocation.target_path);
    artifact::write(&folder.join("catalog.json"), &catalog)
        .map_err(|error| unwritable(error.to_string()))?;
    copy_assets(&invocation, &folder)?;
    let message = format!(
        "{} in {}",
        count(found as u64, "relation"),
        Path::new(&invocation.target_path)
            .join("catalog.json")
            .display()
    );
    reporter.event(&Event::Logged { message });
    reporter.finish();
    if problems.is_empty() {
        Ok(EXIT_OK)
    } else {
        Err(Failure::new(problems, invocation.sources().clone()))
    }
}

type Asked = (Vec<CompiledNode>, Vec<Vec<Option<String>>>, Vec<Diagnostic>);

/// Compiled SQL, rows of the catalog, and what does not compile.
async fn ask(
    invocation: &Invocation,
    args: &GenerateDocsArgs,
    selected: &[NodeIx],
    connected: &Connected,
    world: &World,
    log: &mut (dyn FnMut(String) + Send),
) -> Result<Asked, Failure> {
    let mut compiled = Vec::new();
    let mut problems = Vec::new();
    if !args.no_compile {
        let setup = setup(invocation, false, connected, world)?;
        let done = compile_nodes(setup, selected, log).await;
        let (nodes, failed) = done
            .map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))?;
        problems = failed;
        compiled = nodes;
    }
    let mut rows = Vec::new();
    if !args.empty_catalog {
        let connection = connected.pool(1)?.get().await;
        let connection = connection.map_err(|e| Failure::from(e.diagnostic(None)))?;
        let found = connection.query_untyped(&question(invocation)).await;
        rows = found.map_err(|e| Failure::from(e.diagnostic(None)))?.rows;
    }
    Ok((compiled, rows, problems))
}

/// Columns of every relation in the schemas of nodes and sources, one a row.
fn question(invocation: &Invocation) -> String {
    let relations = invocation.graph.nodes().filter_map(|(_, node)| {
        let relation = node.relation.as_ref();
        relation.filter(|_| !node.is_ephemeral() && !node.is_test())
    });
    let schemas: BTreeSet<String> = relations.map(|r| quote_literal(&r.schema)).collect();
    let mut list: Vec<String> = schemas.into_iter().collect();
    if list.is_empty() {
        list.push("null".to_owned());
    }
    format!(
        "select current_database(), n.nspname, c.relname, case c.relkind when 'v' then 'VIEW' when \
         'm' then 'MATERIALIZED VIEW' else 'BASE TABLE' end, pg_catalog.obj_description(c.oid, \
         'pg_class'), pg_catalog.pg_get_userbyid(c.relowner), a.attnum, a.attname, \
         pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.col_description(c.oid, \
         a.attnum) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = \
         c.relnamespace left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 \
         and not a.attisdropped where n.nspname in ({}) and c.relkind in ('r', 'v', 'm', 'f', 'p') \
         and c.relpersistence <> 't' order by n.nspname, c.relname, a.attnum",
        list.join(", ")
    )
}

/// The catalog of the nodes that exist; sources are always part of it.
fn catalog(invocation: &Invocation, selected: &[NodeIx], rows: &[Vec<Option<String>>]) -> Catalog {
    let tables = tables(rows);
    let mut catalog = Catalog::new(&invocation.run_id);
    catalog.metadata.env = invocation.custom_env.clone();
    for (ix, node) in invocation.graph.nodes() {
        let Some(relation) = node.relation.as_ref().filter(|_| !node.is_test()) else {
            continue;
        };
        let key = (relation.schema.clone(), relation.identifier.clone());
        let is_source = node.kind == ResourceKind::Source;
        let Some(table) = tables
            .get(&key)
            .filter(|_| is_source || selected.contains(&ix))
        else {
            continue;
        };
        let mut table = table.clone();
        table.unique_id = Some(node.id.to_string());
        let section = match is_source {
            true => &mut catalog.sources,
            false => &mut catalog.nodes,
        };
        section.insert(node.id.to_string(), table);
    }
    catalog
}

fn tables(rows: &[Vec<Option<String>>]) -> IndexMap<(String, String), CatalogTable> {
    let mut tables: IndexMap<(String, String), CatalogTable> = IndexMap::new();
    for row in rows {
        let cell = |at: usize| row.get(at).cloned().flatten();
        let text = |at: usize| cell(at).unwrap_or_default();
        let table = tables
            .entry((text(1), text(2)))
            .or_insert_with(|| CatalogTable {
                metadata: TableMetadata {
                    kind: text(3),
                    schema: text(1),
                    name: text(2),
                    database: cell(0),
                    comment: cell(4),
                    owner: cell(5),
                },
                columns: IndexMap::new(),
                stats: no_stats(),
                unique_id: None,
            });
        let Some(name) = cell(7) else { continue };
        let column = ColumnMetadata {
            data_type: text(8),
            index: text(6).parse().unwrap_or_default(),
            name: name.clone(),
            comment: cell(9),
        };
        table.columns.insert(name, column);
    }
    tables
}

/// `asset-paths` stand beside the artifacts, for pages that show them.
fn copy_assets(invocation: &Invocation, folder: &Path) -> Result<(), Failure> {
    let root = invocation.project.root_package();
    let paths = root.file.other.get("asset-paths");
    let paths = paths.and_then(serde_json::Value::as_array);
    for path in paths.into_iter().flatten().filter_map(|p| p.as_str()) {
        let from = invocation.root().join(path);
        for entry in walkdir::WalkDir::new(&from).into_iter().flatten() {
            let Ok(inside) = entry.path().strip_prefix(invocation.root()) else {
                continue;
            };
            let to = folder.join(inside);
            let done = match entry.file_type().is_dir() {
                true => std::fs::create_dir_all(&to),
                false => std::fs::copy(entry.path(), &to).map(|_| ()),
            };
            done.map_err(|error| unwritable(format!("cannot copy {path}: {error}")))?;
        }
    }
    Ok(())
}

fn unwritable(message: String) -> Failure {
    Failure::message(
        codes::TARGET_UNWRITABLE,
        message,
        "make the folder writable, or name another with --target-path",
    )
}
