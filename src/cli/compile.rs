//! `compile`: render the selected nodes, write their SQL, run nothing. The SQL of a single
//! node goes to stdout as well.

use std::io::Write;

use super::args::{Global, RunArgs};
use super::build::{runtime, setup};
use super::failure::Failure;
use super::invocation::Invocation;
use super::recording::Recording;
use super::{EXIT_OK, World, compiled_results, logging, manifest, target};
use crate::event::Event;
use crate::graph::manifest::CompiledCode;
use crate::report::Reporter;
use crate::report::format::count;
use crate::run::compile_nodes;

/// Runs the command.
pub(super) fn run(global: &Global, args: &RunArgs, world: &mut World) -> Result<u8, Failure> {
    let mut recording = Recording::open(global, &args.report, world)?;
    let ended = compile(global, args, recording.reporter(), world);
    recording.close(ended)
}

fn compile(
    global: &Global,
    args: &RunArgs,
    reporter: &mut dyn Reporter,
    world: &mut World,
) -> Result<u8, Failure> {
    let invocation = Invocation::load(global, "compile", args.full_refresh, world)?;
    logging::start(global, invocation.root());
    let color = world.stderr_style.color;
    invocation.tell_warnings(reporter, color);
    let selected = invocation.select(&args.select, reporter, color)?;
    invocation.tell_selected(selected.iter());
    let (compiled, problems) = runtime()?.block_on(async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let setup = setup(&invocation, args.full_refresh, &connected, world)?;
        let mut log = |message: String| reporter.event(&Event::Logged { message });
        let done = compile_nodes(setup, &selected, &mut log).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        done.map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))
    })?;
    if let ([only], true) = (compiled.as_slice(), !args.select.select.is_empty()) {
        let _ = writeln!(world.stdout, "{}", only.sql);
    }
    let code = compiled.iter().map(|node| {
        let (code, path) = (node.sql.clone(), node.path.display().to_string());
        (node.node, CompiledCode { code, path })
    });
    manifest::write(&invocation, &code.collect())?;
    let folder = std::path::Path::new(&invocation.target_path).join("compiled");
    let nodes = count(compiled.len() as u64, "node");
    let message = format!("{nodes} compiled to {}", folder.display());
    reporter.event(&Event::Logged { message });
    if problems.is_empty() {
        let select = &args.select;
        let results = compiled_results::of_compiled(&invocation, (select, &selected), &compiled);
        compiled_results::write(global, &invocation, ("compile", select), results)?;
        Ok(EXIT_OK)
    } else {
        Err(Failure::new(problems, invocation.sources().clone()))
    }
}
