//! `clone`: nodes of the target as views of what another target has, by its manifest.
//!
//! Postgres cannot copy a table without its rows, so a clone is a view in every case, as in dbt.
//! What exists already is left alone, unless `--full-refresh` asks to make it anew.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::args::{Global, RunArgs};
use super::build::{exit_code, runtime, setup};
use super::failure::Failure;
use super::invocation::Invocation;
use super::recording::Recording;
use super::target::{self, Connected};
use super::{World, deferral, logging};
use crate::event::{Event, Outcome, RunRecord, Status};
use crate::graph::NodeIx;
use crate::names::Relation;
use crate::plan::{Mode, Plan, PlanOptions, Work};
use crate::report::Reporter;
use crate::run::{Options, Runner};

/// Runs the command.
pub(super) fn run(global: &Global, args: &RunArgs, world: &mut World) -> Result<u8, Failure> {
    let folder = deferral::folder(args)?;
    let mut recording = Recording::open(global, &args.report, world)?;
    let ended = record(global, args, folder, &mut recording, world);
    recording.close(ended)
}

fn record(
    global: &Global,
    args: &RunArgs,
    folder: &Path,
    recording: &mut Recording,
    world: &mut World,
) -> Result<u8, Failure> {
    let mut invocation = Invocation::load(global, "clone", args.full_refresh, world)?;
    logging::start(global, invocation.root());
    recording.know(
        &invocation,
        super::recorded::record(global, args, "clone", &invocation),
    );
    let reporter = recording.reporter();
    invocation.tell_warnings(reporter, world.stderr_style.color);
    let manifest = deferral::manifest(&invocation, folder, reporter)?;
    let selected = invocation.select(&args.select, reporter, world.stderr_style.color)?;
    let over: HashMap<NodeIx, Relation> = selected
        .iter()
        .filter_map(|ix| Some((*ix, deferral::original(&invocation, *ix, &manifest)?)))
        .collect();
    let graph = invocation.graph.cloned_over(&over, invocation.sources());
    invocation.graph = Arc::new(graph);
    let nodes: Vec<NodeIx> = selected
        .into_iter()
        .filter(|ix| over.contains_key(ix))
        .collect();
    invocation.tell_selected(nodes.iter());
    let record = runtime()?.block_on(async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let how = (args.full_refresh, &connected);
        let record = clone_all(&invocation, &nodes, how, reporter, world).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        record
    })?;
    Ok(exit_code(&record))
}

async fn clone_all(
    invocation: &Invocation,
    nodes: &[NodeIx],
    (anew, connected): (bool, &Connected),
    reporter: &mut dyn Reporter,
    world: &World,
) -> Result<RunRecord, Failure> {
    let there = match anew {
        true => HashSet::new(),
        false => deferral::existing(invocation, nodes, connected).await?,
    };
    let (kept, made): (Vec<NodeIx>, Vec<NodeIx>) = nodes.iter().partition(|ix| there.contains(*ix));
    let plan = Plan::new(
        &invocation.graph,
        &made,
        &PlanOptions {
            work: Work::Run,
            mode: &|_| Mode::Immediate,
            seconds: &|_| None,
        },
    );
    let mut setup = setup(invocation, anew, connected, world)?;
    setup.runs_hooks = false;
    let options = Options {
        command: "clone".to_owned(),
        threads: invocation.project.target.threads.max(1),
        fail_fast: false,
        target: connected.label.clone(),
    };
    let mut emit = |event: Event| {
        reporter.event(&event);
        if matches!(event, Event::RunStarted { .. }) {
            for (at, ix) in kept.iter().enumerate() {
                reporter.event(&left_alone(invocation, *ix, at + 1));
            }
        }
    };
    Runner::run(setup, &plan, &options, &mut emit)
        .await
        .map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))
}

fn left_alone(invocation: &Invocation, ix: NodeIx, index: usize) -> Event {
    let node = invocation.graph.node(ix);
    let label = node.relation.as_ref().map(ToString::to_string);
    Event::NodeFinished {
        node: node.id.clone(),
        kind: "clone".to_owned(),
        label: label.clone().unwrap_or_default(),
        index,
        outcome: Outcome {
            message: Some("No-op".to_owned()),
            relation: label,
            ..Outcome::new(Status::Success)
        },
    }
}
