//! Passing and failing, in `test` and in `build`.

use super::project;
use crate::run::support::Project;

/// Orders from a source that exists nowhere.
const MODEL: &str = "select order_id, sum(amount) as amount, max(paid_at) as paid_at from {{ \
                     source('raw', 'payments') }} where status = 'paid' group by 1";
const SOURCE: &str = "
sources:
  - name: raw
    tables: [{name: payments}]
";

fn yaml(expect: &str) -> String {
    format!(
        "{SOURCE}
unit_tests:
  - name: sums_paid
    model: m
    given:
      - input: source('raw', 'payments')
        rows:
          - {{order_id: 1, amount: 10, status: paid, paid_at: 2024-02-29}}
          - {{order_id: 1, amount: 2.5, status: paid, paid_at: 2024-03-01}}
          - {{order_id: 2, amount: 7, status: open}}
          - {{order_id: 3, amount: 1e3, status: paid}}
    expect: {expect}
"
    )
}

#[test]
fn a_model_whose_parents_exist_nowhere_is_tested() {
    let project = project(
        MODEL,
        &yaml(
            "{rows: [{order_id: 3, amount: 1000.00, paid_at: null}, {order_id: 1, amount: 12.5, paid_at: 2024-03-01}]}",
        ),
    );
    project.ok(&["test"]);
    assert_eq!(project.statuses(), "m=pass");
    assert_eq!(
        project.rows("select count(*) from pg_class where relname in ('m', 'payments')"),
        "0"
    );
}

#[test]
fn only_expected_columns_are_compared() {
    let project = project(MODEL, &yaml("{rows: [{order_id: 1}, {order_id: 3}]}"));
    project.ok(&["test"]);
}

#[test]
fn a_failing_one_shows_the_rows_that_differ() {
    let project = project(
        MODEL,
        &yaml(
            "{rows: [{order_id: 1, amount: 12}, {order_id: 4, amount: 4}, {order_id: 3, amount: 1000}]}",
        ),
    );
    let ran = project.fails(
        1,
        &["test"],
        &[
            "actual differs from expected: 1 row differs, 1 row is missing, 1 row is as expected",
            "    → 1         12 → 12.5",
            "    - 4         4",
        ],
    );
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    let results = project.results();
    assert_eq!(results[0].1, "fail");
    assert!(results[0].2.contains("12 → 12.5"), "{}", results[0].2);
}

#[test]
fn rows_count_as_often_as_they_are_there_and_null_equals_null() {
    let model = "select * from {{ ref('p') }}";
    let yaml = |expect: &str| {
        format!(
            "
unit_tests:
  - name: t
    model: m
    given: [{{input: ref('p'), rows: [{{a: 1, b: null}}, {{a: 1, b: null}}, {{a: null, b: x}}]}}]
    expect: {{rows: {expect}}}
"
        )
    };
    let twice = "[{a: 1, b: null}, {a: null, b: x}, {a: 1, b: null}]";
    let project = project(model, &yaml(twice));
    project.write("models/p.sql", "select 1 as a");
    project.ok(&["test"]);
    project.write(
        "models/schema.yml",
        &yaml("[{a: 1, b: null}, {a: null, b: x}]"),
    );
    project.fails(1, &["test"], &["1 row is not expected", "+ 1  NULL"]);
    project.write(
        "models/schema.yml",
        &yaml("[{a: 1, b: null}, {a: 1, b: null}, {a: 1, b: null}, {a: null, b: x}]"),
    );
    project.fails(1, &["test"], &["1 row is missing", "- 1  NULL"]);
}

#[test]
fn nothing_is_expected_of_no_rows() {
    let yaml = |rows: &str| {
        format!(
            "
unit_tests:
  - name: t
    model: m
    given: [{{input: ref('p'), rows: [{rows}]}}]
    expect: {{rows: []}}
"
        )
    };
    let project = project("select a from {{ ref('p') }} where a > 1", &yaml("{a: 1}"));
    project.write("models/p.sql", "select 1 as a");
    project.ok(&["test"]);
    project.write("models/schema.yml", &yaml("{a: 1}, {a: 2}"));
    project.fails(1, &["test"], &["1 row is not expected", "+ 2"]);
}

#[test]
fn in_a_build_it_runs_before_its_model_and_holds_it_back() {
    let test = |wanted: u32| {
        format!(
            "
models:
  - name: m
    columns: [{{name: a, data_tests: [not_null]}}]
unit_tests:
  - name: t
    model: m
    given: [{{input: ref('p'), rows: [{{a: 1}}]}}]
    expect: {{rows: [{{a: {wanted}}}]}}
"
        )
    };
    let project = Project::new(&[
        ("models/p.sql", "select 1 as a"),
        ("models/m.sql", "select a + 1 as a from {{ ref('p') }}"),
        ("models/c.sql", "select a from {{ ref('m') }}"),
        ("models/schema.yml", &test(3)),
    ]);
    project.fails(1, &["build"], &["unit_test `t` failed"]);
    let statuses = |project: &Project| {
        let mut all: Vec<String> = project
            .results()
            .iter()
            .map(|(name, status, _)| format!("{name}={status}"))
            .collect();
        all.sort();
        all.join(" ")
    };
    assert_eq!(
        statuses(&project),
        "c=skipped m=fail m=skipped not_null_m_a=skipped p=success"
    );
    project.write("models/schema.yml", &test(2));
    project.ok(&["build"]);
    assert_eq!(
        statuses(&project),
        "c=success m=pass m=success not_null_m_a=pass p=success"
    );
    project.ok(&["run"]);
    assert_eq!(statuses(&project), "c=success m=success p=success");
}

#[test]
fn what_an_ephemeral_models_query_goes_into_waits_for_its_unit_tests() {
    let project = Project::new(&[
        (
            "models/e.sql",
            "{{ config(materialized='ephemeral') }} select a * 2 as a from {{ ref('p') }}",
        ),
        ("models/p.sql", "select 1 as a"),
        ("models/m.sql", "select a from {{ ref('e') }}"),
        (
            "models/schema.yml",
            "
unit_tests:
  - name: doubles
    model: e
    given: [{input: ref('p'), rows: [{a: 2}]}]
    expect: {rows: [{a: 5}]}
",
        ),
    ]);
    project.fails(1, &["build"], &["4"]);
    assert_eq!(project.statuses(), "e=fail m=skipped p=success");
}

#[test]
fn it_is_selected_by_name_type_and_model() {
    let project = Project::new(&[
        ("models/p.sql", "select 1 as a"),
        ("models/m.sql", "select a from {{ ref('p') }}"),
        (
            "models/schema.yml",
            "
models:
  - name: m
    columns: [{name: a, data_tests: [not_null]}]
unit_tests:
  - name: first
    model: m
    config: {tags: fast}
    given: [{input: ref('p'), rows: [{a: 1}]}]
    expect: {rows: [{a: 1}]}
  - name: second
    model: m
    given: [{input: ref('p'), rows: []}]
    expect: {rows: []}
  - name: off
    model: m
    config: {enabled: false}
    given: [{input: ref('p'), rows: []}]
    expect: {rows: []}
",
        ),
    ]);
    let listed = |args: &[&str]| {
        let ran = project.ok(&[&["ls"], args].concat());
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (first, second) = ("unit_test:shop.first", "unit_test:shop.second");
    let both = format!("{first} {second}");
    assert_eq!(listed(&["-s", "test_type:unit"]), both);
    assert_eq!(listed(&["-s", "unit_test:first"]), first);
    assert_eq!(listed(&["-s", "tag:fast"]), first);
    assert_eq!(listed(&["--resource-type", "unit_test"]), both);
    assert_eq!(
        listed(&["-s", "m"]),
        format!("shop.m shop.not_null_m_a {both}")
    );
    assert_eq!(
        listed(&["-s", "m", "--exclude", "test_type:unit"]),
        "shop.m shop.not_null_m_a"
    );
}
