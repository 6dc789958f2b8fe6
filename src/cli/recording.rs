//! What is told of a command, in all forms at once: the screen, `run_results.json` and the
//! reports of `--report`, which are written however the command ends.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json};

use super::World;
use super::args::{Global, LogFormat};
use super::failure::Failure;
use super::invocation::{Invocation, project_dir, reporter};
use crate::diag::{Diagnostic, codes};
use crate::report::files::Unwritten;
use crate::report::run_results::{RunResultsFile, RunResultsOptions};
use crate::report::{Forge, Lineage, Places, ReportFiles, Reporter, Reporters};

/// The reporters of one command.
pub(super) struct Recording {
    reporters: Reporters,
    lineage: Arc<Mutex<Lineage>>,
    unwritten: Unwritten,
    is_json: bool,
}

impl Recording {
    /// Opens the reports that were asked for, before anything else is done.
    pub(super) fn open(
        global: &Global,
        reports: &[String],
        world: &World,
    ) -> Result<Self, Failure> {
        let fail = |problems| Failure::new(problems, crate::diag::SourceMap::default());
        let files = ReportFiles::open(reports, forge(global, world)).map_err(fail)?;
        let (lineage, unwritten) = (files.lineage(), files.unwritten());
        let mut reporters = Reporters::default().with(reporter(global, world));
        if !files.is_empty() {
            reporters = reporters.with(files.begin());
        }
        Ok(Self {
            reporters,
            lineage,
            unwritten,
            is_json: global.log_format == LogFormat::Json,
        })
    }

    /// The project is known: its graph is told to the reports, and `run_results.json` begins
    /// with the arguments that `retry` reads.
    pub(super) fn know(&mut self, invocation: &Invocation, args: Map<String, Json>) {
        *self.lineage.lock().unwrap_or_else(PoisonError::into_inner) =
            Lineage::of(&invocation.graph);
        let options = RunResultsOptions {
            root: invocation.root().to_owned(),
            path: run_results_path(invocation),
            args,
            env: invocation.custom_env.clone(),
            idle: Arc::clone(&invocation.idle),
        };
        let unwritten = self.unwritten.clone();
        self.reporters
            .add(RunResultsFile::new(options, move |error| {
                unwritten.add(
                    Diagnostic::error(codes::TARGET_UNWRITABLE, error.to_string())
                        .hint("make the folder writable, or give another with --target-path"),
                );
            }));
    }

    /// What takes the events.
    pub(super) fn reporter(&mut self) -> &mut dyn Reporter {
        &mut self.reporters
    }

    /// The command has ended: tells why if it failed beside its nodes, and writes all reports. A
    /// report that cannot be written turns success into an error.
    pub(super) fn close(mut self, ended: Result<u8, Failure>) -> Result<u8, Failure> {
        let ended = ended.map_err(|failure| {
            for event in failure.events() {
                self.reporters.event(&event);
            }
            // As JSON the events have said it.
            failure.told(self.is_json)
        });
        self.reporters.finish();
        let unwritten = self.unwritten.take();
        if unwritten.is_empty() {
            return ended;
        }
        let failure = Failure::new(unwritten, crate::diag::SourceMap::default());
        match ended {
            Ok(super::EXIT_OK) => Err(failure),
            other => {
                failure.tell(&mut std::io::stderr().lock(), false);
                other
            }
        }
    }
}

/// Where the last run's results are.
pub(super) fn run_results_path(invocation: &Invocation) -> PathBuf {
    invocation
        .root()
        .join(&invocation.target_path)
        .join("run_results.json")
}

/// What the environment says of the job that runs this.
fn forge(global: &Global, world: &World) -> Forge {
    let var = |name: &str| world.env.get(name).filter(|v| !v.is_empty()).cloned();
    Forge {
        step_summary: var("GITHUB_STEP_SUMMARY").map(PathBuf::from),
        is_github: var("GITHUB_ACTIONS").as_deref() == Some("true"),
        places: Places::new(&project_dir(global), var),
    }
}
