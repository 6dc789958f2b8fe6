//! `build`, `run`, `test`, `seed`, `snapshot`: select, plan, run, report.

use std::collections::HashMap;

use super::args::{Global, RunArgs};
use super::failure::Failure;
use super::invocation::{Flags, Invocation};
use super::recorded;
use super::recording::{Recording, run_results_path};
use super::{
    EXIT_NODE_FAILED, EXIT_OK, World, deferral, git, logging, manifest, publish_mode, retry,
    sample, signals, source, target,
};
use crate::artifact;
use crate::artifact::run_results::RunResults;
use crate::diag::codes;
use crate::event::{Event, RunRecord};
use crate::graph::microbatch::{self, Times};
use crate::jinja::Engine;
use crate::ledger;
use crate::names::NodeId;
use crate::plan::{Plan, PlanOptions, Work};
use crate::report::Reporter;
use crate::run::{Cancel, CommentSource, Options, Orphans, QueryComment, Runner, Setup};

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
    let mut recording = Recording::open(global, &args.report, world)?;
    let ended = record(global, args, work, &mut recording, world);
    recording.close(ended)
}

fn record(
    global: &Global,
    args: &RunArgs,
    work: Work,
    recording: &mut Recording,
    world: &mut World,
) -> Result<u8, Failure> {
    let flags = Flags {
        full_refresh: args.full_refresh,
        store_failures: args.store_failures,
        empty: args.empty,
    };
    let invocation = Invocation::load_with(global, word(work), flags, world)?;
    logging::start(global, invocation.root());
    recording.know(
        &invocation,
        recorded::record(global, args, word(work), &invocation),
    );
    let reporter = recording.reporter();
    invocation.tell_warnings(reporter, world.stderr_style.color);
    let runtime = runtime()?;
    let run = async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let record = execute(&invocation, args, work, &connected, reporter, world).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        record
    };
    let record = manifest::beside(&invocation, || runtime.block_on(run))?;
    Ok(exit_code(&record))
}

/// Of a run that went to its end.
pub(super) fn exit_code(record: &RunRecord) -> u8 {
    if record.is_ok() {
        EXIT_OK
    } else {
        EXIT_NODE_FAILED
    }
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
    let selected = source::gates(invocation, selected, args.freshness);
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
    invocation.tell_selected(
        selected
            .iter()
            .filter(|ix| work.covers(invocation.graph.node(**ix).kind)),
    );
    if work == Work::Build {
        invocation.tell_idle(&selected);
    }
    modes.check_audit(invocation, &plan)?;
    let own = publish_mode::own_materializations(invocation, &plan, &modes, args.dry_run)?;
    let between = publish_mode::views_between(invocation, &plan);
    for message in own.into_iter().chain(between) {
        let code = crate::diag::codes::PUBLISH_MODE.as_str().to_owned();
        reporter.event(&Event::Warned { code, message });
    }
    let threads = invocation.project.target.threads.max(1);
    let mut setup = setup(invocation, args.full_refresh, connected, world)?;
    setup.no_wait = args.no_wait;
    setup.dry_run = args.dry_run;
    setup.compare_rows = args.rows;
    setup.store_failures = args.store_failures;
    setup.empty = args.empty;
    setup.batches = args.batches.iter().cloned().collect();
    setup.times = times(args, &invocation.engine)?;
    if let Some(text) = &args.sample {
        let window = sample::window(text, setup.times.now)?;
        (setup.times.start, setup.times.end) = (Some(window.start), Some(window.end));
        setup.sample = Some(window);
    }
    setup.warnings_fail = invocation.policy.nodes();
    setup.deferred = deferral::deferred(invocation, args, &selected, connected, reporter).await?;
    setup.orphans = orphans(invocation, args, work);
    // A dry run leaves nothing behind.
    setup.ledger = (!args.dry_run).then(|| ledger(invocation, work)).flatten();
    // A test whose failures are kept writes them with its own SQL.
    setup.fuse = !args.no_fuse && !args.store_failures;
    signals::listen(setup.cancel.clone());
    let options = Options {
        command: word(work).to_owned(),
        threads,
        fail_fast: args.fail_fast
            || !args.no_fail_fast && invocation.flag("fail_fast") == Some(&true.into()),
        target: connected.label.clone(),
    };
    let mut emit = |event: Event| reporter.event(&event);
    Runner::run(setup, &plan, &options, &mut emit)
        .await
        .map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))
}

/// What a command that publishes does about relations of removed models.
fn orphans(invocation: &Invocation, args: &RunArgs, work: Work) -> Option<Orphans> {
    let publishes = matches!(work, Work::Build | Work::Run);
    (publishes && (args.dry_run || args.drop_orphans)).then(|| Orphans {
        target: invocation.project.target.name.clone(),
        drop: args.drop_orphans && !args.dry_run,
    })
}

/// Whose run the ledger records; `None` where the project keeps none.
fn ledger(invocation: &Invocation, work: Work) -> Option<ledger::Origin> {
    let file = &invocation.project.root_package().file;
    if !file.ledger {
        return None;
    }
    let made = [invocation.target_path.as_str(), "logs", ".marts"];
    let state = git::state(invocation.root(), &made);
    Some(ledger::Origin {
        run_id: invocation.run_id.clone(),
        command: word(work).to_owned(),
        target: invocation.project.target.name.clone(),
        git_commit: state.commit,
        git_dirty: state.dirty,
    })
}

/// The time that microbatch models are built for.
fn times(args: &RunArgs, engine: &Engine) -> Result<Times, Failure> {
    let read = |flag: &str, text: Option<&String>| match text {
        None => Ok(None),
        Some(text) => match microbatch::moment(text) {
            Some(at) => Ok(Some(at)),
            None => Err(Failure::message(
                codes::CLI_USAGE,
                format!("{flag} is {text:?}, which is no date or time"),
                "write for example 2024-09-01 or 2024-09-01T12:00:00",
            )),
        },
    };
    let start = read("--event-time-start", args.event_time_start.as_ref())?;
    let end = read("--event-time-end", args.event_time_end.as_ref())?;
    if let (Some(start), Some(end)) = (start, end)
        && start >= end
    {
        return Err(Failure::message(
            codes::CLI_USAGE,
            "--event-time-start is not before --event-time-end",
            "exchange the two, or give a later end",
        ));
    }
    let now = microbatch::moment(engine.started_at());
    Ok(Times {
        start,
        end,
        now: now.unwrap_or_default(),
    })
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
    manifest::provide_graph(invocation);
    Ok(Setup {
        graph: std::sync::Arc::clone(&invocation.graph),
        engine: invocation.engine.clone(),
        sources: invocation.sources().clone(),
        pool: connected.pool(threads)?,
        project_root: invocation.root().to_owned(),
        target_path: invocation.target_path.clone(),
        run_id: invocation.run_id.clone(),
        full_refresh,
        fuse: true,
        strict_seeds: root.file.is_marts,
        color: world.stderr_style.color,
        project_name: root.name.clone(),
        runs_hooks: true,
        skip_after_failed_hook: match invocation.flag("skip_nodes_if_on_run_start_fails") {
            Some(flag) => flag.as_bool() == Some(true),
            // dbt goes on; a project of our own would rather not build on what is not prepared.
            None => root.file.is_marts,
        },
        no_wait: false,
        dry_run: false,
        compare_rows: false,
        empty: false,
        sample: None,
        deferred: HashMap::new(),
        store_failures: false,
        sensitive_columns: root
            .file
            .sensitive_columns
            .iter()
            .map(|pattern| pattern.value.clone())
            .collect(),
        query_comment: QueryComment::read(CommentSource {
            config: root.file.query_comment.as_ref(),
            file: root.file.file,
            is_marts: root.file.is_marts,
            profile: &invocation.project.target.profile,
            target: &invocation.project.target.name,
        }),
        ledger: None,
        warnings_fail: false,
        batches: HashMap::new(),
        times: times(&RunArgs::default(), &invocation.engine)?,
        orphans: None,
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
