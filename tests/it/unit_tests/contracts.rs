//! Contracts: what a query must give, and the constraints of the table that it fills.

use crate::run::support::Project;

/// A table model `m` with a contract; `columns` and `constraints` as YAML.
fn contract(sql: &str, columns: &str, constraints: &str) -> Project {
    let yaml = yaml(columns, constraints);
    Project::new(&[
        (
            "models/m.sql",
            &format!("{{{{ config(materialized='table') }}}} {sql}"),
        ),
        ("models/m.yml", &yaml),
    ])
}

fn yaml(columns: &str, constraints: &str) -> String {
    format!(
        "models:\n  - name: m\n    config: {{contract: {{enforced: true}}}}\n    columns: \
         {columns}\n    constraints: {constraints}\n"
    )
}

#[test]
fn a_query_that_keeps_its_contract_gives_the_declared_table() {
    let project = contract(
        "select 'x'::text as name, 1.239 as amount, 7 as id",
        "[{name: id, data_type: int}, {name: amount, data_type: 'numeric(10, 2)'}, {name: name, \
         data_type: text}]",
        "[]",
    );
    project.ok(&["run"]);
    project.ok(&["run"]);
    assert_eq!(project.rows("select * from shop.m"), "7|1.24|x");
}

#[test]
fn a_broken_contract_is_one_table_and_leaves_what_was_there() {
    let columns = "[{name: id, data_type: int}, {name: amount, data_type: numeric}]";
    let project = contract("select 1 as id, 2.5 as amount", columns, "[]");
    project.ok(&["run"]);
    for (sql, says) in [
        (
            "select 1::bigint as id, 2.5 as amount",
            "| id          | BIGINT (LONGINTEGER) | INTEGER       | data type mismatch |",
        ),
        (
            "select 1 as id, 2.5 as amount, 'x'::text as more",
            "| more        | TEXT            |               | missing in contract |",
        ),
        (
            "select 1 as id",
            "| amount      |                 | NUMERIC (DECIMAL) | missing in definition |",
        ),
    ] {
        project.write(
            "models/m.sql",
            &format!("{{{{ config(materialized='table') }}}} {sql}"),
        );
        project.fails(1, &["run"], &["contract-broken", says]);
        assert_eq!(project.rows("select * from shop.m"), "1|2.5");
        project.no_leftovers();
    }
}

#[test]
fn each_constraint_holds_bad_rows_back() {
    let columns = "[{name: id, data_type: int, constraints: [CONSTRAINT]}, {name: 'a b', quote: \
                   true, data_type: int}]";
    for (column, model, bad) in [
        ("{type: not_null}", "[]", "null::int as id, 1 as \"a b\""),
        (
            "{type: check, name: positive, expression: id > 0}",
            "[]",
            "0 as id, 1 as \"a b\"",
        ),
        (
            "{type: unique}",
            "[]",
            "1 as id, generate_series(1, 2) as \"a b\"",
        ),
        (
            "{type: primary_key}",
            "[]",
            "1 as id, generate_series(1, 2) as \"a b\"",
        ),
        (
            "",
            "[{type: primary_key, name: m_key, columns: [id, 'a b']}]",
            "1 as id, unnest(array[1, 1]) as \"a b\"",
        ),
        (
            "",
            "[{type: custom, expression: 'exclude (id with =)'}]",
            "1 as id, generate_series(1, 2) as \"a b\"",
        ),
    ] {
        let project = contract(
            "select 1 as id, 2 as \"a b\"",
            &columns.replace("CONSTRAINT", column),
            model,
        );
        // The second run swaps a table that has the constraint already.
        project.ok(&["run"]);
        project.ok(&["run"]);
        project.write(
            "models/m.sql",
            &format!("{{{{ config(materialized='table') }}}} select {bad}"),
        );
        project.fails(1, &["run"], &["sql-error"]);
        assert_eq!(
            project.rows("select * from shop.m"),
            "1|2",
            "{column} {model}"
        );
    }
}

#[test]
fn a_foreign_key_refers_to_the_live_parent_run_after_run() {
    let files = [
        (
            "models/p.sql",
            "{{ config(materialized='table') }} select i as id from generate_series(1, {{ \
             var('rows', 2) }}) i",
        ),
        (
            "models/m.sql",
            "{{ config(materialized='table') }} select {{ var('parent', 1) }} as parent",
        ),
    ];
    let project = Project::new(&files);
    project.write(
        "models/m.yml",
        "models:
  - name: p
    config: {contract: {enforced: true}}
    columns: [{name: id, data_type: int, constraints: [{type: primary_key}]}]
  - name: m
    config: {contract: {enforced: true}}
    columns:
      - name: parent
        data_type: int
        constraints: [{type: foreign_key, to: ref('p'), to_columns: [id]}]
",
    );
    let immediate = ["run", "--publish", "immediate"];
    for _ in 0..3 {
        project.ok(&immediate);
        let key = project.rows(
            "select conrelid::regclass, confrelid::regclass from pg_constraint where contype = 'f'",
        );
        assert_eq!(key, "shop.m|shop.p");
    }
    let more = [&immediate[..], &["--vars", "{rows: 3, parent: 3}"]].concat();
    project.ok(&more);
    let bad = [&immediate[..], &["--vars", "{rows: 3, parent: 9}"]].concat();
    project.fails(1, &bad, &["foreign key"]);
    assert_eq!(project.rows("select * from shop.m"), "3");
}

#[test]
fn constraints_of_a_view_are_told_not_to_be_created() {
    let project = Project::new(&[
        ("models/m.sql", "select 1 as id"),
        (
            "models/m.yml",
            &yaml(
                "[{name: id, data_type: int, constraints: [{type: not_null}]}]",
                "[]",
            ),
        ),
    ]);
    let ran = project.ok(&["run"]);
    assert!(
        ran.stderr.contains("since it is a view: not_null"),
        "{}",
        ran.stderr
    );
    project.write("models/m.sql", "select 'x' as id");
    project.fails(1, &["run"], &["contract-broken", "data type mismatch"]);
    assert_eq!(project.rows("select * from shop.m"), "1");
}

#[test]
fn an_incremental_model_keeps_its_contract_in_its_delta_too() {
    let columns = "[{name: id, data_type: int, constraints: [{type: not_null}]}]";
    let project = Project::new(&[("models/m.yml", &yaml(columns, "[]"))]);
    let model = |sql: &str| {
        format!(
            "{{{{ config(materialized='incremental', on_schema_change='fail') }}}} select {sql} as id"
        )
    };
    project.write("models/m.sql", &model("1"));
    project.ok(&["run"]);
    project.ok(&["run"]);
    project.write("models/m.sql", &model("1::bigint"));
    project.fails(1, &["run"], &["contract-broken"]);
    assert_eq!(project.rows("select count(*) from shop.m"), "2");
}

#[test]
fn a_role_without_schemas_of_its_own_rebuilds_named_keys() {
    let columns = "[{name: id, data_type: int}]";
    let project = contract(
        "select 1 as id",
        columns,
        "[{type: primary_key, name: m_key, columns: [id]}]",
    );
    let role = format!("keys_{}", project.rows("select current_database()"));
    project.sql(&format!(
        "create role {role} login; create schema shop; grant usage, create on schema shop to {role}"
    ));
    let project = project.with_role(&role);
    for _ in 0..2 {
        project.ok(&["run", "--publish", "immediate"]);
    }
    assert_eq!(project.rows("select * from shop.m"), "1");
    project.sql(&format!("drop owned by {role}; drop role {role}"));
}

/// What it reads is published in the same transaction as itself, and not there before.
#[test]
fn a_view_keeps_its_contract_over_what_is_not_published_yet() {
    for publish in ["together", "audited", "immediate"] {
        let project = Project::published(
            publish,
            &[
                (
                    "models/t.sql",
                    "{{ config(materialized='table') }} select 1 as id",
                ),
                (
                    "models/m.sql",
                    "{{ config(materialized='view') }} select id from {{ ref('t') }}",
                ),
                ("models/m.yml", &yaml("[{name: id, data_type: int}]", "[]")),
            ],
        );
        project.ok(&["build"]);
        project.ok(&["build"]);
        assert_eq!(project.rows("select * from shop.m"), "1", "{publish}");
        project.write(
            "models/m.sql",
            "{{ config(materialized='view') }} select id::text from {{ ref('t') }}",
        );
        project.fails(1, &["build"], &["contract-broken"]);
        assert_eq!(project.rows("select * from shop.m"), "1", "{publish}");
    }
}
