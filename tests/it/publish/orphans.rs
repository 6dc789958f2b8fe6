//! Relations that removed models left behind: told, and dropped only on demand and only if
//! the ledger says that they are ours.

use serde_json::Value as Json;

use crate::run::support::Project;

const TABLE: &str =
    "{{ config(materialized='table') }} select g as id from generate_series(1, 3) g";

fn project() -> Project {
    Project::published(
        "together",
        &[
            ("models/stays.sql", TABLE),
            ("models/old.sql", TABLE),
            ("models/old_view.sql", "select * from {{ ref('old') }}"),
            ("models/Odd \"one\".sql", "select 1 as id"),
        ],
    )
}

/// A project from which all but one model is removed, beside a table of somebody else.
fn removed() -> Project {
    let project = project();
    project.ok(&["build"]);
    for name in ["old", "old_view", "Odd \"one\""] {
        project.remove(&format!("models/{name}.sql"));
    }
    project.sql("create table shop.theirs as select 1 as id");
    project
}

fn relations(project: &Project) -> String {
    project.rows(
        "select relname from pg_class where relnamespace = 'shop'::regnamespace and relkind in \
         ('r', 'v', 'm') order by relname collate \"C\"",
    )
}

/// Relations that a command tells to be left over, with their rows.
fn told(project: &Project, args: &[&str]) -> Vec<String> {
    let all: Vec<&str> = args
        .iter()
        .copied()
        .chain(["--log-format", "json"])
        .collect();
    let ran = project.ok(&all);
    let events = ran
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let changes = events.filter(|event| event["event"] == "changes");
    let lists = changes.filter_map(|event| event["changes"].as_array().cloned());
    lists
        .flatten()
        .filter(|change| change["kind"] == "orphan")
        .map(|change| {
            format!(
                "{} {}",
                change["relation"].as_str().expect("a name"),
                change["rows"]
            )
        })
        .collect()
}

const ALL: &str = "Odd \"one\" old old_view stays theirs";

#[test]
fn a_dry_run_tells_what_removed_models_left_and_drops_nothing() {
    let project = removed();
    let left = [
        "shop.Odd \"one\" null",
        "shop.old [3,0]",
        "shop.old_view null",
    ];
    assert_eq!(told(&project, &["build", "--dry-run"]), left);
    assert_eq!(told(&project, &["diff"]), left);
    assert_eq!(
        told(&project, &["build", "--dry-run", "--drop-orphans"]),
        left
    );
    project.ok(&["build"]);
    assert_eq!(relations(&project), ALL);
}

#[test]
fn they_are_dropped_on_demand_after_a_build_that_went_well() {
    let project = removed();
    project.write("tests/wrong.sql", "select * from {{ ref('stays') }}");
    project.fails(1, &["build", "--drop-orphans"], &["did not end well"]);
    assert_eq!(relations(&project), ALL);
    project.remove("tests/wrong.sql");
    let ran = project.ok(&["build", "--drop-orphans"]);
    assert!(
        ran.stderr.contains("dropped table shop.old"),
        "{}",
        ran.stderr
    );
    assert_eq!(relations(&project), "stays theirs");
    assert_eq!(
        project.rows("select count(*) from marts_ledger.entry where status = 'dropped'"),
        "3"
    );
    assert_eq!(project.marts(&["audit", "verify"]).code, 0);
    // Whoever takes the name afterwards is somebody else.
    project.sql("create table shop.old as select 7 as id");
    project.ok(&["build", "--drop-orphans"]);
    assert_eq!(relations(&project), "old stays theirs");
}

#[test]
fn what_others_built_on_them_keeps_them_and_is_named() {
    let project = removed();
    project.sql("create schema lab; create view lab.report as select id from shop.old");
    project.fails(
        1,
        &["build", "--drop-orphans"],
        &[
            "publish-refused",
            "shop.old of the removed node model.shop.old",
            "lab.report",
        ],
    );
    assert_eq!(relations(&project), "old stays theirs");
    assert_eq!(project.rows("select count(*) from lab.report"), "3");
    project.sql("drop view lab.report");
    project.ok(&["build", "--drop-orphans"]);
    assert_eq!(relations(&project), "stays theirs");
}

#[test]
fn the_history_of_a_removed_snapshot_is_never_dropped() {
    let project = project();
    project.write(
        "snapshots/h.sql",
        "{% snapshot h %}{{ config(unique_key='id', strategy='check', check_cols='all', \
         target_schema='shop') }} select * from {{ ref('stays') }}{% endsnapshot %}",
    );
    project.ok(&["build"]);
    project.remove("snapshots/h.sql");
    assert_eq!(told(&project, &["diff"]), ["shop.h [3,0]"]);
    project.ok(&["build", "--drop-orphans"]);
    assert_eq!(project.rows("select count(*) from shop.h"), "3");
}

#[test]
fn what_another_project_or_another_target_published_is_not_ours() {
    let project = removed();
    let other = Project::published("together", &[("models/finance.sql", TABLE)]);
    let url = format!("{}&schema=shop", project.db.url());
    let other = other.with_url(&url);
    let file = other
        .read("project.yml")
        .replace("name: shop", "name: finance");
    other.write("project.yml", &file);
    other.ok(&["build"]);
    project.ok(&["build", "--drop-orphans"]);
    assert_eq!(relations(&project), "finance stays theirs");
    // Without a record of what was published, nothing is known to be ours.
    let file = project.read("project.yml");
    project.write("project.yml", &format!("{file}ledger: false\n"));
    project.sql("drop schema marts_ledger cascade");
    project.fails(
        1,
        &["build", "--drop-orphans"],
        &["ledger-unavailable", "ledger: true"],
    );
}
