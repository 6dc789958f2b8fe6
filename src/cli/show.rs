//! `show`: a query's first rows on stdout.

use std::sync::Arc;

use super::args::{Global, ShowArgs};
use super::build::{runtime, setup};
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::{EXIT_OK, World, logging, target};
use crate::diag::codes;
use crate::graph::NodeIx;
use crate::jinja::Table;
use crate::report::Grid;
use crate::report::table::Fit;
use crate::run::{Look, look};

/// Runs the command.
pub(super) fn run(global: &Global, args: &ShowArgs, world: &mut World) -> Result<u8, Failure> {
    let invocation = Invocation::load(global, "show", false, world)?;
    logging::start(global, invocation.root());
    let what = what(global, args, &invocation, world)?;
    let limit = u64::try_from(args.limit).ok();
    let table = runtime()?.block_on(async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let setup = setup(&invocation, false, &connected, world)?;
        let table = look(setup, &what, limit).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        table.map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))
    })?;
    print(args, grid(table), world)?;
    Ok(EXIT_OK)
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
