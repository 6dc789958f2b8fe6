//! `show`: a query's first rows on stdout.

use std::sync::Arc;

use super::args::{Global, ShowArgs};
use super::build::{runtime, setup};
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::{EXIT_OK, World, compiled_results, logging, target};
use crate::artifact::run_results::NodeResult;
use crate::diag::codes;
use crate::graph::NodeIx;
use crate::jinja::Table;
use crate::names::NodeId;
use crate::report::Grid;
use crate::report::table::Fit;
use crate::run::{Look, Looked, look};

/// Runs the command.
pub(super) fn run(global: &Global, args: &ShowArgs, world: &mut World) -> Result<u8, Failure> {
    let invocation = Invocation::load(global, "show", false, world)?;
    logging::start(global, invocation.root());
    let what = what(global, args, &invocation, world)?;
    let limit = u64::try_from(args.limit).ok();
    let looked = runtime()?.block_on(async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let setup = setup(&invocation, false, &connected, world)?;
        let looked = look(setup, &what, limit).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        looked.map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))
    })?;
    let result = result(&invocation, &what, &looked);
    print(args, grid(looked.table), world)?;
    compiled_results::write(global, &invocation, ("show", &args.select), vec![result])?;
    Ok(EXIT_OK)
}

/// The result of what was looked at, with the statement that was sent.
fn result(invocation: &Invocation, what: &Look, looked: &Looked) -> NodeResult {
    let (id, relation) = match what {
        Look::Node(ix) => {
            let node = invocation.graph.node(*ix);
            (node.id.clone(), node.relation.clone())
        }
        Look::Inline { .. } => {
            let root = &invocation.project.root_package().name;
            let id = format!("sql_operation.{root}.inline_query");
            (NodeId::new(id), None)
        }
    };
    let mut result = NodeResult {
        compiled: Some(true),
        compiled_code: Some(looked.sql.clone()),
        relation_name: relation.map(|relation| relation.to_string()),
        ..compiled_results::success(id, looked.elapsed)
    };
    let rows = looked.table.rows.len();
    let response = &mut result.adapter_response;
    response.insert("_message".to_owned(), format!("SELECT {rows}").into());
    response.insert("code".to_owned(), "SELECT".into());
    response.insert("rows_affected".to_owned(), rows.into());
    result
}

/// A result as a grid.
pub(super) fn grid(table: Table) -> Grid {
    Grid::new(
        table.columns.into_iter().map(|c| c.name).collect(),
        table.rows,
    )
}

fn what(
    global: &Global,
    args: &ShowArgs,
    invocation: &Invocation,
    world: &World,
) -> Result<Look, Failure> {
    if let Some(text) = &args.inline {
        let text: Arc<str> = Arc::from(text.as_str());
        let file = invocation.sources().add("--inline", Arc::clone(&text));
        return Ok(Look::Inline { text, file });
    }
    let mut reporter = reporter(global, world);
    let selected = invocation.select(&args.select, &mut *reporter, world.stderr_style.color)?;
    invocation.tell_selected(selected.iter());
    // A model comes with its tests; who names a model wants its rows.
    let rows: Vec<NodeIx> = selected
        .iter()
        .copied()
        .filter(|ix| !invocation.graph.node(*ix).is_test())
        .collect();
    match (rows.as_slice(), selected.as_slice()) {
        ([one], _) | ([], [one]) => Ok(Look::Node(*one)),
        _ => Err(Failure::message(
            codes::CLI_USAGE,
            format!("show takes one node, and {} are selected", selected.len()),
            "name one with --select, or give a query with --inline",
        )),
    }
}

fn print(args: &ShowArgs, grid: Grid, world: &mut World) -> Result<(), Failure> {
    let written = match args.output.as_str() {
        "text" => {
            let text = grid.text(world.stdout_style, Fit::Records);
            world.stdout.write_all(text.as_bytes())
        }
        "json" => grid.write_json(&mut world.stdout),
        "csv" => grid.write_csv(&mut world.stdout),
        other => {
            return Err(Failure::message(
                codes::CLI_USAGE,
                format!("--output does not know `{other}`"),
                "use text, json or csv",
            ));
        }
    };
    // A closed pipe is the reader's choice.
    let _ = written;
    Ok(())
}
