//! `run-operation`: one macro, called on the target.

use clap::Args;
use serde_json::{Map, Value as Json};

use super::args::Global;
use super::build::{runtime, setup};
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::recording::run_results_path;
use super::{EXIT_NODE_FAILED, EXIT_OK, World, logging, manifest, recorded, target};
use crate::artifact;
use crate::artifact::run_results::{NodeResult, ResultStatus, RunResults};
use crate::diag::{SourceMap, codes};
use crate::event::Event;
use crate::jinja::MacroInfo;
use crate::names::NodeId;
use crate::project;
use crate::run::call_operation;

/// `run-operation`.
#[derive(Args, Clone, Debug)]
pub struct OperationArgs {
    /// The macro: name or package.name
    #[arg(value_name = "MACRO")]
    pub name: String,
    /// Its arguments, as YAML: '{name: value}'
    #[arg(long, value_name = "YAML")]
    pub args: Option<String>,
}

/// Runs the command.
pub(super) fn run(global: &Global, args: &OperationArgs, world: &mut World) -> Result<u8, Failure> {
    let arguments = arguments(args)?;
    let invocation = Invocation::load(global, "run-operation", false, world)?;
    logging::start(global, invocation.root());
    let mut reporter = reporter(global, world);
    invocation.tell_warnings(&mut *reporter, world.stderr_style.color);
    let id = macro_id(&invocation, &args.name);
    let start = std::time::Instant::now();
    let work = async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let setup = setup(&invocation, false, &connected, world)?;
        let mut log = |message: String| reporter.event(&Event::Logged { message });
        let done = call_operation(setup, &args.name, arguments, &mut log).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        done.map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))
    };
    let runtime = runtime()?;
    let done: Result<(), Failure> = manifest::beside(&invocation, || runtime.block_on(work));
    reporter.finish();
    // What is no macro has no result; what failed while it ran is a failed node.
    let Some(id) = id else {
        return done.map(|()| EXIT_OK);
    };
    let args = recorded::operation(global, (&args.name, args.args.as_deref()), &invocation);
    write_result(&invocation, args, (id, done.is_ok()), start.elapsed())?;
    done.map_err(|failure| failure.with_code(EXIT_NODE_FAILED))
        .map(|()| EXIT_OK)
}

/// The unique id of the macro that a name means: its package's, the project's own, any other's.
fn macro_id(invocation: &Invocation, name: &str) -> Option<NodeId> {
    let root = &invocation.project.root_package().name;
    let (package, name) = match name.split_once('.') {
        Some((package, name)) => (Some(package), name),
        None => (None, name),
    };
    let macros = invocation.engine.macros();
    let of_name: Vec<&MacroInfo> = macros.iter().filter(|m| m.name == name).collect();
    let found = match package {
        Some(package) => of_name.iter().find(|m| m.package == package),
        None => of_name
            .iter()
            .find(|m| m.package == *root)
            .or(of_name.first()),
    };
    found.map(|m| NodeId::new(m.unique_id.clone()))
}

/// `run_results.json`, with the macro as the only node.
fn write_result(
    invocation: &Invocation,
    args: Map<String, Json>,
    (id, is_ok): (NodeId, bool),
    elapsed: std::time::Duration,
) -> Result<(), Failure> {
    let mut results = RunResults::new(&invocation.run_id);
    results.metadata.env = invocation.custom_env.clone();
    results.args = args;
    results.elapsed_time = elapsed.as_secs_f64();
    let status = match is_ok {
        true => ResultStatus::Success,
        false => ResultStatus::Error,
    };
    results.results.push(NodeResult {
        failures: Some(u64::from(!is_ok)),
        execution_time: elapsed.as_secs_f64(),
        thread_id: "MainThread".to_owned(),
        ..NodeResult::new(id, status)
    });
    artifact::write(&run_results_path(invocation), &results).map_err(|error| {
        let hint = "make the folder writable, or give another with --target-path";
        Failure::message(codes::TARGET_UNWRITABLE, error.to_string(), hint)
    })
}

fn arguments(args: &OperationArgs) -> Result<Map<String, Json>, Failure> {
    let Some(text) = &args.args else {
        return Ok(Map::new());
    };
    let sources = SourceMap::default();
    let parsed = project::parse_vars(text, &sources);
    let parsed = parsed.map_err(|wrong| Failure::new(vec![wrong], sources))?;
    Ok(parsed.into_iter().collect())
}
