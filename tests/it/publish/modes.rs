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
