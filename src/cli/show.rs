//! `show`: a query's first rows on stdout.

use super::args::{Global, ShowArgs};
use super::failure::Failure;
use super::{EXIT_OK, World};

/// Runs the command.
pub(super) fn run(_: &Global, _: &ShowArgs, _: &mut World) -> Result<u8, Failure> {
    Ok(EXIT_OK)
}
