//! Kills at many moments: of marts, of its backends, of the whole server. Whatever was
//! published stays whole, and the next run completes and clears up.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::gates::kill;
use super::support::{Project, Ran};
use crate::support::server::{temp_folder, watch};

/// A base table and what is built of it; every relation carries the version, so that a half
/// build would show.
const FILES: [(&str, &str); 6] = [
    (
        "models/a.sql",
        "{{ config(materialized='table', indexes=[{'columns': ['id']}]) }} select g as id, \
         {{ var('v', 1) }} as v from generate_series(1, 3000) g",
    ),
    ("models/av.sql", "select id, v from {{ ref('a') }}"),
    (
        "models/b.sql",
        "{{ config(materialized='table', post_hook='select pg_sleep(0.02)') }} select id, v from \
         {{ ref('av') }}",
    ),
    (
        "models/i.sql",
        "{{ config(materialized='incremental', unique_key='id') }} select id, v from \
         {{ ref('b') }}",
    ),
    (
        "models/iv.sql",
        "select count(*) as n, min(v) as low, max(v) as high from {{ ref('i') }}",
    ),
    ("seeds/s.csv", "id,name\n1,a\n2,b\n"),
];

/// Every relation that is there is whole: all rows, all of one version.
fn check_whole(project: &Project, moment: &str) {
    for relation in ["a", "av", "b", "i"] {
        let whole = project.rows(&format!(
            "select count(*), count(distinct v) from shop.{relation}"
        ));
        assert_eq!(whole, "3000|1", "{relation}, {moment}");
    }
    assert_eq!(project.rows("select count(*) from shop.s"), "2", "{moment}");
    assert_eq!(project.rows("select n from shop.iv"), "3000", "{moment}");
}

fn check_version(project: &Project, version: u64) {
    for relation in ["a", "av", "b", "i"] {
        let found = project.rows(&format!("select distinct v from shop.{relation}"));
        assert_eq!(found, version.to_string(), "{relation}");
    }
}

/// Moments in milliseconds, the same on every run of the test.
fn moments(seed: u64, count: usize, longest: u64) -> Vec<u64> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % longest
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn a_kill_of_marts_at_any_moment_loses_nothing() {
    let project = Project::new(&FILES);
    project.ok(&["build"]);
    let mut version = 1;
    for moment in moments(7, 8, 700) {
        version += 1;
        let vars = format!("{{v: {version}}}");
        let mut child = project.spawn(&["build", "--vars", &vars]);
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().expect("kills");
        child.wait().expect("ends");
        check_whole(&project, &format!("killed after {moment} ms"));
        let ran = project.ok(&["build", "--vars", &vars]);
        assert!(ran.stderr.contains("Done in"), "{}", ran.stderr);
        check_version(&project, version);
    }
}

#[test]
fn a_kill_of_its_backends_at_any_moment_loses_nothing() {
    let project = Project::new(&FILES);
    project.ok(&["build"]);
    let mut version = 1;
    for moment in moments(11, 6, 500) {
        version += 1;
        let vars = format!("{{v: {version}}}");
        let child = project.spawn(&["build", "--vars", &vars]);
        std::thread::sleep(Duration::from_millis(moment));
        project.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = \
             current_database() and pid <> pg_backend_pid()",
        );
        let ran = Ran::of(child.wait_with_output().expect("ends"));
        assert!((0..=2).contains(&ran.code), "{}", ran.stderr);
        check_whole(&project, &format!("backends ended after {moment} ms"));
        project.ok(&["build", "--vars", &vars]);
        check_version(&project, version);
    }
}

#[test]
fn a_killed_run_whose_statement_goes_on_holds_nobody_up() {
    let project = Project::new(&FILES);
    project.ok(&["build"]);
    project.write(
        "models/a.sql",
        "{{ config(materialized='table') }} select 1 as id, 1 as v from pg_sleep(600)",
    );
    let mut child = project.spawn(&["build"]);
    project.wait_for("select 1 from pg_stat_activity where state = 'active' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()");
    child.kill().expect("kills");
    child.wait().expect("ends");
    project.write(FILES[0].0, FILES[0].1);
    let ran = project.marts(&["build"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    check_whole(&project, "a statement went on");
    project.ok(&["build"]);
}

#[test]
fn a_kill_of_the_server_at_any_moment_loses_nothing_published() {
    let root = temp_folder("marts-crash-");
    let _watcher = watch(&root);
    for (path, text) in FILES {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("has one")).expect("makes");
        std::fs::write(path, text).expect("writes");
    }
    std::fs::write(
        root.join("project.yml"),
        "name: shop\nversion: '1.0'\nprofile: shop\n",
    )
    .expect("writes");
    std::fs::write(
        root.join("profiles.yml"),
        "shop:\n  target: it\n  outputs:\n    it: {type: postgres, host: embedded, dbname: shop, \
         schema: shop, threads: 4}\n",
    )
    .expect("writes");
    let spawn = |args: &[&str]| -> Child {
        Command::new(env!("CARGO_BIN_EXE_marts"))
            .args(args)
            .current_dir(&root)
            .env("MARTS_PG_DATA", root.join("pg"))
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("marts starts")
    };
    let marts = |args: &[&str]| Ran::of(spawn(args).wait_with_output().expect("ends"));
    let ran = marts(&["build"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut version = 1;
    for moment in moments(13, 3, 600) {
        version += 1;
        let vars = format!("{{v: {version}}}");
        let started = marts(&["db", "start"]);
        assert_eq!(started.code, 0, "{}", started.stderr);
        let pid = std::fs::read_to_string(root.join("pg/data/postmaster.pid")).expect("runs");
        let pid: u32 = pid
            .lines()
            .next()
            .and_then(|l| l.trim().parse().ok())
            .expect("a pid");
        let child = spawn(&["build", "--vars", &vars]);
        std::thread::sleep(Duration::from_millis(moment));
        kill(pid, "KILL");
        let ran = Ran::of(child.wait_with_output().expect("ends"));
        assert!((0..=2).contains(&ran.code), "{}", ran.stderr);
        let query = "select (select count(*) from shop.a) as a, (select count(distinct v) from \
                     shop.av) as b, (select count(*) from shop.b) as c, (select count(distinct v) \
                     from shop.i) as d, (select n from shop.iv) as e";
        let shown = marts(&["show", "--inline", query, "--output", "csv"]);
        assert!(
            shown.stdout.contains("3000,1,3000,1,3000"),
            "{moment}: {}{}",
            shown.stdout,
            shown.stderr
        );
        let ran = marts(&["build", "--vars", &vars]);
        assert_eq!(ran.code, 0, "after {moment} ms: {}", ran.stderr);
        let query = "select (select max(v) from shop.iv_of) as v".replace("iv_of", "b");
        let shown = marts(&["show", "--inline", &query, "--output", "csv"]);
        assert!(
            shown.stdout.contains(&version.to_string()),
            "{}",
            shown.stdout
        );
        let query = "select count(*) as left_behind from pg_namespace where nspname like '%m\\_%\\_old' or nspname like 'shop\\_\\_m%'";
        let shown = marts(&["show", "--inline", query, "--output", "csv"]);
        assert!(shown.stdout.trim_end().ends_with("\n0"), "{}", shown.stdout);
    }
    marts(&["db", "stop"]);
}
