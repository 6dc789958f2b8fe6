//! `ls`: the selected nodes on stdout.

use std::io::Write;

use super::args::{Global, LsArgs};
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::{EXIT_OK, World};

/// Runs the command.
pub(super) fn run(global: &Global, args: &LsArgs, world: &mut World) -> Result<u8, Failure> {
    let invocation = Invocation::load(global, "list", false, world)?;
    let mut reporter = reporter(global, world);
    let color = world.stderr_style.color;
    for ix in invocation.select(&args.select, &mut *reporter, color)? {
        let node = invocation.graph.node(ix);
        let _ = writeln!(world.stdout, "{}", node.fqn.join("."));
    }
    Ok(EXIT_OK)
}
