//! Arguments to work: parses the command line, wires the stages, chooses reporters, turns
//! what happened into an exit code. One file per command.
//!
//! Data goes to stdout, all else to stderr.

pub mod args;
mod audit;
mod build;
mod clone;
mod compile;
mod compiled_results;
mod db;
mod dbt_flags;
mod debug;
mod deferral;
mod demo;
mod deps;
mod docs;
mod env_flags;
mod failure;
mod generate;
mod git;
mod ingest;
pub mod init;
mod invocation;
mod logging;
mod ls;
mod maintenance;
mod manifest;
mod publish_mode;
mod recorded;
mod recording;
mod retry;
mod run_operation;
mod sample;
mod show;
mod signals;
mod source;
mod state;
mod target;
mod warn_errors;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use indexmap::IndexMap;

pub use failure::Failure;

use crate::plan::Work;
use args::{Cli, Command};

/// Exit code 0: all well.
pub const EXIT_OK: u8 = 0;
/// Exit code 1: a node or test failed.
pub const EXIT_NODE_FAILED: u8 = 1;
/// Exit code 2: wrong usage, a wrong project, or an error beside the nodes.
pub const EXIT_ERROR: u8 = 2;

/// The outside world of an invocation.
pub struct World {
    /// The environment, as read once at start.
    pub env: Arc<IndexMap<String, String>>,
    /// Where data goes.
    pub stdout: Box<dyn Write + Send>,
    /// How the end of stderr looks.
    pub surroundings: crate::report::style::Surroundings,
    /// How the end of stdout looks.
    pub stdout_style: crate::report::Style,
    /// How the end of stderr looks.
    pub stderr_style: crate::report::Style,
}

/// The whole program: arguments to exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match env_flags::parse(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                EXIT_ERROR
            } else {
                EXIT_OK
            });
        }
    };
    let mut world = World::real(&cli.global);
    let code = match run(&cli, &mut world) {
        Ok(code) => code,
        Err(failure) => {
            if !failure.is_told() {
                failure.tell(&mut std::io::stderr().lock(), world.stderr_style.color);
            }
            failure.exit_code()
        }
    };
    let _ = world.stdout.flush();
    ExitCode::from(code)
}

impl World {
    fn real(global: &args::Global) -> Self {
        use crate::report::style::{Style, Surroundings};
        let mut env: IndexMap<String, String> = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        env_flags::both_forms(&mut env);
        let surroundings = Surroundings::read(global.no_use_colors, |name| env.get(name).cloned());
        Self {
            surroundings,
            stdout_style: Style::of(std::io::stdout(), surroundings),
            stderr_style: Style::of(std::io::stderr(), surroundings).quiet(global.quiet),
            stdout: Box::new(std::io::BufWriter::new(std::io::stdout())),
            env: Arc::new(env),
        }
    }
}

fn run(cli: &Cli, world: &mut World) -> Result<u8, Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Build(args) => build::run(global, args, Work::Build, world),
        Command::Diff(args) => {
            let args = args::RunArgs {
                dry_run: true,
                ..args.clone()
            };
            build::run(global, &args, Work::Build, world)
        }
        Command::Run(args) => build::run(global, args, Work::Run, world),
        Command::Test(args) => build::run(global, args, Work::Test, world),
        Command::Seed(args) => build::run(global, &args.run, Work::Seed, world),
        Command::Snapshot(args) => build::run(global, args, Work::Snapshot, world),
        Command::Retry(args) => retry::run(global, args, world),
        Command::Compile(args) => compile::run(global, args, world),
        Command::Parse => maintenance::parse(global, world),
        Command::Ls(args) => ls::run(global, args, world),
        Command::Show(args) => show::run(global, args, world),
        Command::RunOperation(args) => run_operation::run(global, args, world),
        Command::Deps(args) => deps::run(global, args, world),
        Command::Clone(args) => clone::run(global, args, world),
        Command::Docs(args) => docs::run(global, args, world),
        Command::Source(command) => source::run(global, command, world),
        Command::Debug(args) => debug::run(global, args, world),
        Command::Init(args) => init::run(global, args, world),
        Command::Clean => maintenance::clean(global, world),
        Command::Generate(args) => generate::run(global, args, world),
        Command::Ingest(args) => ingest::run(global, args, world),
        Command::Demo(args) => demo::run(global, args, world),
        Command::Audit(args) => audit::run(global, args, world),
        Command::Db(args) => db::main(global, args, world),
    }
}
