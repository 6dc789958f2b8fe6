//! `run-operation`: one macro, called on the target.

use clap::Args;
use serde_json::{Map, Value as Json};

use super::args::Global;
use super::build::{runtime, setup};
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::{EXIT_OK, World, logging, manifest, target};
use crate::diag::SourceMap;
use crate::event::Event;
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
    let work = async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let setup = setup(&invocation, false, &connected, world)?;
        let mut log = |message: String| reporter.event(&Event::Logged { message });
        let done = call_operation(setup, &args.name, arguments, &mut log).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        done.map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))
    };
    let runtime = runtime()?;
    manifest::beside(&invocation, || runtime.block_on(work))?;
    reporter.finish();
    Ok(EXIT_OK)
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
