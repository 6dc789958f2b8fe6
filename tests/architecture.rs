//! The shape of the house, as tests: who may import whom, no cycles, every file says what it
//! owns, no file grows past the size of a few thoughts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A module of the crate, what it may import, and why it needs more than a reader would guess.
///
/// A row may name only modules of earlier rows, so the table itself cannot hold a cycle. A new
/// import edits this table and says why in the same commit.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    ("names", &[], ""),
    ("diag", &["names"], ""),
    ("event", &["names", "diag"], ""),
    (
        "limits",
        &[],
        "one spelling of time limits, for profiles (pg) and the config of nodes (project)",
    ),
    (
        "encode",
        &[],
        "what Python prints, and hexadecimal digits: one home for all who make hashes or lines of it",
    ),
    ("artifact", &["names", "encode"], ""),
    ("synth", &["names"], ""),
    ("stats", &[], "pure functions: rows in, rows out"),
    ("money", &["diag"], "diag: the nearest name"),
    (
        "jinja",
        &["names", "diag", "encode", "money"],
        "money: the list of currencies, for macros",
    ),
    (
        "project",
        &["names", "diag", "encode", "limits", "jinja"],
        "",
    ),
    (
        "pg",
        &["names", "diag", "encode", "limits"],
        "knows no Jinja",
    ),
    (
        "ingest",
        &["names", "diag", "encode", "pg"],
        "two databases and nothing of the project: what is moved comes as values",
    ),
    (
        "graph",
        &[
            "names", "diag", "encode", "artifact", "money", "jinja", "project",
        ],
        "artifact: it fills dbt's manifest and reads an earlier one; money: columns that declare \
         it are tested",
    ),
    (
        "session",
        &["names", "diag", "jinja"],
        "jinja: the arguments and answers of macros",
    ),
    (
        "publish",
        &["names", "diag", "jinja", "session"],
        "jinja: what a query answers is the engine's Table; it needs no graph, relations do",
    ),
    (
        "materialize",
        &[
            "names", "diag", "jinja", "project", "graph", "session", "publish", "stats",
        ],
        "jinja: arguments of macros; project: the values of a node's config; publish: each kind \
         chooses its way to the reader; stats: methods whose results are tables",
    ),
    (
        "checks",
        &[
            "names", "diag", "event", "money", "jinja", "project", "graph", "session",
        ],
        "event: a verdict is a Status with a Sample; money: which columns hold it; project: \
         severities; jinja: arguments, lines",
    ),
    (
        "plan",
        &[
            "names",
            "diag",
            "project",
            "graph",
            "checks",
            "materialize",
            "publish",
        ],
        "project: the severity of a test decides whether it is a gate",
    ),
    (
        "ledger",
        &["names", "encode", "event", "session"],
        "event: an entry is made of an Outcome or a RunRecord",
    ),
    (
        "run",
        &[
            "names",
            "diag",
            "limits",
            "event",
            "artifact",
            "jinja",
            "project",
            "pg",
            "graph",
            "session",
            "publish",
            "materialize",
            "checks",
            "plan",
            "ledger",
        ],
        "the one place where Postgres and the engine meet",
    ),
    (
        "report",
        &["names", "diag", "event", "artifact", "graph"],
        "facts in, text out: it knows no database and starts nothing",
    ),
    (
        "cli",
        &[
            "names",
            "diag",
            "event",
            "artifact",
            "synth",
            "jinja",
            "project",
            "pg",
            "encode",
            "ingest",
            "graph",
            "session",
            "publish",
            "materialize",
            "checks",
            "plan",
            "ledger",
            "run",
            "report",
        ],
        "the wiring",
    ),
    ("main", &["cli"], ""),
];

/// The largest file, in lines.
const LARGEST_FILE: usize = 600;

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for file in rust_files("src") {
        let module = module_of(&file);
        let allowed = row(&module).map_or(&[][..], |row| row.1);
        let text = read(&file);
        for (line, imported) in imports(&text) {
            if imported != module && !allowed.contains(&imported.as_str()) {
                let place = format!("{}:{line}", file.display());
                wrong.push(format!("{place}: {module} may not import {imported}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these imports are not in the table of tests/architecture.rs:\n{}\n\
         Move the code to where the import is allowed, or edit the table and say why.",
        wrong.join("\n")
    );
}

#[test]
fn the_table_has_a_row_for_each_module_and_no_cycle() {
    let mut modules: Vec<String> = rust_files("src").iter().map(|f| module_of(f)).collect();
    modules.sort();
    modules.dedup();
    modules.retain(|m| m != "lib");
    let mut rows: Vec<&str> = ALLOWED.iter().map(|row| row.0).collect();
    for (at, (module, allowed, _)) in ALLOWED.iter().enumerate() {
        for import in *allowed {
            assert!(
                rows[..at].contains(import),
                "{module} may import {import}, which is no earlier row: that opens a cycle"
            );
        }
    }
    rows.sort_unstable();
    assert_eq!(
        modules, rows,
        "the modules of src/ and the rows of the table"
    );
}

#[test]
fn every_file_opens_with_what_it_owns() {
    let mut silent: Vec<String> = Vec::new();
    for file in all_rust_files() {
        let text = read(&file);
        let first = text.lines().next().unwrap_or_default();
        if first
            .strip_prefix("//!")
            .is_none_or(|t| t.trim().is_empty())
        {
            silent.push(file.display().to_string());
        }
    }
    assert!(
        silent.is_empty(),
        "these files do not open with a `//!` comment:\n{}",
        silent.join("\n")
    );
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let long: Vec<String> = all_rust_files()
        .into_iter()
        .map(|file| (read(&file).lines().count(), file))
        .filter(|(lines, _)| *lines > LARGEST_FILE)
        .map(|(lines, file)| format!("{}: {lines}", file.display()))
        .collect();
    assert!(
        long.is_empty(),
        "look for the second idea in these files:\n{}",
        long.join("\n")
    );
}

#[test]
fn imports_are_read_in_all_their_forms() {
    let text = "\
use crate::a::B;
use crate::{b::C, c::{D, e::F},
    d};
// crate::comment::X
//! [`crate::link`]
fn f(x: crate::e::G) -> marts::f::H { crate::g() }
pub(crate) use super::Y;
";
    let found: BTreeMap<String, usize> = imports(text).into_iter().map(|(l, m)| (m, l)).collect();
    let expected = [
        ("a", 1),
        ("b", 2),
        ("c", 2),
        ("d", 2),
        ("e", 6),
        ("f", 6),
        ("g", 6),
    ];
    assert_eq!(found, expected.map(|(m, l)| (m.to_owned(), l)).into());
}

#[test]
fn nothing_climbs_to_the_root_by_super() {
    // `super::super::…` from a first-level file would pass by the table.
    for file in rust_files("src") {
        let depth = file.components().count() - 1;
        let text = without_comments(&read(&file));
        // Below it, `super` begins one module deeper.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let climb = "super::".repeat(depth.max(2));
        assert!(
            !text.contains(&climb),
            "{}: `{climb}` leaves its module; write `crate::…`",
            file.display()
        );
    }
}

fn row(module: &str) -> Option<&'static (&'static str, &'static [&'static str], &'static str)> {
    ALLOWED.iter().find(|row| row.0 == module)
}

/// The first-level modules that a text names through `crate::` or `marts::`, with their lines.
fn imports(text: &str) -> Vec<(usize, String)> {
    let text = without_comments(text);
    let mut found = Vec::new();
    for root in ["crate::", "marts::"] {
        for (at, _) in text.match_indices(root) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ':')) {
                continue;
            }
            let line = text[..at].matches('\n').count() + 1;
            let names = first_names(&text[at + root.len()..]);
            found.extend(names.into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// `a::B` names `a`; `{a::B, c::{D, E}}` names `a` and `c`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let text = text.trim_start();
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return Vec::from([name(path)]);
    };
    let mut names = Vec::from([name(group)]);
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(name(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names.retain(|n| !n.is_empty());
    names
}

fn without_comments(text: &str) -> String {
    let keep = |line: &str| {
        if line.trim_start().starts_with("//") {
            String::new()
        } else {
            line.to_owned()
        }
    };
    text.lines().map(|line| keep(line) + "\n").collect()
}

/// `src/pg/tls.rs` belongs to `pg`, `src/names.rs` to `names`.
fn module_of(file: &Path) -> String {
    let part = file.components().nth(1).expect("a file below src");
    let part = part.as_os_str().to_string_lossy();
    part.trim_end_matches(".rs").to_owned()
}

fn all_rust_files() -> Vec<PathBuf> {
    let folders = ["src", "tests", "bench", "benches", "examples"];
    folders.into_iter().flat_map(rust_files).collect()
}

/// The Rust files below a folder of the repository, as paths relative to it, in order.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(root.join(folder))
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .filter_map(|path| Some(path.strip_prefix(root).ok()?.to_owned()))
        .collect();
    files.sort();
    files
}

fn read(file: &Path) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
