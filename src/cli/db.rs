//! `marts db start|stop|status|url|psql`: the project's private server by hand.
//! Data goes to `out`, words to `err`; the value is the exit code.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::{Args, Subcommand};

use super::World;
use super::args::Global;
use super::build::runtime;
use super::failure::Failure;
use super::invocation::{project_dir, read};
use crate::diag::{Diagnostic, codes};
use crate::pg::ConnectConfig;
use crate::pg::server::{self, Options, Running, Status};

/// `db`.
#[derive(Args, Clone, Debug)]
pub struct DbArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DbCommand,
}

/// What to do with the private server.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum DbCommand {
    /// Start it and keep it after this command and all others.
    Start,
    /// Stop it, whoever uses it.
    Stop,
    /// Say whether it runs and where; exit code 1 if it does not.
    Status,
    /// Print its URL.
    Url,
    /// Open psql with these arguments; starts the server for as long if need be.
    Psql {
        /// Arguments for psql, after `--`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

/// Runs the command for the project's folder; needs no readable project.
pub(super) fn main(global: &Global, args: &DbArgs, world: &mut World) -> Result<u8, Failure> {
    let dbname = read(global, world).ok().and_then(|(project, _)| {
        ConnectConfig::from_profile(&project.target.output)
            .ok()
            .map(|config| config.dbname)
    });
    let tell = |text: &str| {
        let _ = writeln!(io::stderr(), "{text}");
    };
    let options = Options {
        tell: std::sync::Arc::new(tell),
        ..Options::new(
            project_dir(global),
            dbname.unwrap_or_else(|| server::DEFAULT_DATABASE.to_owned()),
        )
    }
    .with_env(&|name| world.env.get(name).cloned());
    let streams = Streams {
        out: &mut *world.stdout,
        err: &mut io::stderr(),
    };
    runtime()?
        .block_on(run(args.command.clone(), options, streams))
        .map_err(Failure::from)
}

/// Where the command writes.
struct Streams<'a> {
    /// Data.
    out: &'a mut dyn Write,
    /// Everything else.
    err: &'a mut dyn Write,
}

/// Runs the command; its exit code.
async fn run(command: DbCommand, options: Options, streams: Streams<'_>) -> Result<u8, Diagnostic> {
    match command {
        DbCommand::Start => start(options, streams).await,
        DbCommand::Stop => stop(options, streams).await,
        DbCommand::Status => status(&options, streams),
        DbCommand::Url => url(&options, streams),
        DbCommand::Psql { args } => psql(options, args).await,
    }
}

async fn start(options: Options, streams: Streams<'_>) -> Result<u8, Diagnostic> {
    let options = Options {
        keep: true,
        ..options
    };
    let running = ensure(options).await?;
    let how = match running.is_started_here() {
        true => "started",
        false => "kept running",
    };
    say(
        streams.err,
        &format!("The private server is {how}; `marts db stop` stops it."),
    )?;
    say(streams.out, &running.url())?;
    leave(running).await;
    Ok(0)
}

async fn stop(options: Options, streams: Streams<'_>) -> Result<u8, Diagnostic> {
    let stopped = tokio::task::spawn_blocking(move || server::stop(&options))
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        .map_err(|error| error.diagnostic())?;
    let words = match stopped {
        true => "The private server is stopped.",
        false => "The private server was not running.",
    };
    say(streams.err, words)?;
    Ok(0)
}

fn status(options: &Options, streams: Streams<'_>) -> Result<u8, Diagnostic> {
    let status = server::status(options).map_err(|error| error.diagnostic())?;
    let state = match (&status.pid, status.is_kept) {
        (Some(pid), true) => format!("running, pid {pid}, until `marts db stop`"),
        (Some(pid), false) => format!("running, pid {pid}, until its last user ends"),
        (None, _) => "not running".to_owned(),
    };
    say(streams.out, &format!("state  {state}"))?;
    say(streams.out, &format!("data   {}", data(&status)))?;
    say(streams.out, &format!("log    {}", status.log.display()))?;
    say(streams.out, &format!("url    {}", status.url))?;
    Ok(u8::from(status.pid.is_none()))
}

fn data(status: &Status) -> String {
    match status.major {
        Some(major) => format!("{} (PostgreSQL {major})", status.data.display()),
        None => format!("{} (not made yet)", status.data.display()),
    }
}

fn url(options: &Options, streams: Streams<'_>) -> Result<u8, Diagnostic> {
    let status = server::status(options).map_err(|error| error.diagnostic())?;
    say(streams.out, &status.url)?;
    if status.pid.is_some() {
        return Ok(0);
    }
    say(
        streams.err,
        "The private server is not running; `marts db start` starts it.",
    )?;
    Ok(1)
}

async fn psql(options: Options, args: Vec<String>) -> Result<u8, Diagnostic> {
    let running = ensure(options).await?;
    // Ctrl-C is for psql. Listening, also without reading, keeps it from ending us.
    let _interrupts = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt());
    let mut command = Command::new(running.program("psql").unwrap_or(PathBuf::from("psql")));
    command
        .arg(running.url())
        .args(args)
        .stdin(Stdio::inherit());
    let ended = tokio::task::spawn_blocking(move || command.status())
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    leave(running).await;
    match ended {
        Ok(status) => Ok(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Diagnostic::error(
            codes::DB_SERVER_MISSING,
            "psql is not installed here",
        )
        .hint("install the PostgreSQL client, or give `marts db url` to another program")),
        Err(error) => Err(Diagnostic::error(
            codes::DB_SERVER_FAILED,
            format!("psql does not start: {error}"),
        )
        .hint("set MARTS_PG_BIN to a folder with a working psql")),
    }
}

async fn ensure(options: Options) -> Result<Running, Diagnostic> {
    server::ensure(options)
        .await
        .map_err(|error| error.diagnostic())
}

/// Ends a use of the server, which may wait for it to stop.
async fn leave(running: Running) {
    let _ = tokio::task::spawn_blocking(move || drop(running)).await;
}

/// A closed pipe is the reader's choice and no error.
fn say(to: &mut dyn Write, line: &str) -> Result<(), Diagnostic> {
    match writeln!(to, "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Diagnostic::error(
            codes::DB_SERVER_FAILED,
            format!("cannot write the answer: {error}"),
        )
        .hint("check where the output goes")),
        _ => Ok(()),
    }
}
