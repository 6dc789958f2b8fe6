//! `deps`: sees that the packages of `packages.yml` and `dependencies.yml` are there.
//!
//! Local packages are used where they lie, and what lies in the install folder is used as it
//! is. marts fetches nothing from a network yet; what is missing is named with what to do.

use clap::Args;

use super::args::Global;
use super::failure::Failure;
use super::invocation::{read, reporter};
use super::{EXIT_OK, World};
use crate::diag::codes;
use crate::event::Event;
use crate::report::format::count;

/// `deps`.
#[derive(Args, Clone, Debug, Default)]
pub struct DepsArgs {
    /// Fetch newer versions, of which there are none to fetch
    #[arg(long, hide = true)]
    pub upgrade: bool,
    /// Write the lock file only
    #[arg(long, hide = true)]
    pub lock: bool,
}

/// Runs the command.
pub(super) fn run(global: &Global, _: &DepsArgs, world: &mut World) -> Result<u8, Failure> {
    let (project, _) = read(global, world).map_err(not_fetched)?;
    let mut reporter = reporter(global, world);
    let packages = project.packages.len().saturating_sub(1);
    let message = match packages {
        0 => "the project has no packages".to_owned(),
        _ => format!("{} installed", count(packages as u64, "package")),
    };
    reporter.event(&Event::Logged { message });
    reporter.finish();
    Ok(EXIT_OK)
}

/// Elsewhere the advice for a missing package is this command.
fn not_fetched(mut failure: Failure) -> Failure {
    for problem in failure.diagnostics_mut() {
        if problem.code == codes::PACKAGE_MISSING {
            problem.hint = Some(
                "marts does not fetch packages: put its folder there, for example with \
                 `git clone`, or list it as `- local: path`"
                    .to_owned(),
            );
        }
    }
    failure
}
