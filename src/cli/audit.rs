//! `marts audit verify|history|runs`: the ledger as evidence and as a trend.

use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::args::Global;
use super::build::{runtime, setup};
use super::failure::Failure;
use super::invocation::Invocation;
use super::{EXIT_NODE_FAILED, EXIT_OK, World, target};
use crate::diag::{Diagnostic, codes, nearest};
use crate::ledger::history::{self, Point, RunLine};
use crate::ledger::verify::{self, Problem, Verdict, Wrong};
use crate::ledger::{SCHEMA, tables};
use crate::report::Grid;
use crate::report::format::{count, duration, thousands};
use crate::report::table::Fit;
use crate::session::{Session, SessionError};

/// `audit`.
#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What to ask the ledger.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Recompute the chain of hashes; exit code 1 if an entry was edited, removed or inserted
    Verify {
        /// A head that an earlier run told: its entry must still be in the chain
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// How a test ended over time
    History {
        /// The test's name, or its unique id
        test: String,
        /// So many runs, the latest
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = Form::Text)]
        output: Form,
    },
    /// The latest runs
    Runs {
        /// So many
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = Form::Text)]
        output: Form,
    },
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// A list of objects.
    Json,
    /// With a line of names.
    Csv,
}

/// Runs the command.
pub(super) fn run(global: &Global, args: &AuditArgs, world: &mut World) -> Result<u8, Failure> {
    let invocation = Invocation::load(global, "audit", false, world)?;
    let target_name = invocation.project.target.name.clone();
    let answer = runtime()?.block_on(async {
        let connected = target::connect(global, &invocation.project, world).await?;
        let setup = setup(&invocation, false, &connected, world)?;
        let answer = async {
            let session = crate::run::plain_session(setup).await?;
            if !tables::exists(&session).await? {
                return Err(no_ledger(&target_name));
            }
            answer(&session, &args.command).await
        }
        .await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        answer.map_err(Failure::from)
    })?;
    match answer {
        Answer::Verdict(verdict) => Ok(tell_verdict(&verdict, world)),
        Answer::History(points, form) => {
            tell_history(&points, form, world);
            Ok(EXIT_OK)
        }
        Answer::Runs(runs, form) => {
            write_grid(&runs_grid(&runs), form, world);
            Ok(EXIT_OK)
        }
    }
}

enum Answer {
    Verdict(Verdict),
    History(Vec<Point>, Form),
    Runs(Vec<RunLine>, Form),
}

fn no_ledger(target: &str) -> SessionError {
    SessionError::new(
        Diagnostic::error(
            codes::LEDGER_MISSING,
            format!("the database of target `{target}` has no schema {SCHEMA}"),
        )
        .hint(
            "the first `marts build` makes it; a dbt_project.yml asks for it with `ledger: true`",
        ),
    )
}

async fn answer(session: &dyn Session, command: &AuditCommand) -> Result<Answer, SessionError> {
    match command {
        AuditCommand::Verify { head } => {
            let head = head.as_deref().map(clean_hash).transpose()?;
            let verdict = verify::verify(session, head.as_deref()).await?;
            Ok(Answer::Verdict(verdict))
        }
        AuditCommand::History {
            test,
            limit,
            output,
        } => {
            let points = history::of_test(session, test, u64::from(*limit)).await?;
            if points.is_empty() {
                let id = find_test(session, test).await?;
                let points = history::of_test(session, &id, u64::from(*limit)).await?;
                return Ok(Answer::History(points, *output));
            }
            Ok(Answer::History(points, *output))
        }
        AuditCommand::Runs { limit, output } => {
            let runs = history::runs(session, u64::from(*limit)).await?;
            Ok(Answer::Runs(runs, *output))
        }
    }
}

/// The hash as it is stored; people copy with blanks and in capitals.
fn clean_hash(text: &str) -> Result<String, SessionError> {
    let hash = text.trim().to_lowercase();
    let fine = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    if fine {
        return Ok(hash);
    }
    Err(SessionError::new(
        Diagnostic::error(
            codes::CLI_USAGE,
            format!("`{text}` is no hash of the ledger: it has 64 digits, 0-9 and a-f"),
        )
        .hint("copy the head that a run told, from its last line or from run_results.json"),
    ))
}

/// The test that is meant by part of a name, in any case; else the nearest name.
async fn find_test(session: &dyn Session, text: &str) -> Result<String, SessionError> {
    let tests = history::tests(session).await?;
    let wanted = text.to_lowercase();
    let found: Vec<&(String, String)> = tests
        .iter()
        .filter(|(_, name)| name.to_lowercase().contains(&wanted))
        .collect();
    let exact = found.iter().find(|(_, name)| name.to_lowercase() == wanted);
    if let (Some((id, _)), _) | (None, [(id, _)]) = (exact, found.as_slice()) {
        return Ok(id.clone());
    }
    let (message, hint) = match found.as_slice() {
        [] => {
            let near = nearest(text, tests.iter().map(|(_, name)| name.as_str()));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`marts ls --resource-type test` lists the project's tests".to_owned(),
            };
            (format!("the ledger knows no test `{text}`"), hint)
        }
        several => {
            let names = several.iter().take(10).map(|(_, name)| format!("`{name}`"));
            let names: Vec<String> = names.collect();
            (
                format!("{} tests are called like `{text}`", several.len()),
                format!("name one of {}", names.join(", ")),
            )
        }
    };
    Err(SessionError::new(
        Diagnostic::error(codes::LEDGER_UNKNOWN_TEST, message).hint(hint),
    ))
}

/// Says what is wrong, one line each, or that nothing is.
fn tell_verdict(verdict: &Verdict, world: &mut World) -> u8 {
    let out = &mut world.stdout;
    let entries = thousands(verdict.entries);
    let noun = if verdict.entries == 1 {
        "entry"
    } else {
        "entries"
    };
    let head = verdict.head.as_ref();
    if verdict.problems.is_empty() {
        let head = head.map_or("none".to_owned(), |h| h.hash.clone());
        let _ = writeln!(out, "The ledger is whole: {entries} {noun}, head {head}");
        if let Some(seq) = verdict.asked {
            let _ = writeln!(out, "The head that was asked for is entry {seq}");
        }
        return EXIT_OK;
    }
    for problem in &verdict.problems {
        let _ = writeln!(out, "{}", sentence(problem));
    }
    let more = verdict.count - verdict.problems.len() as u64;
    if more > 0 {
        let _ = writeln!(out, "and {} more", thousands(more));
    }
    let problems = count(verdict.count, "problem");
    let _ = writeln!(
        out,
        "The ledger is not as marts wrote it: {problems} in {entries} {noun}"
    );
    EXIT_NODE_FAILED
}

fn sentence(problem: &Problem) -> String {
    let seq = problem.seq;
    let whose = match (&problem.run_id, &problem.node) {
        (Some(run), Some(node)) => format!(" (run {run}, {node})"),
        (Some(run), None) => format!(" (run {run})"),
        _ => String::new(),
    };
    match &problem.what {
        Wrong::Edited => format!("entry {seq}{whose} was edited: its hash is another"),
        Wrong::DoesNotFollow => format!(
            "entry {seq}{whose} does not follow entry {}: that one was replaced, hash and all",
            seq - 1
        ),
        Wrong::Missing { to } if *to == seq => format!("entry {seq} is missing"),
        Wrong::Missing { to } => format!("entries {seq} to {to} are missing"),
        Wrong::Inserted => format!("entry {seq}{whose} was inserted: the head does not know it"),
        Wrong::HeadDiffers => format!("the head names entry {seq} with another hash than it has"),
        Wrong::HeadMissing => format!("{SCHEMA}.head has lost its row"),
        Wrong::NotInChain { hash } => {
            format!("no entry has the hash {hash}: the chain was cut off before it or made anew")
        }
    }
}

fn tell_history(points: &[Point], form: Form, world: &mut World) {
    write_grid(&history_grid(points), form, world);
    if form == Form::Text {
        let _ = writeln!(world.stdout, "\nfailures  {}", sparkline(points));
    }
}

fn history_grid(points: &[Point]) -> Grid {
    let headers = [
        "time",
        "run",
        "verdict",
        "failures",
        "rows",
        "time_taken",
        "thresholds",
        "commit",
    ];
    let rows = points.iter().map(|p| {
        vec![
            Some(p.at.clone()),
            Some(p.run_id.clone()),
            Some(p.status.clone()),
            p.failures.map(|n| n.to_string()),
            p.rows_tested.map(|n| n.to_string()),
            p.duration_us.map(time_taken),
            p.thresholds.clone(),
            p.commit.as_deref().map(short_commit),
        ]
    });
    Grid::new(headers.map(str::to_owned).to_vec(), rows.collect())
}

fn runs_grid(runs: &[RunLine]) -> Grid {
    let headers = [
        "time",
        "run",
        "command",
        "target",
        "verdict",
        "nodes",
        "wrong",
        "time_taken",
        "commit",
        "entry",
        "head",
    ];
    let rows = runs.iter().map(|r| {
        vec![
            Some(r.at.clone()),
            Some(r.run_id.clone()),
            Some(r.command.clone()),
            Some(r.target.clone()),
            Some(r.status.clone()),
            r.nodes.map(|n| n.to_string()),
            r.wrong.map(|n| n.to_string()),
            r.duration_us.map(time_taken),
            r.commit.as_deref().map(short_commit),
            Some(r.seq.to_string()),
            Some(r.hash.clone()),
        ]
    });
    Grid::new(headers.map(str::to_owned).to_vec(), rows.collect())
}

fn time_taken(micros: u64) -> String {
    duration(Duration::from_micros(micros))
}

/// Twelve digits tell commits apart; the `+` of a changed folder stays.
fn short_commit(commit: &str) -> String {
    let (digits, changed) = match commit.strip_suffix('+') {
        Some(digits) => (digits, "+"),
        None => (commit, ""),
    };
    let short: String = digits.chars().take(12).collect();
    short + changed
}

/// Failures of each run as a bar of eight heights: `·` is none, `?` a run that could not ask.
fn sparkline(points: &[Point]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = points.iter().filter_map(|p| p.failures).max().unwrap_or(0);
    let bar = |point: &Point| match point.failures {
        None => '?',
        Some(0) => '·',
        Some(n) => BARS[(n as u128 * 8).div_ceil(most as u128).clamp(1, 8) as usize - 1],
    };
    let bars: String = points.iter().map(bar).collect();
    format!("{bars}  most {}", thousands(most))
}

fn write_grid(grid: &Grid, form: Form, world: &mut World) {
    // A closed pipe is the reader's choice.
    let _ = match form {
        Form::Text => {
            let text = grid.text(world.stdout_style, Fit::Records);
            world.stdout.write_all(text.as_bytes())
        }
        Form::Json => grid.write_json(&mut world.stdout),
        Form::Csv => grid.write_csv(&mut world.stdout),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sparkline_has_a_bar_for_each_run() {
        let point = |failures| Point {
            failures,
            ..Point::default()
        };
        let points = [Some(0), Some(1), Some(50), Some(100), None].map(point);
        assert_eq!(sparkline(&points), "·▁▄█?  most 100");
        assert_eq!(sparkline(&[]), "  most 0");
    }

    #[test]
    fn a_hash_is_taken_as_people_copy_it() {
        let hash = "AB".repeat(32);
        assert_eq!(clean_hash(&format!(" {hash}\n")).unwrap(), "ab".repeat(32));
        assert!(clean_hash("abc").is_err());
    }
}
