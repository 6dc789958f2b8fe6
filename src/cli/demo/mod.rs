//! `demo`: the private server, a company's raw history, seeds, models, tests and the key
//! figures, in one go. A second demo continues: history that is there is not written again.

use std::sync::Arc;

use clap::Args;

use super::args::{Global, RunArgs};
use super::build::{self, runtime, setup};
use super::failure::Failure;
use super::generate::{self, GenerateArgs, Request};
use super::invocation::Invocation;
use super::recorded;
use super::recording::Recording;
use super::show::grid;
use super::target::{self, Connected};
use super::{World, logging};
use crate::diag::codes;
use crate::names::NodeId;
use crate::plan::Work;
use crate::report::table::Fit;
use crate::run::{Look, look};

/// The tables at the end: title and query.
const TABLES: [(&str, &str); 2] = [
    ("The five figures", include_str!("kpis.sql")),
    (
        "Payment reliability, the last six months",
        include_str!("reliability.sql"),
    ),
];

/// `demo`.
#[derive(Args, Clone, Debug, Default)]
pub struct DemoArgs {
    /// Which history.
    #[command(flatten)]
    pub generate: GenerateArgs,
    /// Write a report: junit=PATH, github=PATH, markdown=PATH or html=PATH; may be repeated
    #[arg(long, value_name = "FORM=PATH")]
    pub report: Vec<String>,
}

/// Runs the command.
pub(super) fn run(global: &Global, args: &DemoArgs, world: &mut World) -> Result<u8, Failure> {
    if args.generate.out.is_some() {
        let hint = "use `marts generate --out DIR` for files";
        return Err(Failure::message(
            codes::CLI_USAGE,
            "demo builds in the target",
            hint,
        ));
    }
    let mut recording = Recording::open(global, &args.report, world)?;
    let ended = record(global, args, &mut recording, world);
    recording.close(ended)
}

fn record(
    global: &Global,
    args: &DemoArgs,
    recording: &mut Recording,
    world: &mut World,
) -> Result<u8, Failure> {
    let mut invocation = Invocation::load(global, "build", false, world)?;
    check_is_reference(&invocation)?;
    logging::start(global, invocation.root());
    let request = Request::new(&args.generate, global.threads)?;
    let then = recorded::record(global, &RunArgs::default(), "build", &invocation);
    recording.know(&invocation, then);
    let reporter = recording.reporter();
    invocation.tell_warnings(reporter, world.stderr_style.color);
    runtime()?.block_on(async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let done = async {
            let history = generate::into_database(&connected, &request, world).await?;
            if !world.stderr_style.quiet {
                generate::say(&history.text);
                generate::say("\n");
            }
            if history.replaces {
                invocation = Invocation::load(global, "build", true, world)?;
            }
            let args = RunArgs {
                full_refresh: history.replaces,
                ..RunArgs::default()
            };
            let work = Work::Build;
            let record =
                build::execute(&invocation, &args, work, &connected, reporter, world).await?;
            if record.is_ok() {
                show(&invocation, &connected, world).await?;
            }
            Ok(build::exit_code(&record))
        }
        .await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        done
    })
}

/// The demo's company is the reference project's.
fn check_is_reference(invocation: &Invocation) -> Result<(), Failure> {
    let package = &invocation.project.root_package().name;
    let is_there = ["mart_executive_kpis", "mart_payment_reliability"]
        .iter()
        .all(|name| {
            invocation
                .graph
                .find(&NodeId::new(format!("model.{package}.{name}")))
                .is_some()
        });
    if is_there {
        return Ok(());
    }
    Err(Failure::message(
        codes::CLI_USAGE,
        format!("demo shows the reference project, and this is `{package}`"),
        "run `marts build` here, or `marts demo` in the reference project's folder",
    ))
}

async fn show(
    invocation: &Invocation,
    connected: &Connected,
    world: &mut World,
) -> Result<(), Failure> {
    for (title, query) in TABLES {
        let text: Arc<str> = Arc::from(query);
        let file = invocation.sources().add(title, Arc::clone(&text));
        let setup = setup(invocation, false, connected, world)?;
        let looked = look(setup, &Look::Inline { text, file }, None)
            .await
            .map_err(|error| Failure::new(vec![*error.diagnostic], invocation.sources().clone()))?;
        let text = grid(looked.table)
            .titled(title)
            .text(world.stdout_style, Fit::Records);
        let _ = write!(world.stdout, "\n{text}");
    }
    let _ = world.stdout.flush();
    if !world.stderr_style.quiet {
        generate::say(NEXT);
    }
    Ok(())
}

const NEXT: &str = "
The data is synthetic. Next:
  marts show --select mart_failure_reason_monthly    why payments fail
  marts generate --until 2025-08-01 && marts build   a month later
  marts db psql                                      the private server, by hand
  marts test --select gold                           the tests of the gold marts
";
