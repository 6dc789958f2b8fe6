//! `demo`.

use clap::Args;

use super::args::Global;
use super::failure::Failure;
use super::{EXIT_OK, World};

/// `demo`.
#[derive(Args, Clone, Debug, Default)]
pub struct DemoArgs {}

/// Runs the command.
pub(super) fn run(_: &Global, _: &DemoArgs, _: &mut World) -> Result<u8, Failure> {
    Ok(EXIT_OK)
}
