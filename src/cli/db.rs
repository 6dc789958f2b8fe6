//! `db`.

use clap::Args;

use super::args::Global;
use super::failure::Failure;
use super::{EXIT_OK, World};

/// `db`.
#[derive(Args, Clone, Debug, Default)]
pub struct DbArgs {}

/// Runs the command.
pub(super) fn run(_: &Global, _: &DbArgs, _: &mut World) -> Result<u8, Failure> {
    Ok(EXIT_OK)
}
