//! `source freshness`: how fresh are the sources? Writes `sources.json`, and finds the sources
//! that gate a build.

use std::path::PathBuf;

use super::args::{FreshnessArgs, Global, SourceCommand};
use super::build::{runtime, setup};
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::{EXIT_NODE_FAILED, EXIT_OK, World, logging, target};
use crate::artifact::sources::{SCHEMA, SourceAsked, SourceResult, Sources};
use crate::artifact::{self, Metadata, run_results::Timing};
use crate::diag::codes;
use crate::event::{Event, Status};
use crate::graph::{Graph, NodeIx, ResourceKind};
use crate::run::{AskedSource, Options, ask_sources, with_freshness};

/// Runs a command about sources.
pub(super) fn run(
    global: &Global,
    command: &SourceCommand,
    world: &mut World,
) -> Result<u8, Failure> {
    match command {
        SourceCommand::Freshness(args) => freshness(global, args, world),
    }
}

fn freshness(global: &Global, args: &FreshnessArgs, world: &mut World) -> Result<u8, Failure> {
    let start = std::time::Instant::now();
    let invocation = Invocation::load(global, "freshness", false, world)?;
    logging::start(global, invocation.root());
    let color = world.stderr_style.color;
    let mut reporter = reporter(global, world);
    invocation.tell_warnings(&mut *reporter, color);
    let selected = invocation.select(&args.select, &mut *reporter, color)?;
    let nodes = with_freshness(&invocation.graph, &selected);
    let asked = runtime()?.block_on(async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let setup = setup(&invocation, false, &connected, world)?;
        super::signals::listen(setup.cancel.clone());
        let options = Options {
            command: "source freshness".to_owned(),
            threads: invocation.project.target.threads.max(1),
            fail_fast: false,
            target: connected.label.clone(),
        };
        let mut emit = |event: Event| reporter.event(&event);
        let asked = ask_sources(setup, &nodes, &options, &mut emit).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        Ok::<_, Failure>(asked)
    })?;
    reporter.finish();
    let sources = Sources {
        metadata: Metadata::new(SCHEMA, &invocation.run_id),
        results: asked.iter().map(|s| result(&invocation.graph, s)).collect(),
        elapsed_time: start.elapsed().as_secs_f64(),
    };
    let path = output_path(&invocation, args);
    artifact::write(&path, &sources).map_err(|error| {
        let hint = "make the folder writable, or give another file with --output";
        Failure::message(codes::TARGET_UNWRITABLE, error.to_string(), hint)
    })?;
    let stale = |s: &AskedSource| !s.answer.as_ref().is_ok_and(|f| f.status.is_ok());
    Ok(match asked.iter().any(stale) {
        true => EXIT_NODE_FAILED,
        false => EXIT_OK,
    })
}

/// `--output`, from where the user stands, else `sources.json` in the target folder.
fn output_path(invocation: &Invocation, args: &FreshnessArgs) -> PathBuf {
    match &args.output {
        Some(path) => path.clone(),
        None => invocation
            .root()
            .join(&invocation.target_path)
            .join("sources.json"),
    }
}

fn result(graph: &Graph, source: &AskedSource) -> SourceResult {
    let unique_id = graph.node(source.node).id.clone();
    match &source.answer {
        Err(problem) => SourceResult::Failed {
            unique_id,
            error: Some(problem.message.clone()),
            status: "runtime error".to_owned(),
        },
        Ok(freshness) => {
            let end = jiff::Timestamp::now();
            let begin = end.checked_sub(source.elapsed).unwrap_or(end);
            SourceResult::Asked(Box::new(SourceAsked {
                unique_id,
                max_loaded_at: format!("{:.6}", freshness.max_loaded_at),
                snapshotted_at: format!("{:.6}", freshness.snapshotted_at),
                max_loaded_at_time_ago_in_s: freshness.age,
                status: match freshness.status {
                    Status::Pass => "pass",
                    Status::Warn => "warn",
                    _ => "error",
                }
                .to_owned(),
                criteria: freshness.criteria.json(),
                adapter_response: serde_json::Map::new(),
                timing: vec![Timing {
                    name: "execute".to_owned(),
                    started_at: Some(format!("{begin:.6}")),
                    completed_at: Some(format!("{end:.6}")),
                }],
                thread_id: "Thread-1".to_owned(),
                execution_time: source.elapsed.as_secs_f64(),
            }))
        }
    }
}

/// The nodes of a build with the sources that gate it: as a gate, every source with a freshness
/// that a selected node reads, directly or through ephemeral models; else none.
pub(super) fn gates(invocation: &Invocation, selected: Vec<NodeIx>, asked: bool) -> Vec<NodeIx> {
    let graph = &invocation.graph;
    let is_source = |ix: &NodeIx| graph.node(*ix).kind == ResourceKind::Source;
    let flags = &invocation.project.root_package().file.flags;
    let by_project = flags.get("source_freshness_gate").and_then(|v| v.as_bool());
    let mut nodes: Vec<NodeIx> = selected;
    if !asked && by_project != Some(true) {
        nodes.retain(|ix| !is_source(ix));
        return nodes;
    }
    let mut stack: Vec<NodeIx> = nodes.clone();
    let mut read: Vec<NodeIx> = Vec::new();
    while let Some(ix) = stack.pop() {
        let node = graph.node(ix);
        if node.is_test() {
            continue;
        }
        for parent in &node.parents {
            if is_source(parent) {
                read.push(*parent);
            } else if graph.node(*parent).is_ephemeral() {
                stack.push(*parent);
            }
        }
    }
    read.extend(nodes.iter().copied().filter(is_source));
    nodes.retain(|ix| !is_source(ix));
    nodes.extend(with_freshness(graph, &read));
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}
