//! Which files count, and what a hostile folder does.

use super::support::Scratch;

fn models(scratch: &Scratch) -> Vec<String> {
    let project = scratch.read();
    let models = &project.root_package().models;
    models.iter().map(|m| m.path.clone()).collect()
}

#[test]
fn dbtignore_speaks_as_gitignore_does() {
    let scratch = Scratch::new()
        .file(
            ".dbtignore",
            "# drafts\ndraft_*.sql\nmodels/old/\n!models/draft_but_kept.sql\n",
        )
        .file("models/draft_a.sql", "select 1")
        .file("models/draft_but_kept.sql", "select 1")
        .file("models/old/b.sql", "select 1")
        .file("models/c.sql", "select 1");
    assert_eq!(
        models(&scratch),
        ["models/c.sql", "models/draft_but_kept.sql"]
    );
}

#[test]
fn files_that_editors_leave_behind_do_not_count() {
    let scratch = Scratch::new()
        .file("models/.#a.sql", "select 1")
        .file("models/._a.sql", "select 1")
        .file("models/~a.sql", "select 1")
        .file("models/a.sql", "select 1")
        .file("models/a.sql.bak", "select 1");
    assert_eq!(models(&scratch), ["models/a.sql"]);
}

#[test]
fn a_link_to_a_folder_is_followed_and_a_loop_is_not() {
    let scratch = Scratch::new()
        .file("shared/a.sql", "select 1")
        .file("models/b.sql", "select 1");
    std::os::unix::fs::symlink("../shared", scratch.path().join("models/linked")).expect("a link");
    std::os::unix::fs::symlink("..", scratch.path().join("models/linked/back")).expect("a link");
    assert_eq!(models(&scratch), ["models/b.sql", "models/linked/a.sql"]);
    assert_eq!(scratch.codes(), ["project-link-loop"]);
}

#[test]
fn a_pipe_named_like_a_model_stops_nobody() {
    let scratch = Scratch::new().file("models/a.sql", "select 1");
    let made = std::process::Command::new("mkfifo")
        .arg(scratch.path().join("models/b.sql"))
        .status();
    assert!(made.expect("mkfifo runs").success());
    assert_eq!(models(&scratch), ["models/a.sql"]);
}

#[test]
fn a_name_that_is_not_utf8_is_left_out_with_a_warning() {
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::new().file("models/a.sql", "select 1");
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.sql");
    std::fs::write(scratch.path().join("models").join(name), "select 1").expect("a file");
    assert_eq!(models(&scratch), ["models/a.sql"]);
    assert_eq!(scratch.codes(), ["project-file-name"]);
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let scratch = Scratch::new()
        .file("models/a.sql", b"select '\xff'")
        .file("models/b.sql", b"select 1\0")
        .file("models/c.yml", "models: [")
        .file("models/d.yml", "models:\n  - nam: x\n");
    let codes = scratch.codes();
    for code in [
        "project-not-utf8",
        "project-not-text",
        "yaml-syntax",
        "project-missing-key",
    ] {
        assert!(codes.contains(&code), "{code} is not in {codes:?}");
    }
}

#[test]
fn a_resource_folder_that_does_not_exist_is_empty() {
    let scratch = Scratch::new().file(
        "project.yml",
        "name: shop\nprofile: shop\nmodel-paths: [sql, more]\n",
    );
    assert!(models(&scratch).is_empty());
}

#[test]
fn fixtures_are_no_tests() {
    let scratch = Scratch::new()
        .file("tests/fixtures/rows.csv", "a\n1\n")
        .file("tests/fixtures/rows.sql", "select 1")
        .file("tests/total.sql", "select 1");
    let project = scratch.read();
    let package = project.root_package();
    assert_eq!(package.singular_tests.len(), 1);
    assert_eq!(package.fixtures.len(), 2);
}
