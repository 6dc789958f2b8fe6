//! The gallery of messages in `tests/errors`: every code has a case, and every case shows
//! exactly what its `expected.txt` says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use indexmap::IndexMap;
use marts::diag::codes;
use rayon::prelude::*;
use regex::Regex;

use crate::support::TestDb;

/// Files of a case that are about it and not of its project.
const OWN_FILES: [&str; 7] = [
    "expected.txt",
    "args",
    "env",
    "database.sql",
    "setup.sh",
    ".bare",
    "file-limit",
];

/// What a case's `args` and `env` may name of the world, with its value here; shown again
/// by its name.
fn places(root: &Path, text: &str) -> Vec<(&'static str, String)> {
    let mut places = vec![("[PROJECT]", root.to_string_lossy().into_owned())];
    if text.contains("[SOCKET]") {
        let socket = crate::support::server::socket_dir();
        places.push(("[SOCKET]", socket.to_string_lossy().into_owned()));
    }
    if text.contains("[PLAIN_PORT]") {
        let server = crate::pg::tcp_server::without_tls();
        places.push(("[PLAIN_PORT]", server.port.to_string()));
    }
    if text.contains("[POOLER_PORT]") {
        let port = crate::pg::fake_pooler::start();
        places.push(("[POOLER_PORT]", port.to_string()));
    }
    places
}

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
    let wrong: Vec<String> = cases()
        .par_iter()
        .filter_map(|case| differs(case))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is shown beside what is expected, where they differ. With `BLESS` set it is written.
fn differs(case: &Path) -> Option<String> {
    let shown = show(case);
    let path = case.join("expected.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &shown).expect("expected.txt can be written");
        return None;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let name = name(case);
    (shown != expected).then(|| format!("== {name}\n-- expected\n{expected}\n-- shown\n{shown}"))
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
/// `[PROJECT]`, its database `[DATABASE]`, every time `0.00s`.
fn show(case: &Path) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("shop");
    fs::create_dir(&root).expect("a project folder");
    copy_base(case, &root);
    copy(case, &root, true);
    set_up(case, &root);
    let read = |file: &str| fs::read_to_string(case.join(file)).unwrap_or_default();
    let (mut args, mut env) = (read("args"), read("env"));
    if args.is_empty() {
        args = "parse".to_owned();
    }
    let database = database(case);
    if let Some(database) = &database
        && !args.contains("--url")
    {
        env = format!("DATABASE_URL={}\n{env}", database.url());
    }
    let mut places = places(&root, &format!("{args}{env}"));
    if let Some(database) = &database {
        let socket = database.socket_dir().to_string_lossy().into_owned();
        places.push(("[SOCKET]", socket));
        places.push(("[DATABASE]", database.name().to_owned()));
    }
    for (name, value) in &places {
        args = args.replace(name, value);
        env = env.replace(name, value);
    }
    let limit = read("file-limit");
    let mut shown = run(&root, &args, environment(&env), limit.trim());
    for (name, value) in &places {
        shown = shown.replace(value, name);
    }
    let seconds = Regex::new(r"\d+\.\d\ds").expect("a pattern");
    format!("{}\n", seconds.replace_all(shown.trim_end(), "0.00s"))
}

/// Runs what the case says of its folder.
fn set_up(case: &Path, root: &Path) {
    let script = case.join("setup.sh");
    if script.exists() {
        let status = Command::new("sh")
            .arg("-eu")
            .arg(script)
            .current_dir(root)
            .status();
        let fine = status.expect("sh runs").success();
        assert!(fine, "setup.sh of {}", name(case));
    }
}

/// A database of the case's own, if it has `database.sql`.
fn database(case: &Path) -> Option<TestDb> {
    let sql = fs::read_to_string(case.join("database.sql")).ok()?;
    let database = TestDb::new();
    database.sql(&sql);
    Some(database)
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

fn environment(text: &str) -> IndexMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What the program says: standard error, then its exit code. With a limit, files may grow
/// to so many KiB, which is how a full disk looks.
fn run(root: &Path, args: &str, env: IndexMap<String, String>, file_limit: &str) -> String {
    let limited = match file_limit {
        "" => r#"exec "$@""#.to_owned(),
        limit => format!(r#"ulimit -f {limit}; exec "$@""#),
    };
    let output = Command::new("bash")
        .args(["-c", &limited, "gallery", env!("CARGO_BIN_EXE_marts")])
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
