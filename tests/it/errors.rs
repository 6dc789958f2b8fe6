//! The gallery of messages in `tests/errors`: every code has a case, and every case shows
//! exactly what its `expected.txt` says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use indexmap::IndexMap;
use marts::diag::codes;
use regex::Regex;

use crate::support::TestDb;

/// Files of a case that are about it and not of its project.
const OWN_FILES: [&str; 6] = [
    "expected.txt",
    "args",
    "env",
    "database.sql",
    "setup.sh",
    ".bare",
];

fn gallery() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors")
}

/// The cases by folder name, sorted.
fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(gallery()).expect("the gallery can be read");
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.is_dir() && name(path) != "_base")
        .collect();
    cases.sort();
    cases
}

fn name(case: &Path) -> String {
    let name = case.file_name().expect("a case has a name");
    name.to_string_lossy().into_owned()
}

/// The code that a case is named after.
fn code(case: &Path) -> String {
    let name = name(case);
    name.split("--").next().unwrap_or_default().to_owned()
}

#[test]
fn every_message_reads_as_the_gallery_says() {
    let mut wrong = Vec::new();
    for case in cases() {
        let shown = show(&case);
        let path = case.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &shown).expect("expected.txt can be written");
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if shown != expected {
            wrong.push(format!(
                "== {}\n-- expected\n{expected}\n-- shown\n{shown}",
                name(&case)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_shows_the_code_that_it_is_named_after() {
    for case in cases() {
        let expected = fs::read_to_string(case.join("expected.txt")).unwrap_or_default();
        let mark = format!("[{}]", code(&case));
        assert!(
            expected.contains(&mark),
            "{} does not show {mark}",
            name(&case)
        );
    }
}

#[test]
fn every_code_has_a_case() {
    let known: BTreeSet<String> = codes::ALL.iter().map(|c| c.as_str().to_owned()).collect();
    let shown: BTreeSet<String> = cases().iter().map(|case| code(case)).collect();
    let pending: BTreeSet<String> = fs::read_to_string(gallery().join("pending.txt"))
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    let missing: Vec<&String> = known
        .difference(&shown)
        .filter(|c| !pending.contains(*c))
        .collect();
    assert!(
        missing.is_empty(),
        "no case in tests/errors for {missing:?}"
    );
    let unknown: Vec<&String> = shown.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "cases for codes that do not exist: {unknown:?}"
    );
    let done: Vec<&String> = pending
        .iter()
        .filter(|c| shown.contains(*c) || !known.contains(*c))
        .collect();
    assert!(done.is_empty(), "take these out of pending.txt: {done:?}");
}

/// Everything that the user is shown for a case and the exit code. The project's folder is
/// `[PROJECT]`, its database `[DATABASE]`, the server's socket `[SOCKET]`.
fn show(case: &Path) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("shop");
    fs::create_dir(&root).expect("a project folder");
    copy_base(case, &root);
    copy(case, &root, true);
    let mut env = environment(case);
    let database = case.join("database.sql").exists().then(TestDb::new);
    let mut names = vec![(root.to_string_lossy().into_owned(), "[PROJECT]")];
    if let Some(database) = &database {
        let sql = fs::read_to_string(case.join("database.sql")).expect("database.sql is text");
        database.sql(&sql);
        env.entry("DATABASE_URL".to_owned())
            .or_insert(database.url());
        names.push((database.name().to_owned(), "[DATABASE]"));
        names.push((
            database.socket_dir().to_string_lossy().into_owned(),
            "[SOCKET]",
        ));
    }
    if case.join("setup.sh").exists() {
        let script = case.join("setup.sh");
        let status = Command::new("sh")
            .arg("-eu")
            .arg(script)
            .current_dir(&root)
            .status();
        assert!(
            status.expect("sh runs").success(),
            "setup.sh of {}",
            name(case)
        );
    }
    let mut args = fs::read_to_string(case.join("args")).unwrap_or_else(|_| "parse".to_owned());
    for (found, name) in &names {
        args = args.replace(name, found);
    }
    let mut shown = run(&root, &args, env);
    for (found, name) in names {
        shown = shown.replace(&found, name);
    }
    let seconds = Regex::new(r"\d+\.\d\ds").expect("a pattern");
    let shown = seconds.replace_all(&shown, "0.00s");
    format!("{shown}\n")
}

fn copy_base(case: &Path, root: &Path) {
    if case.join(".bare").exists() {
        return;
    }
    let base = gallery().join("_base");
    if !case.join("project.yml").exists() && !case.join("dbt_project.yml").exists() {
        fs::copy(base.join("project.yml"), root.join("project.yml")).expect("a copy");
    }
    if !case.join("profiles.yml").exists() {
        fs::copy(base.join("profiles.yml"), root.join("profiles.yml")).expect("a copy");
    }
}

fn copy(from: &Path, to: &Path, top: bool) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("a folder entry");
        let target = to.join(entry.file_name());
        if top && OWN_FILES.iter().any(|own| entry.file_name() == *own) {
            continue;
        }
        if entry.path().is_dir() {
            fs::create_dir_all(&target).expect("a folder");
            copy(&entry.path(), &target, false);
        } else {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

fn environment(case: &Path) -> IndexMap<String, String> {
    let text = fs::read_to_string(case.join("env")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What the program says: standard error, then its exit code.
fn run(root: &Path, args: &str, env: IndexMap<String, String>) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_marts"))
        .args(args.lines())
        .current_dir(root)
        .env_clear()
        .envs(env)
        .output()
        .expect("marts runs");
    let shown = String::from_utf8_lossy(&output.stderr);
    let code = output
        .status
        .code()
        .map_or("a signal".to_owned(), |c| c.to_string());
    format!("{}\n\nexit code {code}", shown.trim_end())
}
