//! From the chosen target to connections: the private server where the target says so.

use std::sync::Arc;

use super::World;
use super::args::Global;
use super::failure::Failure;
use super::invocation::project_dir;
use crate::pg::server::{self, Running};
use crate::pg::{ConnectConfig, Pool};
use crate::project::Project;

/// A server that answers, and how to connect to it.
pub(super) struct Connected {
    /// Keeps the private server alive.
    pub(super) server: Option<Running>,
    pub(super) config: ConnectConfig,
    /// For people: the target and where it is.
    pub(super) label: String,
}

impl Connected {
    /// A pool for so many threads and the run's own connections.
    pub(super) fn pool(&self, threads: usize) -> Result<Pool, Failure> {
        Pool::new(self.config.clone(), threads + 2).map_err(|e| e.diagnostic(None).into())
    }

    /// Ends the use of the private server; the last user stops it. Blocks.
    pub(super) fn close(self) {
        drop(self.server);
    }
}

/// Starts or finds the target's server.
pub(super) async fn connect(
    global: &Global,
    project: &Project,
    world: &World,
) -> Result<Connected, Failure> {
    let target = &project.target;
    let wanted = ConnectConfig::from_profile(&target.output).map_err(|e| e.diagnostic())?;
    if !wanted.is_embedded() {
        let label = format!("{} ({})", target.name, wanted.server_name());
        return Ok(Connected {
            server: None,
            config: wanted,
            label,
        });
    }
    let quiet = world.stderr_style.quiet;
    let options = server::Options {
        tell: Arc::new(move |text: &str| {
            if !quiet {
                tell(text);
            }
        }),
        ..server::Options::new(project_dir(global), wanted.dbname.clone())
    }
    .with_env(&|name| world.env.get(name).cloned());
    let running = server::ensure(options)
        .await
        .map_err(|error| error.diagnostic())?;
    let config = running.config(&wanted);
    let label = format!("{} (private server)", target.name);
    Ok(Connected {
        server: Some(running),
        config,
        label,
    })
}

fn tell(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}
