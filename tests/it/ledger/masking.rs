//! No report shows a value of a sensitive column: neither samples nor what Postgres says.

use crate::run::support::{Project, Ran};

/// The values that nobody may see.
const SECRETS: [&str; 3] = ["ann@x.org", "bob@x.org", "carl@x.org"];

const PEOPLE: &str = "{{ config(materialized='table') }} select * from (values (1, 'ann@x.org', \
                      10), (1, 'ann@x.org', 20), (2, 'bob@x.org', null), (3, 'carl@x.org', 5)) v \
                      (id, email, amount)";

fn yaml(mark: &str) -> String {
    format!(
        "models:\n  - name: people\n    columns:\n      - name: id\n        data_tests: [unique]\n      \
         - name: amount\n        data_tests:\n          - not_null\n          - value_between: \
         {{arguments: {{min_value: 11}}}}\n      - name: email\n{mark}        data_tests:\n          \
         - unique\n          - accepted_values: {{arguments: {{values: [x]}}}}\n          - \
         relationships: {{arguments: {{to: ref('known'), field: address}}}}\n"
    )
}

fn project(mark: &str) -> Project {
    Project::new(&[
        ("models/people.sql", PEOPLE),
        ("models/known.sql", "select 'y'::text as address"),
        ("models/people.yml", &yaml(mark)),
        // Keeps the name, so it is sensitive here too; what is not is shown.
        (
            "models/later.sql",
            "{{ config(materialized='table') }} select id, email, amount from {{ ref('people') }}",
        ),
        (
            "tests/odd.sql",
            "select email, amount from {{ ref('later') }} where amount = 20",
        ),
    ])
}

/// Everything that a run wrote for people or programs.
fn reports(project: &Project, ran: &Ran) -> String {
    let results = std::fs::read_to_string(project.root().join("target/run_results.json"));
    format!(
        "{}\n{}\n{}",
        ran.stdout,
        ran.stderr,
        results.expect("is there")
    )
}

#[track_caller]
fn hides_all(project: &Project, args: &[&str]) -> String {
    let ran = project.marts(args);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let text = reports(project, &ran);
    for secret in SECRETS {
        // The compiled SQL holds what the user wrote into the model's own text.
        let shown = text
            .lines()
            .filter(|line| line.contains(secret) && !line.contains("compiled_code"));
        assert_eq!(shown.count(), 0, "{secret} in:\n{text}");
    }
    text
}

#[test]
fn samples_hide_marked_columns_in_every_format() {
    for mark in [
        "        meta: {sensitive: true}\n",
        "        config: {meta: {sensitive: true}}\n",
    ] {
        let project = project(mark);
        let text = hides_all(&project, &["build"]);
        assert!(text.contains("•••"), "{text}");
        assert!(text.contains("20"), "other columns are shown:\n{text}");
        project.marts(&["run"]);
        let text = hides_all(&project, &["test", "--log-format", "json"]);
        assert!(text.contains("•••"), "{text}");
    }
}

#[test]
fn the_marks_are_what_hides() {
    let project = project("");
    let ran = project.marts(&["build"]);
    assert!(ran.stderr.contains("ann@x.org"), "{}", ran.stderr);
}

#[test]
fn a_pattern_of_the_project_hides_by_name() {
    let project = project("");
    project.write(
        "project.yml",
        "name: shop\nprofile: shop\nsensitive_columns: [\"*MAIL*\", iban]\n",
    );
    hides_all(&project, &["build"]);
    project.write(
        "project.yml",
        "name: shop\nprofile: shop\nsensitive_columns: [\"[a\"]\n",
    );
    project.fails(2, &["build"], &["is no pattern of names"]);
}

#[test]
fn errors_of_postgres_lose_their_values() {
    let project = project("        meta: {sensitive: true}\n");
    for (sql, says) in [
        // A unique index on the column: `Key (email)=(…) is duplicated`.
        (
            "{{ config(materialized='table', indexes=[{'columns': ['email'], 'unique': true}]) }} \
             select * from {{ ref('people') }}",
            "Key (email)=(•••)",
        ),
        // A cast: `invalid input syntax for type integer: "…"`.
        (
            "{{ config(materialized='table') }} select email::int as n from {{ ref('people') }}",
            "invalid input syntax for type integer: \"•••\"",
        ),
        // A check on rows: `Failing row contains (…)`.
        (
            "{{ config(materialized='incremental', post_hook='alter table {{ this }} add constraint \
             c check (amount < 0) not valid') }} select * from {{ ref('people') }}",
            "Failing row contains (•••)",
        ),
    ] {
        project.write("models/later.sql", sql);
        project.marts(&["run", "-s", "people"]);
        project.marts(&["run", "-s", "later"]);
        let text = hides_all(&project, &["run", "-s", "later"]);
        assert!(text.contains(says), "{says} in:\n{text}");
    }
}

#[test]
fn seeds_that_do_not_load_hide_the_value() {
    let project = Project::new(&[
        ("seeds/p.csv", "id,email\n1,ann@x.org\n"),
        (
            "seeds/p.yml",
            "seeds:\n  - name: p\n    config: {column_types: {email: integer}}\n    columns:\n      \
             - name: email\n        meta: {sensitive: true}\n",
        ),
    ]);
    hides_all(&project, &["seed"]);
}

#[test]
fn kept_rows_are_not_masked() {
    let project = project("        meta: {sensitive: true}\n");
    hides_all(&project, &["build", "--store-failures"]);
    assert_eq!(
        project.rows("select unique_field from shop_dbt_test__audit.unique_people_email"),
        "ann@x.org"
    );
}
