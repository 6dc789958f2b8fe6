//! One built database, a copy of the project, and a dry run per mutant: candidates are built
//! and tested, nothing is published, so the next mutant finds everything as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;

use super::listed::{Mutant, project};
use crate::support::TestDb;

/// What became of a mutant.
pub(crate) enum Verdict {
    /// A test, a contract or a constraint said no.
    Killed {
        /// Its name.
        by: String,
        /// How many nodes ran.
        nodes: usize,
    },
    /// Everything stayed green.
    Survived,
    /// It is not SQL that Postgres takes, so it says nothing about the tests.
    Invalid(String),
}

/// The built database and the copy of the project that the mistakes are written into.
pub(crate) struct Runner {
    database: TestDb,
    folder: tempfile::TempDir,
}

impl Runner {
    /// Builds a history of that many customers, in several steps for rows to have versions.
    pub(crate) fn new(customers: &str, steps: &[&str]) -> Self {
        let runner = Self {
            database: TestDb::new(),
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        for part in ["models", "macros", "seeds", "snapshots", "analyses"] {
            copy(&project().join(part), &runner.folder.path().join(part));
        }
        for file in ["project.yml", "profiles.yml"] {
            copy(&project().join(file), &runner.folder.path().join(file));
        }
        let tests = runner.folder.path().join("tests");
        fs::create_dir(&tests).expect("makes the folder");
        for entry in fs::read_dir(project().join("tests")).expect("lists") {
            let path = entry.expect("lists").path();
            if path.extension().is_some_and(|e| e == "sql") {
                copy(&path, &tests.join(path.file_name().unwrap_or_default()));
            }
        }
        for until in steps {
            let generate = ["generate", "--customers", customers, "--seed", "7"];
            runner.ok(&[&generate[..], &["--until", until]].concat());
            runner.ok(&["build"]);
        }
        // Without a mistake a dry run is green, so whatever is red below is the mistake's.
        if steps.len() > 1 {
            runner.ok(&DRY_RUN);
        }
        runner
    }

    /// Builds and tests what depends on the mutant's file, and puts the file back.
    pub(crate) fn run(&self, mutant: &Mutant) -> Verdict {
        let broken = match mutant.broken() {
            Ok(text) => text,
            Err(problem) => return Verdict::Invalid(problem),
        };
        let file = self.folder.path().join(&mutant.file);
        let right = fs::read_to_string(&file).expect("reads");
        fs::write(&file, broken).expect("writes");
        let selection = mutant.selection();
        let mut args: Vec<&str> = DRY_RUN.to_vec();
        args.extend(["--fail-fast", "--select", &selection]);
        if mutant.incremental {
            args.retain(|arg| *arg != "--full-refresh");
        }
        let output = self.marts(&args);
        fs::write(&file, right).expect("writes");
        match output.status.code() {
            Some(0) => Verdict::Survived,
            Some(1) => self.killer(),
            _ => Verdict::Invalid(last_lines(&output)),
        }
    }

    /// The first node of the last run that failed.
    fn killer(&self) -> Verdict {
        let text = fs::read_to_string(self.folder.path().join("target/run_results.json"))
            .expect("it is there");
        let json: Json = serde_json::from_str(&text).expect("it is JSON");
        let results = json["results"].as_array().expect("a list");
        let is = |result: &&Json, words: &[&str]| {
            words.contains(&result["status"].as_str().unwrap_or_default())
        };
        let nodes = results.iter().filter(|r| !is(r, &["skipped"])).count();
        let Some(first) = results.iter().find(|r| is(r, &["fail", "error"])) else {
            return Verdict::Invalid("failed, but no node did".to_owned());
        };
        let id = first["unique_id"].as_str().unwrap_or_default();
        let message = first["message"].as_str().unwrap_or_default();
        let mut parts = id.split('.');
        let kind = parts.next().unwrap_or_default();
        let name: Vec<&str> = parts.skip(1).collect();
        let by = match kind {
            "unit_test" => format!("unit test {}", name.join("::")),
            "test" => format!("test {}", name[0]),
            // A test that cannot run says nothing; a model that Postgres refuses must be refused
            // for what is in it.
            _ if DATA_ERRORS.iter().any(|words| message.contains(words)) => {
                format!("{} itself: {}", name.join("."), first_line(message))
            }
            _ => return Verdict::Invalid(format!("{id}: {message}")),
        };
        Verdict::Killed { by, nodes }
    }

    fn marts(&self, args: &[&str]) -> Output {
        let program = std::env::var("MARTS_MUTANTS_PROGRAM")
            .unwrap_or_else(|_| env!("CARGO_BIN_EXE_marts").to_owned());
        Command::new(program)
            .args(args)
            .args(["--url", &self.database.url(), "--log-level", "none"])
            .current_dir(self.folder.path())
            .env_remove("DATABASE_URL")
            .output()
            .expect("the program starts")
    }

    fn ok(&self, args: &[&str]) {
        let output = self.marts(args);
        assert_eq!(
            output.status.code(),
            Some(0),
            "marts {}:\n{}",
            args.join(" "),
            last_lines(&output)
        );
    }
}

/// Everything anew, nothing published. The snapshot of closed months is left out: it would
/// notice each change of a figure because a right build came before, which helps nobody who
/// makes the mistake at first.
const DRY_RUN: [&str; 5] = [
    "build",
    "--dry-run",
    "--full-refresh",
    "--exclude",
    "snap_month_close+",
];

/// What Postgres, or the contract, says of rows and columns and not of the statement's text.
const DATA_ERRORS: [&str; 5] = [
    "contract",
    "duplicate key",
    "could not create unique index",
    "division by zero",
    "more than one row returned",
];

fn copy(from: &Path, to: &PathBuf) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("makes the folder");
        for entry in fs::read_dir(from).expect("lists") {
            let entry = entry.expect("lists");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).expect("copies");
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn last_lines(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
