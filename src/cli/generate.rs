//! `generate`.

use clap::Args;

use super::args::Global;
use super::failure::Failure;
use super::{EXIT_OK, World};

/// `generate`.
#[derive(Args, Clone, Debug, Default)]
pub struct GenerateArgs {}

/// Runs the command.
pub(super) fn run(_: &Global, _: &GenerateArgs, _: &mut World) -> Result<u8, Failure> {
    Ok(EXIT_OK)
}
