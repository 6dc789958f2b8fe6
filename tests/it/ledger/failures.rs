//! Stored failures and samples: where a failing test's rows are and what a report shows of them.

use crate::run::support::Project;

const TABLE: &str = "{{ config(materialized='table') }} select g as id, case when g < 3 then g end \
                     as amount, g % 2 as side, 'n' || g as name from generate_series(1, 4) g";

fn project(tests: &str) -> Project {
    let yaml = format!(
        "models:\n  - name: t\n    columns:\n      - name: id\n        data_tests: [unique]\n{tests}"
    );
    Project::new(&[("models/t.sql", TABLE), ("models/t.yml", &yaml)])
}

fn not_null(config: &str) -> String {
    format!(
        "      - name: amount\n        data_tests:\n          - not_null:\n              config: \
         {{{config}}}\n"
    )
}

const AUDIT: &str = "shop_dbt_test__audit";
const STORED: &str = "shop_dbt_test__audit.not_null_t_amount";

#[test]
fn failing_rows_are_kept_whole_and_said_where() {
    let project = project(&not_null("store_failures: true"));
    let ran = project.fails(1, &["build"], &["not_null_t_amount"]);
    assert_eq!(
        project.rows(&format!("select * from {STORED} order by id")),
        "3|~|1|n3 4|~|0|n4"
    );
    let says = format!(
        "all rows      select * from \"{}\".\"{AUDIT}\".\"not_null_t_amount\"",
        project.db.name()
    );
    assert!(ran.stderr.contains(&says), "{}", ran.stderr);
    assert_eq!(
        project.rows("select relation from marts_ledger.entry where test = 'not_null_t_amount'"),
        format!(
            "\"{}\".\"{AUDIT}\".\"not_null_t_amount\"",
            project.db.name()
        )
    );
}

#[test]
fn a_test_that_passes_leaves_an_empty_table() {
    for config in ["store_failures: true", "store_failures_as: table"] {
        let project = project(&not_null(config));
        project.fails(1, &["build"], &[]);
        project.write("models/t.sql", &TABLE.replace("when g < 3", "when true"));
        project.ok(&["build"]);
        assert_eq!(project.rows(&format!("select count(*) from {STORED}")), "0");
    }
}

#[test]
fn the_flag_stores_every_test_that_does_not_refuse() {
    let project = project(&not_null("store_failures: false"));
    project.fails(1, &["build", "--store-failures"], &[]);
    let tables = "select tablename from pg_tables where schemaname like '%dbt_test__audit'";
    assert_eq!(project.rows(tables), "unique_t_id");
    project.sql(&format!("drop schema {AUDIT} cascade"));
    project.fails(1, &["build"], &[]);
    assert_eq!(project.rows(tables), "");
}

#[test]
fn a_view_shows_the_failures_of_now() {
    let project = project(&not_null("store_failures_as: view"));
    for _ in 0..2 {
        project.fails(1, &["build"], &[]);
        assert_eq!(project.rows(&format!("select count(*) from {STORED}")), "2");
    }
    project.sql("delete from shop.t where id = 3");
    assert_eq!(project.rows(&format!("select id from {STORED}")), "4");
    // Its columns change, and then it becomes a table, a view again, and nothing.
    project.write(
        "models/t.sql",
        &TABLE.replace("'n' || g as name", "true as flag"),
    );
    project.fails(1, &["build"], &[]);
    assert_eq!(project.rows(&format!("select flag from {STORED}")), "t t");
    let write = |config: &str| {
        let yaml = format!("models:\n  - name: t\n    columns:\n{}", not_null(config));
        project.write("models/t.yml", &yaml);
        project.fails(1, &["test"], &[]);
        project.rows(&format!(
            "select relkind from pg_class where oid = to_regclass('{STORED}')"
        ))
    };
    assert_eq!(write("store_failures_as: table"), "r");
    assert_eq!(write("store_failures_as: view"), "v");
    project.sql(&format!("drop view {STORED}"));
    assert_eq!(
        write("store_failures_as: ephemeral, store_failures: true"),
        ""
    );
}

#[test]
fn a_limit_holds_for_what_is_kept() {
    let project = project(&not_null("store_failures: true, limit: 1"));
    project.fails(1, &["build"], &["1 row"]);
    assert_eq!(project.rows(&format!("select count(*) from {STORED}")), "1");
}

#[test]
fn schema_and_alias_say_where_the_rows_go() {
    let project = project(&not_null(
        "store_failures: true, schema: odd Schema, alias: 'My \"rows\"'",
    ));
    project.fails(1, &["build"], &[]);
    let stored = r#"select count(*) from "shop_odd Schema"."My ""rows""""#;
    assert_eq!(project.rows(stored), "2");
    // A second run replaces it, since an earlier run made it.
    project.fails(1, &["build"], &[]);
    assert_eq!(project.rows(stored), "2");
}

#[test]
fn what_no_test_made_is_not_replaced() {
    let project = project(&not_null(
        "store_failures: true, schema: lab, alias: precious",
    ));
    project.sql("create schema shop_lab; create table shop_lab.precious as select 42 as a");
    project.fails(1, &["build"], &["failures-name-taken", "shop_lab"]);
    assert_eq!(project.rows("select a from shop_lab.precious"), "42");
}

#[test]
fn a_model_is_never_replaced_by_failures() {
    let project = project(&not_null("store_failures: true, schema: gold, alias: mart"));
    project.write(
        "models/mart.sql",
        "{{ config(materialized='table', schema='gold') }} select 1 as a",
    );
    project.fails(1, &["build"], &["failures-name-taken", "model `mart`"]);
    assert_eq!(project.rows("select a from shop_gold.mart"), "1");
}

#[test]
fn a_view_of_others_on_the_kept_rows_stays() {
    let project = project(&not_null("store_failures: true"));
    project.fails(1, &["build"], &[]);
    project.sql(&format!(
        "create view public.watch as select id from {STORED}"
    ));
    project.write("models/t.sql", &TABLE.replace("(1, 4)", "(1, 6)"));
    project.fails(1, &["build"], &[]);
    assert_eq!(project.rows("select count(*) from public.watch"), "4");
    // Other columns than before cannot be exchanged under the view.
    project.write(
        "models/t.sql",
        &TABLE.replace("'n' || g as name", "true as a, 1 as x, 2 as y"),
    );
    project.fails(1, &["build"], &[AUDIT]);
    assert_eq!(project.rows("select count(*) from public.watch"), "4");
}

#[test]
fn a_role_without_the_schema_is_told_what_to_create() {
    let project = project(&not_null("store_failures: true"));
    project.sql(
        "create role f1_robot login; create schema shop authorization f1_robot; create schema \
         marts_ledger authorization f1_robot",
    );
    let project = project.with_role("f1_robot");
    project.fails(
        1,
        &["build"],
        &["create schema \"shop_dbt_test__audit\" authorization"],
    );
    project.sql("create schema shop_dbt_test__audit authorization f1_robot");
    project.fails(1, &["build"], &["all rows"]);
    project.sql("drop owned by f1_robot cascade; drop role f1_robot");
}

#[test]
fn a_sample_shows_the_key_and_the_column_first() {
    let project = project(
        "      - name: amount\n        data_tests: [not_null]\n      - name: side\n        \
         data_tests:\n          - value_between: {arguments: {max_value: 0}}\n          - \
         relationships: {arguments: {to: ref('p'), field: id}}\n          - accepted_values: \
         {arguments: {values: [0], quote: false}}\n",
    );
    project.write("models/p.sql", "select 0 as id");
    let ran = project.fails(1, &["build"], &[]);
    let shown: Vec<String> = ran
        .stderr
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for lines in [
        // not_null: the key beside the column.
        ["id amount", "3 NULL", "4 NULL"],
        // value_between: key, column, the rest.
        ["id side amount name", "1 1 1 n1", "3 1 NULL n3"],
        // relationships: the key of each orphan.
        ["id from_field", "1 1", "3 1"],
    ] {
        let found = shown.windows(4).any(|four| {
            four[0] == lines[0] && four[2..] == [lines[1].to_owned(), lines[2].to_owned()]
        });
        assert!(found, "{lines:?} in:\n{}", ran.stderr);
    }
    assert!(
        shown.contains(&"value_field n_records".to_owned()),
        "{}",
        ran.stderr
    );
}

#[test]
fn rows_of_a_refused_candidate_are_kept_also_where_a_view_was_asked_for() {
    let yaml = format!(
        "models:\n  - name: t\n    columns:\n{}",
        not_null("store_failures_as: view")
    );
    let files = [("models/t.sql", TABLE), ("models/t.yml", yaml.as_str())];
    let project = Project::published("together", &files);
    project.fails(1, &["build"], &["all rows"]);
    assert_eq!(project.rows(&format!("select count(*) from {STORED}")), "2");
    // The table loses a column that the rows have, and grows whole.
    project.write(
        "models/t.sql",
        "{{ config(materialized='table') }} select 1 as id, 2 as amount",
    );
    project.ok(&["build"]);
    assert_eq!(project.rows(&format!("select count(*) from {STORED}")), "0");
    project.ok(&["test"]);
    assert_eq!(
        project.rows(&format!(
            "select relkind from pg_class where oid = '{STORED}'::regclass"
        )),
        "v"
    );
    // The view that the test left is in nobody's way.
    project.write(
        "models/t.sql",
        "{{ config(materialized='table') }} select 3 as amount",
    );
    project.ok(&["build"]);
}
