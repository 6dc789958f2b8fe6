//! Each publish mode through the binary.

use crate::run::support::Project;

const MODELS: &[(&str, &str)] = &[
    ("seeds/numbers.csv", "n\n1\n2\n"),
    (
        "models/base.sql",
        "{{ config(materialized='table') }}select n * {{ var('factor', 1) }} as n from {{ ref('numbers') }}",
    ),
    (
        "models/shown.sql",
        "select n + 1 as m from {{ ref('base') }}",
    ),
    (
        "models/total.sql",
        "{{ config(materialized='table') }}select sum(m) as total from {{ ref('shown') }}",
    ),
];

const BOUND: (&str, &str) = (
    "tests/small.sql",
    "select * from {{ ref('total') }} where total > 100",
);

fn project(mode: &str) -> Project {
    let mut files = MODELS.to_vec();
    files.push(BOUND);
    Project::published(mode, &files)
}

#[test]
fn a_good_run_together_publishes_tables_views_and_seeds() {
    let project = project("together");
    let ran = project.ok(&["build"]);
    assert_eq!(
        project.rows("select total from shop.total"),
        "5",
        "{}",
        ran.stderr
    );
    assert_eq!(project.rows("select m from shop.shown order by 1"), "2 3");
    project.ok(&["build", "--vars", "{factor: 10}"]);
    assert_eq!(project.rows("select total from shop.total"), "32");
    assert_eq!(project.rows("select m from shop.shown order by 1"), "11 21");
}

#[test]
fn a_failed_test_leaves_everything_as_it_was() {
    for mode in ["together", "audited"] {
        let project = project(mode);
        project.ok(&["build"]);
        project.fails(1, &["build", "--vars", "{factor: 100}"], &["small"]);
        assert_eq!(project.rows("select total from shop.total"), "5", "{mode}");
        let below = match mode {
            "together" => "2 3",
            _ => "101 201",
        };
        assert_eq!(project.rows("select m from shop.shown order by 1"), below);
        assert_ne!(project.leftovers(), "", "candidates stay for a look");
        project.ok(&["build"]);
        assert_eq!(project.rows("select m from shop.shown order by 1"), "2 3");
    }
}

#[test]
fn a_first_build_that_fails_publishes_nothing() {
    let project = project("together");
    project.fails(1, &["build", "--vars", "{factor: 100}"], &["small"]);
    assert_eq!(
        project.rows("select relname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'shop'"),
        ""
    );
}

#[test]
fn run_publishes_without_tests_unless_an_audit_is_required() {
    let project = project("together");
    project.ok(&["seed"]);
    project.ok(&["run", "--vars", "{factor: 100}"]);
    assert_eq!(project.rows("select total from shop.total"), "302");
    project.write(
        "models/total.sql",
        "{{ config(materialized='table', require_audit=true) }}select 1 as total",
    );
    project.fails(2, &["run"], &["publish-mode", "total", "marts build"]);
    project.fails(2, &["build", "--publish", "immediate"], &["publish-mode"]);
    project.ok(&["build"]);
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let project = project("together");
    project.write(
        "models/base.yml",
        "models: [{name: base, columns: [{name: n, data_tests: [unique]}]}]",
    );
    let changes = |args: &[&str]| {
        let mut all = vec!["build", "--dry-run", "--log-format", "json"];
        all.extend(args);
        let ran = project.ok(&all);
        let line = ran
            .stderr
            .lines()
            .find(|l| l.contains("\"event\":\"changes\""));
        let line: serde_json::Value =
            serde_json::from_str(line.expect("changes")).expect("is JSON");
        let list = line["changes"].as_array().expect("a list").clone();
        let text = |c: &serde_json::Value| {
            format!(
                "{} {} {} {} {}",
                c["relation"].as_str().expect("a name"),
                c["kind"].as_str().expect("a kind"),
                c["columns"],
                c["rows"],
                c["by_key"]
            )
        };
        list.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(
        changes(&[]),
        [
            "shop.numbers new [\"+ n integer\"] [0,2] null",
            "shop.base new [\"+ n integer\"] [0,2] null",
            "shop.shown new [\"+ m integer\"] null null",
            "shop.total new [\"+ total bigint\"] [0,1] null",
        ]
    );
    project.ok(&["build"]);
    project.write("seeds/numbers.csv", "n\n2\n3\n5\n");
    project.write(
        "models/total.sql",
        "{{ config(materialized='table') }}select max(m)::text as total, 1 as one from {{ ref('shown') }}",
    );
    project.write("tests/small.sql", "select 1 where false");
    assert_eq!(
        changes(&["--rows"]),
        [
            "shop.numbers changed [] [2,3] [2,1,0]",
            "shop.base changed [] [2,3] [2,1,0]",
            "shop.shown changed [] null [2,1,0]",
            "shop.total changed [\"~ total bigint -> text\",\"+ one integer\"] [1,1] [1,1,0]",
        ]
    );
    assert_eq!(project.rows("select total from shop.total"), "5");
}
