//! `marts db` as a user types it.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::server::{temp_folder, watch};

fn db(project: &Path, args: &[&str]) -> (i32, String, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_marts"))
        .arg("db")
        .args(args)
        .current_dir(project)
        .env("MARTS_PG_DATA", project.join("pg"))
        .env_remove("DATABASE_URL")
        .output()
        .expect("marts runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("ends by itself");
    (code, text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_server_is_started_told_of_entered_and_stopped() {
    let project = temp_folder("marts-db-");
    let _watcher = watch(&project);
    let (code, out, _) = db(&project, &["status"]);
    assert_eq!(code, 1);
    assert!(out.starts_with("state  not running\n"), "{out}");
    assert!(out.contains("(not made yet)"), "{out}");

    let (code, url, err) = db(&project, &["start"]);
    assert_eq!(code, 0, "{err}");
    assert!(url.starts_with("postgres://postgres@/marts?host="), "{url}");
    assert!(
        err.ends_with("The private server is started; `marts db stop` stops it.\n"),
        "{err}"
    );
    let (code, out, _) = db(&project, &["status"]);
    assert_eq!(code, 0);
    assert!(out.contains(", until `marts db stop`\n"), "{out}");
    assert_eq!(db(&project, &["url"]), (0, url, String::new()));

    let create = ["psql", "--", "-X", "-q", "-c", "create table t (a int)"];
    assert_eq!(db(&project, &create), (0, String::new(), String::new()));
    let (code, _, err) = db(&project, &create);
    assert_eq!(code, 1, "psql's own");
    assert!(err.contains("already exists"), "{err}");

    let stopped = "The private server is stopped.\n".to_owned();
    assert_eq!(db(&project, &["stop"]), (0, String::new(), stopped));
    assert!(!project.join("pg/data/postmaster.pid").exists());
    let (code, _, err) = db(&project, &["stop"]);
    assert_eq!(
        (code, err.as_str()),
        (0, "The private server was not running.\n")
    );
    let (code, _, err) = db(&project, &["url"]);
    assert_eq!(code, 1);
    assert!(err.contains("`marts db start` starts it"), "{err}");
}
