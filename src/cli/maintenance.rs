//! `parse` and `clean`.

use std::collections::HashMap;
use std::path::{Component, Path};

use super::args::Global;
use super::failure::Failure;
use super::invocation::{Invocation, read, reporter};
use super::{EXIT_OK, World, manifest};
use crate::diag::codes;
use crate::event::Event;
use crate::report::format::count;

/// Reads and checks the project.
pub(super) fn parse(global: &Global, world: &mut World) -> Result<u8, Failure> {
    let invocation = Invocation::load(global, "parse", false, world)?;
    let mut reporter = reporter(global, world);
    invocation.tell_warnings(&mut *reporter, world.stderr_style.color);
    manifest::write(&invocation, &HashMap::new())?;
    let message = format!(
        "{}, no errors",
        count(invocation.graph.nodes().len() as u64, "node")
    );
    reporter.event(&Event::Logged { message });
    reporter.finish();
    invocation.leave();
    Ok(EXIT_OK)
}

/// Removes the clean-targets, which must lie inside the project.
pub(super) fn clean(global: &Global, world: &mut World) -> Result<u8, Failure> {
    let (project, _) = read(global, world)?;
    let mut reporter = reporter(global, world);
    for target in &project.root_package().file.clean_targets {
        let path = Path::new(target);
        let inside = path.components().all(|c| matches!(c, Component::Normal(_)));
        if !inside || path.components().next().is_none() {
            return Err(Failure::message(
                codes::CLI_USAGE,
                format!("clean-targets names `{target}`, which lies outside of the project"),
                "name folders of the project only",
            ));
        }
        let path = project.root.join(path);
        if !path.exists() {
            continue;
        }
        std::fs::remove_dir_all(&path).map_err(|error| {
            Failure::message(
                codes::TARGET_UNWRITABLE,
                format!("cannot remove {target}: {error}"),
                "check who owns it",
            )
        })?;
        reporter.event(&Event::Logged {
            message: format!("removed {target}"),
        });
    }
    reporter.finish();
    Ok(EXIT_OK)
}
