//! `generate`: the synthetic company's raw data, into Postgres or CSV files.
//!
//! [`options`] turns arguments into a request, [`load`] and [`files`] write it, [`summary`] says
//! what came out. The history itself is [`crate::synth`].

mod files;
mod load;
mod options;
mod state;
mod summary;
mod table;

use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::Global;
use super::build::runtime;
use super::failure::Failure;
use super::invocation::read;
use super::target::{self, Connected};
use super::{EXIT_OK, World};
use crate::diag::codes;
use crate::pg::Pool;
use crate::project::Project;
use crate::synth::calibration::Tally;
use crate::synth::schema::{RAW, TABLES, TRUTH};
use crate::synth::{Block, Simulation};

pub(super) use options::{GenerateArgs, Request};

/// The schema that the company's rows go to, with the note of what was written.
const SCHEMA: &str = RAW;
/// All schemas that are written.
const SCHEMAS: [&str; 2] = [RAW, TRUTH];

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) rows: Vec<u64>,
    pub(super) bytes: u64,
    pub(super) tally: Tally,
}

impl Written {
    fn new() -> Self {
        Self {
            rows: vec![0; TABLES.len()],
            ..Self::default()
        }
    }

    fn count(&mut self, block: &Block) {
        for (all, part) in self.rows.iter_mut().zip(&block.rows) {
            *all += part;
        }
        self.bytes += block
            .tables
            .iter()
            .map(|bytes| bytes.len() as u64)
            .sum::<u64>();
        self.tally.merge(&block.tally);
    }
}

/// Runs the command.
pub(super) fn run(global: &Global, args: &GenerateArgs, world: &mut World) -> Result<u8, Failure> {
    let request = Request::new(args, global.threads)?;
    let started = Instant::now();
    let text = if let Some(dir) = &args.out {
        let written = to_files(&request, dir, world)?;
        summary::files(
            &request,
            &written,
            started.elapsed(),
            dir,
            world.stderr_style,
        )
    } else {
        let (project, _) = read(global, world)?;
        runtime()?.block_on(to_project(global, &project, &request, world))?
    };
    if !world.stderr_style.quiet {
        say(&text);
    }
    Ok(EXIT_OK)
}

pub(super) fn say(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn to_files(request: &Request, dir: &Path, world: &World) -> Result<Written, Failure> {
    let simulation = Simulation::new(request.config, request.window(None));
    let bar = progress(world, simulation.blocks() + 1);
    let written = files::write(&simulation, request.threads, dir, &bar);
    bar.finish_and_clear();
    written.map_err(|error| {
        Failure::message(
            codes::GENERATE_UNWRITABLE,
            format!("cannot write {}: {}", error.path.display(), error.source),
            "choose a folder with room that you may write, with --out",
        )
    })
}

async fn to_project(
    global: &Global,
    project: &Project,
    request: &Request,
    world: &World,
) -> Result<String, Failure> {
    let connected = target::connect(global, project, world).await?;
    let text = into_database(&connected, request, world).await;
    tokio::task::spawn_blocking(|| connected.close()).await.ok();
    text.map(|outcome| outcome.text)
}

/// What came out, and what that means for the models on it.
pub(super) struct Outcome {
    /// For people.
    pub(super) text: String,
    /// Another history was there, so that incremental models must be built anew.
    pub(super) replaces: bool,
}

/// Writes the history of a request into a database that answers, and says what came out.
pub(super) async fn into_database(
    connected: &Connected,
    request: &Request,
    world: &World,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let pool = Pool::new(connected.config.clone(), TABLES.len() + 1)
        .map_err(|error| Failure::from(error.diagnostic(None)))?;
    let bar = progress(world, 0);
    let done = load::load(&pool, request, bar.clone()).await;
    bar.finish_and_clear();
    pool.close();
    let loaded = done.map_err(|error| Failure::from(error.diagnostic()))?;
    let text = summary::database(
        request,
        &loaded,
        started.elapsed(),
        &connected.label,
        world.stderr_style,
    );
    let replaces = matches!(loaded.way, state::Way::Anew { replaces: true });
    Ok(Outcome { text, replaces })
}

/// A bar on a terminal that may move; elsewhere nothing.
fn progress(world: &World, blocks: usize) -> ProgressBar {
    let style = world.stderr_style;
    if style.width.is_none() || style.quiet || world.surroundings.still {
        return ProgressBar::hidden();
    }
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(blocks as u64), target);
    let template = "  {bar:16.█░░}  {percent:>3}%  {msg}";
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}
