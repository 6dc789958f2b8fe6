//! `--report` end to end, and `examples/ci` as its users copy it: green on good data, red on
//! bad data with the annotation at the right file and line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::{Project, Ran};
use crate::support::TestDb;
use crate::support::server::temp_folder;

/// The example in a folder of its own, run as its workflow does.
struct Example {
    db: TestDb,
    root: PathBuf,
}

impl Example {
    fn new() -> Self {
        let root = temp_folder("marts-ci-");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
        for entry in walkdir::WalkDir::new(&from) {
            let entry = entry.expect("a folder entry");
            let to = root.join(entry.path().strip_prefix(&from).expect("is inside"));
            if entry.file_type().is_dir() {
                fs::create_dir_all(&to).expect("makes the folder");
            } else {
                fs::copy(entry.path(), &to).expect("copies");
            }
        }
        Self {
            db: TestDb::new(),
            root,
        }
    }

    /// The command of the workflow's step, so that the file that users copy is what is tested.
    fn command_line(&self) -> Vec<String> {
        let workflow = self.read(".github/workflows/data.yml");
        let line = workflow
            .lines()
            .find_map(|line| line.trim().strip_prefix("run: marts "));
        let line = line.expect("the workflow runs marts");
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn run(&self) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_marts"))
            .args(self.command_line())
            .args(["--url", &format!("{}&schema=shop", self.db.url())])
            .current_dir(&self.root)
            .env("HOME", &self.root)
            .env_remove("DATABASE_URL")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_WORKSPACE", &self.root)
            .env("GITHUB_STEP_SUMMARY", self.root.join("summary.md"))
            .env("GITHUB_SERVER_URL", "https://github.example")
            .env("GITHUB_REPOSITORY", "shop/data")
            .env("GITHUB_SHA", "abc123")
            .output();
        Ran::of(output.expect("marts runs"))
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).expect(path)
    }

    fn append(&self, path: &str, text: &str) {
        let old = self.read(path);
        fs::write(self.root.join(path), old + text).expect("writes");
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

/// The workflow commands that count: behind the word that gives them their meaning back.
fn annotations(stdout: &str) -> Vec<&str> {
    let mut lines = stdout.lines();
    let first = lines.next().unwrap_or_default();
    let token = first.strip_prefix("::stop-commands::").expect(first);
    assert!(token.len() > 32, "nobody guesses {token}");
    let resume = format!("::{token}::");
    let mut behind = lines.skip_while(|line| *line != resume);
    assert_eq!(behind.next(), Some(resume.as_str()), "{stdout}");
    behind.collect()
}

#[test]
fn the_ci_example_is_green_on_good_data() {
    let example = Example::new();
    let ran = example.run();
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(annotations(&ran.stdout).is_empty(), "{}", ran.stdout);
    assert!(
        example
            .read("summary.md")
            .contains("## ✅ marts build: done")
    );
    let junit = example.read("reports/junit.xml");
    let document = roxmltree::Document::parse(&junit).expect("is XML");
    assert_eq!(document.root_element().attribute("failures"), Some("0"));
    assert!(
        example
            .read("reports/run.html")
            .starts_with("<!doctype html>")
    );
}

#[test]
fn the_ci_example_is_red_on_bad_data_at_the_right_file_and_line() {
    let example = Example::new();
    example.append("seeds/raw_orders.csv", "4,cyd,lost,-3\n");
    let ran = example.run();
    assert_eq!(ran.code, 1, "{}\n{}", ran.stdout, ran.stderr);
    let schema = example.read("models/schema.yml");
    let line_of = |text: &str| schema.lines().position(|l| l.contains(text)).expect(text) + 1;
    let found = annotations(&ran.stdout);
    assert_eq!(found.len(), 2, "{found:?}");
    for (test, title, row) in [
        (
            "- accepted_values",
            "accepted_values_orders_status__paid__refunded%3A 1 row",
            "lost",
        ),
        (
            "- value_between",
            "value_between_orders_amount__0%3A 1 row",
            "order_id=4, amount=-3, customer=cyd, status=lost",
        ),
    ] {
        let begin = format!(
            "::error file=models/schema.yml,line={},title={title}::expected ",
            line_of(test)
        );
        let told = found.iter().find(|line| line.starts_with(&begin));
        assert!(
            told.is_some_and(|line| line.contains(row)),
            "{begin}\n{found:?}"
        );
    }
    let summary = example.read("summary.md");
    assert!(summary.contains("## ❌ marts build: failed"), "{summary}");
    assert!(
        summary.contains("https://github.example/shop/data/blob/abc123/models/schema.yml#L"),
        "{summary}"
    );
    assert_eq!(summary, example.read("reports/comment.md"));
}

#[test]
fn the_ci_example_is_red_where_a_file_cannot_be_read() {
    let example = Example::new();
    example.append("models/orders.sql", "where {{ ref('no_such_model') }}\n");
    let ran = example.run();
    assert_eq!(ran.code, 2, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("error[unknown-ref]"), "{}", ran.stderr);
    let lines = example.read("models/orders.sql").lines().count();
    let found = annotations(&ran.stdout);
    let begin = format!("::error file=models/orders.sql,line={lines},title=");
    assert!(
        found.len() == 1 && found[0].starts_with(&begin),
        "{found:?}"
    );
    let junit = example.read("reports/junit.xml");
    let document = roxmltree::Document::parse(&junit).expect("is XML");
    assert_eq!(document.root_element().attribute("errors"), Some("1"));
    assert!(example.read("reports/comment.md").contains("no_such_model"));
}

const MODEL: (&str, &str) = ("models/a.sql", "select 1 as id\n");

#[test]
fn an_sql_error_is_annotated_in_the_template() {
    let project = Project::new(&[(
        "models/a.sql",
        "{% set columns = ['1 as id'] %}\n-- a comment\nselect {{ columns | join(', ') }},\n  amuont\nfrom (select 1 as amount) x\n",
    )]);
    let ran = project.fails(1, &["run", "--report", "github=-"], &["amuont"]);
    assert!(
        ran.stdout
            .starts_with("::error file=models/a.sql,line=4,title=a%3A column \"amuont\""),
        "{}",
        ran.stdout
    );
}

#[test]
fn reports_below_a_repository_are_named_from_its_root() {
    let project = Project::new(&[
        ("models/a.sql", "select nothing\n"),
        (".git/HEAD", "ref: refs/heads/main\n"),
        (
            "sub/project.yml",
            "name: sub\nversion: '1.0'\nconfig-version: 2\nprofile: shop\n",
        ),
        ("sub/models/b.sql", "select 1 as id,\n  nothing\n"),
    ]);
    fs::copy(
        project.path("profiles.yml"),
        project.path("sub/profiles.yml"),
    )
    .expect("copies");
    let args = [
        "run",
        "--project-dir",
        "sub",
        "--report",
        "github=out/a.txt",
    ];
    let ran = project.marts(&args);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let text = fs::read_to_string(project.path("out/a.txt")).expect("is written");
    assert!(
        text.starts_with("::error file=sub/models/b.sql,line=2,"),
        "{text}"
    );
}

#[test]
fn several_reports_at_once_and_nothing_on_stdout_without_a_dash() {
    let project = Project::new(&[MODEL]);
    let args = [
        "build",
        "--report",
        "junit=a/b/j.xml",
        "--report",
        "html=r.html",
        "--report",
        "markdown=c.md",
        "--report",
        "github=g.txt",
    ];
    let ran = project.ok(&args);
    assert_eq!(ran.stdout, "");
    for path in ["a/b/j.xml", "r.html", "c.md", "g.txt"] {
        assert!(project.path(path).exists(), "{path}");
    }
}

#[test]
fn a_report_is_written_when_no_server_answers() {
    let project = Project::new(&[MODEL]);
    let url = "postgres://nobody@127.0.0.1:1/x?connect_timeout=2";
    let output = Command::new(env!("CARGO_BIN_EXE_marts"))
        .args(["build", "--report", "junit=j.xml", "--url", url])
        .current_dir(project.path(""))
        .output();
    assert_eq!(output.expect("marts runs").status.code(), Some(2));
    let text = fs::read_to_string(project.path("j.xml")).expect("is written");
    assert!(
        text.contains("<error ") && text.contains("db-connect"),
        "{text}"
    );
}

#[test]
fn a_report_that_cannot_be_opened_stops_the_run_before_it_starts() {
    let project = Project::new(&[MODEL]);
    project.fails(
        2,
        &["run", "--report", "junit=project.yml/x.xml"],
        &["error[report-unwritable]"],
    );
    assert!(!project.path("target/run_results.json").exists());
}

#[test]
fn a_full_disk_at_the_end_turns_success_into_an_error() {
    let project = Project::new(&[MODEL]);
    project.fails(
        2,
        &["run", "--report", "html=/dev/full"],
        &["1 built", "error[report-unwritable]", "/dev/full"],
    );
}

#[test]
fn json_lines_tell_a_broken_project_as_an_event() {
    let project = Project::new(&[("models/a.sql", "select {{ ref('b') }}\n")]);
    let ran = project.marts(&["run", "--log-format", "json"]);
    assert_eq!(ran.code, 2);
    let lines: Vec<serde_json::Value> = ran
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let failed = lines
        .iter()
        .find(|l| l["event"] == "failed")
        .expect("is told");
    assert_eq!(failed["code"], "unknown-ref");
    assert_eq!(
        (failed["file"].as_str(), failed["line"].as_u64()),
        (Some("models/a.sql"), Some(1))
    );
}
