//! The ledger of real runs: what stands in it, and what `marts audit` finds when it was touched.

use serde_json::Value as Json;

use crate::run::support::{Project, Ran};

const TABLE: &str =
    "{{ config(materialized='table') }} select g as id from generate_series(1, 3) g";
const TESTS: &str = "models:\n  - name: t\n    columns:\n      - name: id\n        data_tests: \
                     [unique, not_null]\n";

fn project() -> Project {
    Project::new(&[("models/t.sql", TABLE), ("models/t.yml", TESTS)])
}

/// `build`, which writes four entries: the model, two tests, the run.
fn built(times: usize) -> Project {
    let project = project();
    for _ in 0..times {
        project.ok(&["build"]);
    }
    project
}

#[track_caller]
fn broken(project: &Project, args: &[&str], says: &[&str]) -> Ran {
    let all: Vec<&str> = ["audit", "verify"].iter().chain(args).copied().collect();
    let ran = project.marts(&all);
    assert_eq!(ran.code, 1, "{}\n{}", ran.stdout, ran.stderr);
    for text in says {
        assert!(ran.stdout.contains(text), "{text:?} in:\n{}", ran.stdout);
    }
    ran
}

fn head(project: &Project) -> String {
    project.rows("select encode(hash, 'hex') from marts_ledger.head")
}

fn run_results(project: &Project) -> Json {
    let text = std::fs::read_to_string(project.root().join("target/run_results.json"));
    serde_json::from_str(&text.expect("is there")).expect("is JSON")
}

#[test]
fn a_run_writes_an_entry_for_each_node_and_one_for_itself() {
    let project = project();
    let ran = project.ok(&["build"]);
    assert_eq!(
        project.rows(
            "select kind, split_part(node, '.', 3), test, tested_node, status, failures, row_count, \
             published, command, target from marts_ledger.entry order by kind, test"
        ),
        "node|t|~|~|success|~|3|t|build|url run|~|~|~|success|0|3|~|build|url \
         test|not_null_t_id|not_null_t_id|model.shop.t|pass|0|~|~|build|url \
         test|unique_t_id|unique_t_id|model.shop.t|pass|0|~|~|build|url"
    );
    let head = head(&project);
    assert!(
        ran.stderr.contains(&format!("Ledger entry 4, head {head}")),
        "{}",
        ran.stderr
    );
    let env = &run_results(&project)["metadata"]["env"];
    assert_eq!(env["MARTS_LEDGER_HEAD"], Json::from(head));
    assert_eq!(env["MARTS_LEDGER_SEQ"], Json::from("4"));
    assert_eq!(
        project.rows("select count(*) from marts_ledger.entry where sql_sha256 ~ '^[0-9a-f]{64}$'"),
        "3"
    );
}

#[test]
fn an_untouched_ledger_is_whole_and_its_heads_are_found() {
    let project = built(1);
    let first = head(&project);
    project.ok(&["build"]);
    let ran = project.ok(&["audit", "verify", "--head", &first.to_uppercase()]);
    let says = format!("The ledger is whole: 8 entries, head {}", head(&project));
    assert!(ran.stdout.contains(&says), "{}", ran.stdout);
    assert!(ran.stdout.contains("is entry 4"), "{}", ran.stdout);
}

#[test]
fn postgres_alone_computes_the_same_hashes() {
    let project = project();
    project.write(
        "models/t.yml",
        &TESTS.replace("unique", "unique: {name: 'Größe, 1:a'}"),
    );
    project.ok(&["build"]);
    // The documentation's query.
    let query = include_str!("../../../docs/ledger-check.sql");
    assert_eq!(project.rows(query), "", "entries that differ");
    project.sql("update marts_ledger.entry set status = 'pass' where seq = 1");
    assert_eq!(project.rows(query), "1");
}

#[test]
fn an_edited_entry_is_found_with_its_run_and_node() {
    let project = built(2);
    project.sql("update marts_ledger.entry set row_count = 4 where seq = 5");
    let run = project.rows("select run_id from marts_ledger.entry where seq = 5");
    let says = format!("entry 5 (run {run}, model.shop.t) was edited");
    let ran = broken(&project, &[], &[&says, "1 problem in 8 entries"]);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
}

#[test]
fn a_column_that_was_set_to_something_odd_is_found_and_ends_nothing() {
    let project = built(1);
    for (column, value) in [
        ("recorded_at", "'infinity'"),
        ("duration_us", "null"),
        ("git_commit", "''"),
        ("tested_node", "'x'"),
        ("audited", "null"),
        ("hash", "'\\x00'"),
        ("prev_hash", "''"),
    ] {
        project.sql(&format!(
            "create table kept as table marts_ledger.entry; update marts_ledger.entry set \
             {column} = {value} where seq = 1"
        ));
        broken(&project, &[], &["entry 1 (run ", "was edited"]);
        project.sql(
            "delete from marts_ledger.entry; insert into marts_ledger.entry table kept; drop \
             table kept",
        );
        project.ok(&["audit", "verify"]);
    }
}

#[test]
fn missing_entries_are_named() {
    let project = built(2);
    project.sql("delete from marts_ledger.entry where seq in (2, 3)");
    broken(&project, &[], &["entries 2 to 3 are missing", "1 problem"]);
}

#[test]
fn a_cut_off_tail_is_found_by_the_head_or_by_a_hash_that_was_kept() {
    let project = built(2);
    let last = head(&project);
    project.sql("delete from marts_ledger.entry where seq > 6");
    broken(&project, &[], &["entries 7 to 8 are missing"]);
    project.sql(
        "update marts_ledger.head set seq = 6, hash = (select hash from marts_ledger.entry where \
         seq = 6)",
    );
    project.ok(&["audit", "verify"]);
    broken(
        &project,
        &["--head", &last],
        &["no entry has the hash", &last],
    );
}

#[test]
fn swapped_and_inserted_entries_are_found() {
    let project = built(2);
    project.sql(
        "update marts_ledger.entry set seq = 1000 where seq = 2; update marts_ledger.entry set \
         seq = 2 where seq = 3; update marts_ledger.entry set seq = 3 where seq = 1000",
    );
    broken(&project, &[], &["entry 2 (", "entry 3 (", "was edited"]);
    let project = built(1);
    project.sql(
        "insert into marts_ledger.entry select * from marts_ledger.entry where false; create temp \
         table e as select * from marts_ledger.entry where seq = 4; update e set seq = 5; insert \
         into marts_ledger.entry table e",
    );
    broken(&project, &[], &["entry 5 (", "was inserted"]);
}

#[test]
fn a_failed_run_is_recorded_alone() {
    let project = project();
    project.write("models/t.sql", &TABLE.replace("g as id", "g / g as id"));
    project.fails(1, &["build"], &["unique"]);
    assert_eq!(
        project.rows(
            "select kind, coalesce(test, node), status, failures from marts_ledger.entry order by \
             kind, 2"
        ),
        "node|model.shop.t|success|~ run|~|error|1 test|not_null_t_id|pass|0 \
         test|unique_t_id|fail|1"
    );
    project.ok(&["audit", "verify"]);
}

#[test]
fn runs_at_once_write_one_unbroken_chain() {
    let project = project();
    project.ok(&["run"]);
    project.sql("drop schema marts_ledger cascade");
    // Each makes the tables if it is the first.
    let runs: Vec<_> = (0..6)
        .map(|_| project.spawn(&["test", "--target-path", "t"]))
        .collect();
    for run in runs {
        let ran = Ran::of(run.wait_with_output().expect("ends"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    }
    let ran = project.ok(&["audit", "verify"]);
    assert!(ran.stdout.contains("18 entries"), "{}", ran.stdout);
}

#[test]
fn a_role_without_privileges_is_told_once_and_runs_on() {
    let project = project();
    project.sql("create role l1_robot login; create schema shop authorization l1_robot");
    let project = project.with_role("l1_robot");
    let ran = project.ok(&["build"]);
    let remedy = "create schema marts_ledger authorization \"l1_robot\"";
    assert_eq!(
        ran.stderr.matches("ledger-unavailable").count(),
        1,
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(remedy), "{}", ran.stderr);
    project.sql("create schema marts_ledger authorization l1_robot");
    let ran = project.ok(&["build"]);
    assert!(ran.stderr.contains("Ledger entry 4"), "{}", ran.stderr);
    project.sql("alter table marts_ledger.entry owner to postgres");
    project.sql("alter table marts_ledger.head owner to postgres");
    let ran = project.ok(&["build"]);
    assert!(
        ran.stderr
            .contains("grant select, insert on marts_ledger.entry"),
        "{}",
        ran.stderr
    );
    // What the message says to run is enough, and leaves nothing to edit with.
    project.sql(
        "grant usage on schema marts_ledger to l1_robot; grant select, insert on \
         marts_ledger.entry to l1_robot; grant select, update on marts_ledger.head to l1_robot",
    );
    let ran = project.ok(&["build"]);
    assert!(ran.stderr.contains("Ledger entry 8"), "{}", ran.stderr);
    project.ok(&["audit", "verify"]);
    project.sql("drop owned by l1_robot cascade; drop role l1_robot");
}

#[test]
fn history_shows_the_trend_of_a_test() {
    let project = built(1);
    project.write("models/t.sql", &TABLE.replace("g as id", "g / 3 as id"));
    project.fails(1, &["build"], &[]);
    project.write("models/t.sql", TABLE);
    project.ok(&["build"]);
    let ran = project.ok(&["audit", "history", "unique_t_id"]);
    assert!(ran.stdout.contains("·█·  most 1"), "{}", ran.stdout);
    let ran = project.ok(&[
        "audit", "history", "UNIQUE_T", "--limit", "2", "--output", "json",
    ]);
    let points: Json = serde_json::from_str(&ran.stdout).expect("is JSON");
    assert_eq!(points.as_array().map(Vec::len), Some(2), "{points}");
    assert_eq!(points[0]["verdict"], "fail");
    assert_eq!(points[0]["failures"].to_string().trim_matches('"'), "1");
    let ran = project.ok(&["audit", "runs", "--output", "csv"]);
    assert_eq!(ran.stdout.lines().count(), 4, "{}", ran.stdout);
    assert!(ran.stdout.contains(&head(&project)), "{}", ran.stdout);
    project.fails(
        2,
        &["audit", "history", "unique_t_idd"],
        &["ledger-unknown-test", "did you mean `unique_t_id`?"],
    );
    project.fails(
        2,
        &["audit", "history", "_t_id"],
        &["2 tests are called like"],
    );
}

#[test]
fn only_runs_of_projects_that_ask_for_it_make_a_ledger() {
    let project = project();
    project.ok(&["parse"]);
    project.ok(&["ls"]);
    project.ok(&["compile"]);
    let there = "select count(*) from pg_namespace where nspname = 'marts_ledger'";
    assert_eq!(project.rows(there), "0");
    project.fails(2, &["audit", "verify"], &["ledger-missing"]);
    let file = "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: shop\n";
    std::fs::remove_file(project.root().join("project.yml")).expect("is there");
    project.write("dbt_project.yml", file);
    project.ok(&["build"]);
    assert_eq!(project.rows(there), "0");
    project.write("dbt_project.yml", &format!("{file}ledger: true\n"));
    project.ok(&["build"]);
    assert_eq!(project.rows(there), "1");
}

#[test]
fn a_publication_is_written_down_in_its_own_transaction() {
    let files = [("models/t.sql", TABLE), ("models/t.yml", TESTS)];
    let project = Project::published("together", &files);
    project.ok(&["build"]);
    assert_eq!(
        project.rows(
            "select kind, coalesce(test, node), status, published, audited from \
             marts_ledger.entry order by kind, 2"
        ),
        "node|model.shop.t|success|t|t publication|~|published|t|t run|~|success|~|~ \
         test|not_null_t_id|pass|~|~ test|unique_t_id|pass|~|~"
    );
    // One transaction made the table visible and wrote of it.
    assert_eq!(
        project.rows(
            "select count(distinct e.xmin::text), bool_and(e.xmin = c.xmin) from \
             marts_ledger.entry e, pg_class c where c.oid = 'shop.t'::regclass and e.kind = \
             'publication'"
        ),
        "1|t"
    );
    project.ok(&["audit", "verify"]);
    // Built and not published, since a test fails.
    project.write("models/t.sql", &TABLE.replace("g as id", "1 as id"));
    project.fails(1, &["build"], &[]);
    assert_eq!(
        project.rows(
            "select kind, status, published, audited from marts_ledger.entry where seq > 5 and \
             kind <> 'test' order by kind"
        ),
        "node|success|f|f run|error|~|~"
    );
    // Published by `run`, which asks no tests.
    project.write("models/t.sql", TABLE);
    project.ok(&["run"]);
    assert_eq!(
        project.rows(
            "select published, audited from marts_ledger.entry where kind = 'node' order by seq \
             desc limit 1"
        ),
        "t|f"
    );
    project.ok(&["build", "--dry-run"]);
    let ran = project.ok(&["audit", "verify"]);
    assert!(ran.stdout.contains("12 entries"), "{}", ran.stdout);
}

#[test]
fn a_ledger_that_cannot_be_written_publishes_nothing() {
    let files = [("models/t.sql", TABLE), ("models/t.yml", TESTS)];
    let project = Project::published("together", &files);
    project.ok(&["build"]);
    project.sql("delete from marts_ledger.head");
    project.write("models/t.sql", &TABLE.replace("(1, 3)", "(1, 9)"));
    project.fails(1, &["build"], &["marts_ledger.head has lost its row"]);
    assert_eq!(project.rows("select count(*) from shop.t"), "3");
    broken(&project, &[], &["marts_ledger.head has lost its row"]);
}
