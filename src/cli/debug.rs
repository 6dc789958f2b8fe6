//! `debug`: does the project read, does the profile, does the target answer?
//!
//! Each check is told with its finding, and one that fails makes the exit code 1. The sentences
//! are dbt's where scripts of its users look for them.

use std::io::Write;

use clap::Args;

use super::args::Global;
use super::build::runtime;
use super::failure::Failure;
use super::invocation::read;
use super::{EXIT_NODE_FAILED, EXIT_OK, World, target};
use crate::diag::codes;
use crate::project::Project;

/// `debug`.
#[derive(Args, Clone, Debug, Default)]
pub struct DebugArgs {
    /// Check the profile and the connection only
    #[arg(long)]
    pub connection: bool,
    /// Say where profiles.yml is looked for, and check nothing
    #[arg(long)]
    pub config_dir: bool,
}

/// Checks one thing after the other and says how each went.
pub(super) fn run(global: &Global, args: &DebugArgs, world: &mut World) -> Result<u8, Failure> {
    if args.config_dir {
        let dir = global.profiles_dir.clone();
        let dir = dir.unwrap_or_else(|| super::invocation::project_dir(global));
        let _ = writeln!(
            world.stdout,
            "profiles.yml is looked for in {}",
            dir.display()
        );
        return Ok(EXIT_OK);
    }
    say(world, "marts", env!("CARGO_PKG_VERSION"));
    let project = match read(global, world) {
        Ok((project, _)) => project,
        Err(failure) => return Ok(unreadable(&failure, world)),
    };
    if args.connection {
        let _ = writeln!(
            world.stdout,
            "Skipping steps before connection verification"
        );
    } else {
        let name = &project.root_package().name;
        let found = format!("OK found and valid: {name} in {}", project.root.display());
        say(world, "project file", &found);
        let chosen = &project.target;
        let found = format!("OK: {}, target {}", chosen.profile, chosen.name);
        say(world, "profile", &found);
    }
    let _ = world.stdout.flush();
    match connect(global, &project, world) {
        Ok((label, version)) => {
            say(world, "server", &label);
            say(world, "connection", &format!("OK: {version}"));
            let _ = writeln!(world.stdout, "All checks passed!");
            Ok(EXIT_OK)
        }
        Err(failure) => {
            say(world, "connection", "ERROR");
            Ok(failed(&failure, world))
        }
    }
}

fn say(world: &mut World, what: &str, how: &str) {
    let _ = writeln!(world.stdout, "{what:<12} {how}");
}

/// The project or its profile cannot be read.
fn unreadable(failure: &Failure, world: &mut World) -> u8 {
    let of_profile = [
        codes::PROFILE_NOT_FOUND,
        codes::PROFILES_MISSING,
        codes::TARGET_NOT_FOUND,
        codes::TARGET_NOT_POSTGRES,
    ];
    let is_profile = |code| of_profile.contains(&code);
    let first = failure.diagnostics().first();
    if let Some(problem) = first.filter(|problem| is_profile(problem.code)) {
        say(world, "profile", "ERROR invalid");
        let reason = "Profile loading failed for the following reason:";
        let _ = writeln!(world.stdout, "{reason} {}", problem.message);
    } else {
        say(world, "project file", "ERROR invalid");
    }
    failed(failure, world)
}

/// Tells what is wrong; the exit code.
fn failed(failure: &Failure, world: &mut World) -> u8 {
    let _ = writeln!(world.stdout, "1 check failed");
    let _ = world.stdout.flush();
    failure.tell(&mut std::io::stderr().lock(), world.stderr_style.color);
    EXIT_NODE_FAILED
}

/// Connects and asks who and what is there: the target's label, and the server's words.
fn connect(global: &Global, project: &Project, world: &World) -> Result<(String, String), Failure> {
    runtime()?.block_on(async {
        let connected = target::connect(global, project, world).await?;
        let pool = connected.pool(1)?;
        let failed = |e: crate::pg::PgError| Failure::from(e.diagnostic(None));
        if connected.server.is_none() {
            pool.check_sessions_are_kept().await.map_err(failed)?;
        }
        let connection = pool.get().await.map_err(failed)?;
        let rows = connection
            .query("select version(), current_user")
            .await
            .map_err(failed)?;
        let cell = |at: usize| {
            let row = rows.rows.first();
            row.and_then(|r| r[at].clone()).unwrap_or_default()
        };
        let version = format!("{} as {}", cell(0), cell(1));
        let label = connected.label.clone();
        drop(connection);
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        Ok((label, version))
    })
}
