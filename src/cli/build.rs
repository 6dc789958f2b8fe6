//! `build`, `run`, `test`, `seed`, `snapshot`: select, plan, run, report.

use std::collections::HashMap;
use std::path::PathBuf;

use super::args::{Global, RunArgs};
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::recorded::record;
use super::{
    EXIT_NODE_FAILED, EXIT_OK, World, logging, manifest, publish_mode, retry, signals, target,
};
use crate::artifact;
use crate::artifact::run_results::RunResults;
use crate::event::{Event, RunRecord};
use crate::names::NodeId;
use crate::plan::{Plan, PlanOptions, Work};
use crate::report::run_results::{RunResultsFile, RunResultsOptions};
use crate::report::{Reporter, Reporters};
use crate::run::{Cancel, Options, Runner, Setup};

/// The command's word.
fn word(work: Work) -> &'static str {
    match work {
        Work::Build => "build",
        Work::Run => "run",
        Work::Test => "test",
        Work::Seed => "seed",
        Work::Snapshot => "snapshot",
    }
}

/// Runs the command.
pub(super) fn run(
    global: &Global,
    args: &RunArgs,
    work: Work,
    world: &mut World,
) -> Result<u8, Failure> {
    let invocation = Invocation::load(global, word(work), args.full_refresh, world)?;
    logging::start(global, invocation.root());
    let mut reporter = recording(global, args, &invocation, word(work), world);
    invocation.tell_warnings(&mut *reporter, world.stderr_style.color);
    let runtime = runtime()?;
    let run = async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let record = execute(&invocation, args, work, &connected, &mut *reporter, world).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        record
    };
    let record = manifest::beside(&invocation, || runtime.block_on(run))?;
    reporter.finish();
    Ok(if record.is_ok() {
        EXIT_OK
    } else {
        EXIT_NODE_FAILED
    })
}

/// The screen, and `run_results.json` beside it.
pub(super) fn recording(
    global: &Global,
    args: &RunArgs,
    invocation: &Invocation,
    command: &str,
    world: &World,
) -> Box<dyn Reporter> {
    let options = RunResultsOptions {
        root: invocation.root().to_owned(),
        path: run_results_path(invocation),
        args: record(global, args, command, invocation),
    };
    let file = RunResultsFile::new(options, |error| tracing::warn!(%error, "run results"));
    Box::new(
        Reporters::default()
            .with(reporter(global, world))
            .with(file),
    )
}

fn run_results_path(invocation: &Invocation) -> PathBuf {
    invocation
        .root()
        .join(&invocation.target_path)
        .join("run_results.json")
}

/// How long nodes took in the last run, for the order of this one.
fn past_seconds(invocation: &Invocation) -> HashMap<NodeId, f64> {
    let results = artifact::read::<RunResults>(&run_results_path(invocation));
    let results = results.map(|r| r.results).unwrap_or_default();
    results
        .into_iter()
        .map(|r| (r.unique_id, r.execution_time))
        .collect()
}

/// Plans and runs on a connected target.
pub(super) async fn execute(
    invocation: &Invocation,
    args: &RunArgs,
    work: Work,
    connected: &target::Connected,
    reporter: &mut dyn Reporter,
    world: &World,
) -> Result<RunRecord, Failure> {
    let selected = match &args.only {
        Some(ids) => retry::selected(invocation, ids, work, reporter),
        None => invocation.select(&args.select, reporter, world.stderr_style.color)?,
    };
    let past = past_seconds(invocation);
    let modes = publish_mode::Modes::new(invocation, args, work)?;
    let plan = Plan::new(
        &invocation.graph,
        &selected,
        &PlanOptions {
            work,
            mode: &|ix| modes.of(invocation.graph.node(ix)),
            seconds: &|ix| past.get(&invocation.graph.node(ix).id).copied(),
        },
    );
    modes.check_audit(invocation, &plan)?;
    let threads = invocation.project.target.threads.max(1);
    let mut setup = setup(invocation, args.full_refresh, connected, world)?;
    setup.no_wait = args.no_wait;
    setup.dry_run = args.dry_run;
    signals::listen(setup.cancel.clone());
    let options = Options {
        command: word(work).to_owned(),
        threads,
        fail_fast: args.fail_fast,
        target: connected.label.clone(),
    };
    let mut emit = |event: Event| reporter.event(&event);
    Runner::run(setup, &plan, &options, &mut emit)
        .await
        .map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))
}

/// What a run on a connected target needs.
pub(super) fn setup(
    invocation: &Invocation,
    full_refresh: bool,
    connected: &target::Connected,
    world: &World,
) -> Result<Setup, Failure> {
    let threads = invocation.project.target.threads.max(1);
    let root = invocation.project.root_package();
    Ok(Setup {
        graph: std::sync::Arc::clone(&invocation.graph),
        engine: invocation.engine.clone(),
        sources: invocation.sources().clone(),
        pool: connected.pool(threads)?,
        project_root: invocation.root().to_owned(),
        target_path: invocation.target_path.clone(),
        run_id: invocation.run_id.clone(),
        full_refresh,
        strict_seeds: root.file.is_marts,
        color: world.stderr_style.color,
        project_name: root.name.clone(),
        on_run_start: root.file.on_run_start.clone(),
        on_run_end: root.file.on_run_end.clone(),
        no_wait: false,
        dry_run: false,
        cancel: Cancel::default(),
    })
}

/// The async runtime of a command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::message(
                crate::diag::codes::SYSTEM,
                format!("the async runtime does not start: {error}"),
                "check this machine's limits on threads and open files",
            )
        })
}
