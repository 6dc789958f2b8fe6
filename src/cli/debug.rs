//! `debug`: does the project read, does the target answer?

use std::io::Write;

use super::args::Global;
use super::build::runtime;
use super::failure::Failure;
use super::invocation::read;
use super::{EXIT_OK, World, target};

/// Checks one thing after the other and says how each went.
pub(super) fn run(global: &Global, world: &mut World) -> Result<u8, Failure> {
    let (project, _) = read(global, world)?;
    let say = |out: &mut dyn Write, what: &str, how: &str| {
        let _ = writeln!(out, "{what:<12} {how}");
    };
    let out = &mut *world.stdout;
    say(out, "marts", env!("CARGO_PKG_VERSION"));
    say(
        out,
        "project",
        &format!(
            "{} in {}",
            project.root_package().name,
            project.root.display()
        ),
    );
    let chosen = &project.target;
    say(
        out,
        "profile",
        &format!("{}, target {}", chosen.profile, chosen.name),
    );
    let _ = world.stdout.flush();
    let runtime = runtime()?;
    let (label, version) = runtime.block_on(async {
        let connected = target::connect(global, &project, world).await?;
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
            rows.rows
                .first()
                .and_then(|r| r[at].clone())
                .unwrap_or_default()
        };
        let version = format!("{} as {}", cell(0), cell(1));
        let label = connected.label.clone();
        drop(connection);
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        Ok::<_, Failure>((label, version))
    })?;
    let out = &mut *world.stdout;
    say(out, "server", &label);
    say(out, "connection", &version);
    Ok(EXIT_OK)
}
