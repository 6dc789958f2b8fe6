//! Which tests share a scan, what becomes of those that do not, and what `--no-fuse` does.

use crate::run::support::Project;

const TABLE: &str = "{{ config(materialized='table') }} select g as id, g * 10 as amount, \
                     case when g % 2 = 0 then 'even' else 'odd' end as kind \
                     from generate_series(1, 100) g";

const TESTS: &str = "
models:
  - name: numbers
    columns:
      - name: id
        data_tests: [unique, not_null]
      - name: amount
        data_tests:
          - not_null
          - unique
          - value_between: {arguments: {min_value: 0, max_value: 1000}}
      - name: kind
        data_tests:
          - accepted_values: {arguments: {values: [even, odd]}}
    data_tests:
      - grain_unique: {arguments: {columns: [id, kind]}}
      - expression_is_true: {arguments: {expression: amount = id * 10}}
";

fn project(tests: &str) -> Project {
    Project::new(&[("models/numbers.sql", TABLE), ("models/s.yml", tests)])
}

/// How often the table of these tests was read from one end to the other by the last command.
fn scans_of(project: &Project, command: &[&str]) -> i64 {
    let count =
        "select coalesce(sum(seq_scan), 0) from pg_stat_user_tables where relname = 'numbers'";
    let before: i64 = project.rows(count).parse().expect("is a number");
    project.marts(command);
    // The last backend reports its numbers when it ends, which is a moment later.
    project.wait_for(
        "select 1 where not exists (select from pg_stat_activity where datname = \
         current_database() and backend_type = 'client backend' and pid <> pg_backend_pid())",
    );
    project.rows(count).parse::<i64>().expect("is a number") - before
}

#[test]
fn all_tests_of_a_table_share_two_scans() {
    let project = project(TESTS);
    // In a build they read the new table before anyone else does.
    assert_eq!(scans_of(&project, &["build"]), 2);
    assert_eq!(scans_of(&project, &["test"]), 2);
    assert_eq!(project.results().len(), 8);
    assert!(
        project
            .results()
            .iter()
            .all(|(_, status, _)| status == "pass")
    );
    assert_eq!(scans_of(&project, &["test", "--no-fuse"]), 8);
}

#[test]
fn a_test_that_finds_rows_tells_them_and_the_others_still_share() {
    let project = project(TESTS);
    project.ok(&["run"]);
    project.sql("update shop.numbers set amount = null where id = 7");
    project.sql("update shop.numbers set kind = 'else' where id in (8, 9)");
    let fused = project.fails(1, &["test"], &["else"]);
    let (with, results) = (project.statuses(), sorted(&project));
    project.fails(1, &["test", "--no-fuse"], &["else"]);
    assert_eq!(project.statuses(), with, "{}", fused.stderr);
    assert_eq!(sorted(&project), results);
    assert_eq!(
        results
            .iter()
            .filter(|(_, status, _)| status == "fail")
            .count(),
        3
    );
}

fn sorted(project: &Project) -> Vec<(String, String, String)> {
    let mut results = project.results();
    results.sort();
    results
}

#[test]
fn a_test_that_does_not_run_spoils_only_itself() {
    let project = project(&TESTS.replace(
        "- name: kind",
        "- name: missing\n        data_tests: [not_null]\n      - name: kind",
    ));
    project.ok(&["run"]);
    project.fails(1, &["test"], &["column \"missing\" does not exist"]);
    let results = project.results();
    let count = |wanted: &str| results.iter().filter(|(_, s, _)| s == wanted).count();
    assert_eq!((count("pass"), count("error")), (8, 1));
}

#[test]
fn a_column_that_is_only_selected_must_exist_as_well() {
    let project = project(TESTS);
    project.write(
        "tests/one.sql",
        "select nothing from {{ ref('numbers') }} where id < 0",
    );
    project.write(
        "tests/two.sql",
        "select * from {{ ref('numbers') }} where amount < 0",
    );
    project.ok(&["run"]);
    project.fails(
        1,
        &["test", "-s", "one two"],
        &["column \"nothing\" does not exist"],
    );
    assert_eq!(project.statuses(), "one=error two=pass");
}

#[test]
fn a_unique_index_answers_without_a_scan() {
    let project = project(
        "
models:
  - name: numbers
    config: {indexes: [{columns: [id], unique: true}, {columns: [amount], unique: true}]}
    columns:
      - name: id
        data_tests: [unique, not_null]
      - name: amount
        data_tests: [unique, not_null]
    data_tests:
      - grain_unique: {arguments: {columns: [id, kind]}}
      - grain_unique: {arguments: {columns: [kind, amount]}}
",
    );
    project.ok(&["run"]);
    project.sql("alter table shop.numbers alter id set not null");
    // One scan for not_null, one for the grain whose nullable column may repeat.
    assert_eq!(scans_of(&project, &["test"]), 2);
    project.sql("insert into shop.numbers values (101, null, 'even'), (102, null, 'even')");
    project.fails(
        1,
        &["test", "-s", "test_name:grain_unique"],
        &["(kind, amount)"],
    );
    assert_eq!(project.statuses().matches("fail").count(), 1);
}

#[test]
fn keys_without_a_hash_and_without_rows_give_their_own_error() {
    let project = Project::new(&[
        (
            "models/a.sql",
            "{{ config(materialized='table') }} select '{}'::json as doc, 1.50::money as price, \
             'a b'::tsvector as words where {{ var('rows', false) }}",
        ),
        (
            "models/s.yml",
            "
models:
  - name: a
    columns:
      - name: doc
        data_tests: [unique]
      - name: price
        data_tests: [unique]
      - name: words
        data_tests: [unique]
",
        ),
    ]);
    for rows in ["{rows: false}", "{rows: true}"] {
        project.fails(1, &["build", "--vars", rows], &["type json"]);
        let fused = project.statuses();
        project.fails(1, &["build", "--vars", rows, "--no-fuse"], &["type json"]);
        assert_eq!(project.statuses(), fused);
        assert_eq!(fused.matches("=pass").count(), 2, "{fused}");
    }
}

#[test]
fn odd_names_share_a_scan() {
    let column = "Größe \"in\" %";
    let project = Project::new(&[
        (
            "models/odd.sql",
            "{{ config(materialized='table', alias='Odd \"one\".x') }} select 1 as \"Größe \"\"in\"\" %\", 2 as \"user\"",
        ),
        (
            "models/s.yml",
            "
models:
  - name: odd
    columns:
      - name: 'Größe \"in\" %'
        quote: true
        data_tests: [unique, not_null, accepted_values: {arguments: {values: [1]}}]
      - name: user
        quote: true
        data_tests: [unique, not_null]
",
        ),
    ]);
    let ran = project.marts(&["build"]);
    assert_eq!(ran.code, 0, "{column}: {}", ran.stderr);
    project.sql("update shop.\"Odd \"\"one\"\".x\" set \"user\" = null");
    project.fails(1, &["test"], &["user is never null"]);
    assert_eq!(project.statuses().matches("=pass").count(), 4);
}

#[test]
fn a_test_of_an_ephemeral_model_reads_what_that_reads() {
    let project = Project::new(&[
        ("models/numbers.sql", TABLE),
        (
            "models/eph.sql",
            "{{ config(materialized='ephemeral') }} select id, amount from {{ ref('numbers') }} where id > 5",
        ),
        (
            "models/s.yml",
            "models: [{name: eph, columns: [{name: id, data_tests: [not_null, unique: {config: {where: id < 50}}]}, {name: amount, data_tests: [not_null: {config: {error_if: '> 1%'}}]}]}]",
        ),
    ]);
    project.ok(&["build"]);
    project.sql("update shop.numbers set amount = null where id in (1, 6)");
    // 1 of 95 rows: more than 1 %.
    project.fails(
        1,
        &["test"],
        &["1 of 95 rows failed (1.05 %): error if > 1%"],
    );
}

#[test]
fn tests_whose_zero_is_no_pass_run_alone() {
    let project = project(
        "
models:
  - name: numbers
    columns:
      - name: id
        data_tests:
          - not_null: {name: must_find_some, config: {error_if: '= 0'}}
          - not_null: {name: few, config: {error_if: '< 1', severity: warn, warn_if: '< 1'}}
          - not_null: {name: usual}
          - not_null: {name: summed, config: {fail_calc: 'sum(id)'}}
",
    );
    project.ok(&["run"]);
    project.fails(1, &["test"], &["0 failures: error if = 0"]);
    assert_eq!(
        project.statuses(),
        "few=warn must_find_some=fail summed=pass usual=pass"
    );
}

#[test]
fn one_scan_for_each_where() {
    let project = project(
        "
models:
  - name: numbers
    columns:
      - name: id
        data_tests:
          - not_null: {name: a1, config: {where: id > 3}}
          - not_null: {name: b1, config: {where: kind = 'odd'}}
      - name: amount
        data_tests:
          - not_null: {name: a2, config: {where: id > 3}}
          - not_null: {name: b2, config: {where: kind = 'odd'}}
",
    );
    project.ok(&["run"]);
    assert_eq!(scans_of(&project, &["test"]), 2);
    project.sql("update shop.numbers set amount = null where id = 4");
    project.fails(1, &["test"], &["a2"]);
    assert_eq!(project.statuses(), "a1=pass a2=fail b1=pass b2=pass");
}

#[test]
fn an_overridden_test_is_judged_by_its_own_sql() {
    let project = project(
        "models: [{name: numbers, columns: [{name: id, data_tests: [not_null, unique]}, {name: kind, data_tests: [not_null]}]}]",
    );
    project.write(
        "macros/not_null.sql",
        "{% test not_null(model, column_name) %}\nselect * from {{ model }} where {{ column_name }} is not null limit 3\n{% endtest %}",
    );
    project.ok(&["run"]);
    project.fails(1, &["test"], &["3 rows"]);
    assert_eq!(project.statuses().matches("=fail").count(), 2);
}

/// A soft hyphen is equal to nothing under such a collation, a blank before it is not.
#[test]
fn a_text_that_only_a_collation_makes_blank_is_found() {
    let project = Project::new(&[(
        "models/s.yml",
        "
sources:
  - name: raw
    tables:
      - name: texts
        columns:
          - name: word
            data_tests: [not_null, not_blank]
",
    )]);
    project.write(
        "macros/not_blank.sql",
        "{% test not_blank(model, column_name) %}select * from {{ model }} \
         where trim({{ column_name }}) = ''{% endtest %}",
    );
    project.sql(
        "create schema raw; create collation raw.same (provider = icu, locale = 'und-u-ks-level1', \
         deterministic = false); create table raw.texts (word text collate raw.same); \
         insert into raw.texts values ('a'), (' ' || U&'\\00AD')",
    );
    project.fails(1, &["test"], &["not_blank"]);
    let fused = sorted(&project);
    project.fails(1, &["test", "--no-fuse"], &["not_blank"]);
    assert_eq!(fused, sorted(&project));
}
