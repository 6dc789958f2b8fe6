//! `warn_if` and `error_if` by count and by share of rows.

use crate::run::support::Project;

fn project(config: &str) -> Project {
    let tests = format!(
        "models: [{{name: a, columns: [{{name: v, data_tests: [not_null: {{name: t, config: {config}}}]}}]}}]"
    );
    Project::new(&[
        (
            "models/a.sql",
            "{{ config(materialized='table') }} select g as id, case when g > {{ var('nulls', 1) }} \
             then g end as v from generate_series(1, {{ var('rows', 1000) }}) g",
        ),
        ("models/s.yml", &tests),
    ])
}

#[track_caller]
fn build(project: &Project, vars: &str) -> (String, String) {
    project.marts(&["build", "--vars", vars]);
    let results = project.results();
    let (_, status, message) = results
        .iter()
        .find(|(name, ..)| name == "t")
        .expect("has run");
    (status.clone(), message.clone())
}

#[test]
fn a_share_of_rows_decides() {
    let project = project("{error_if: '> 1 %', warn_if: '> 0.1%'}");
    for (vars, status, says) in [
        ("{nulls: 0}", "pass", ""),
        ("{nulls: 1}", "pass", ""),
        (
            "{nulls: 2}",
            "warn",
            "2 of 1000 rows failed (0.2 %): warn if > 0.1%",
        ),
        (
            "{nulls: 10}",
            "warn",
            "10 of 1000 rows failed (1 %): warn if > 0.1%",
        ),
        (
            "{nulls: 11}",
            "fail",
            "11 of 1000 rows failed (1.1 %): error if > 1 %",
        ),
        ("{nulls: 1, rows: 0}", "pass", ""),
    ] {
        let (found, message) = build(&project, vars);
        assert_eq!(found, status, "{vars}: {message}");
        assert!(message.contains(says), "{vars}: {message}");
    }
}

#[test]
fn the_share_is_of_the_rows_that_where_leaves() {
    let project = project("{error_if: '> 10%', where: id <= 20}");
    assert_eq!(build(&project, "{nulls: 2}").0, "warn");
    let (status, message) = build(&project, "{nulls: 3}");
    assert_eq!(status, "fail");
    assert!(message.contains("3 of 20 rows failed (15 %)"), "{message}");
}

#[test]
fn a_warning_ignores_error_if_as_in_dbt() {
    let project = project("{severity: warn, warn_if: '> 100', error_if: '> 10'}");
    assert_eq!(build(&project, "{nulls: 50}").0, "pass");
    let (status, message) = build(&project, "{nulls: 500}");
    assert_eq!(
        (status.as_str(), message.as_str()),
        ("warn", "500 failures: warn if > 100")
    );
}

#[test]
fn a_singular_test_of_one_model_may_have_a_share() {
    let project = project("{}");
    project.write(
        "tests/t2.sql",
        "{{ config(error_if='> 50%', warn_if='> 40%') }} select * from {{ ref('a') }} where v is null",
    );
    build(&project, "{nulls: 450}");
    assert!(
        project.statuses().contains("t2=warn"),
        "{}",
        project.statuses()
    );
    build(&project, "{nulls: 501}");
    assert!(
        project.statuses().contains("t2=fail"),
        "{}",
        project.statuses()
    );
}

#[test]
fn a_share_without_one_tested_relation_is_refused() {
    let project = project("{}");
    project.write("models/b.sql", "select 1 as id");
    project.write(
        "tests/both.sql",
        "{{ config(error_if='> 1%') }} select a.id from {{ ref('a') }} a join {{ ref('b') }} b using (id)",
    );
    project.fails(
        2,
        &["build"],
        &["both", "tests/both.sql", "reads 2 relations"],
    );
}

#[test]
fn what_is_no_threshold_is_told_at_its_place() {
    for text in ["> 1..0%", "5", "> 3 -- many"] {
        let project = project(&format!("{{error_if: '{text}'}}"));
        project.fails(2, &["build"], &["error_if", "models/s.yml:1", text]);
    }
}
