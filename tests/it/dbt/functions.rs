//! User-defined functions.

use serde_json::json;

use crate::run::support::Project;

const YAML: &str = "functions:
  - name: plus
    description: adds
    config: {volatility: deterministic, persist_docs: {relation: true}}
    arguments:
      - {name: a, data_type: integer}
      - {name: b, data_type: integer, default_value: 1}
    returns: {data_type: integer}
";

fn project(mode: &str) -> Project {
    Project::published(
        mode,
        &[
            ("functions/plus.yml", YAML),
            ("functions/plus.sql", "select a + b"),
            (
                "models/t.sql",
                "{{ config(materialized='table') }} select {{ function('plus') }}(1) as n",
            ),
            (
                "models/v.sql",
                "select {{ function('plus') }}(n, 5) as n from {{ ref('t') }}",
            ),
            (
                "models/mv.sql",
                "{{ config(materialized='materialized_view') }} select {{ function('shop', 'plus') }}(n) as n from {{ ref('t') }}",
            ),
            (
                "models/t.yml",
                "models:\n  - name: t\n    columns:\n      - name: n\n        data_tests:\n          - accepted_values: {arguments: {values: [2, 11], quote: false}}\n",
            ),
        ],
    )
}

#[test]
fn a_build_makes_functions_before_what_calls_them() {
    for mode in ["immediate", "audited", "together"] {
        let project = project(mode);
        project.ok(&["build"]);
        assert_eq!(
            project.rows("select t.n, v.n, mv.n from shop.t, shop.v, shop.mv"),
            "2|7|3",
            "{mode}"
        );
        assert_eq!(
            project.rows("select provolatile, obj_description(oid), pg_get_function_arguments(oid) from pg_proc where oid = 'shop.plus'::regproc"),
            "i|adds|a integer, b integer DEFAULT 1"
        );
        project.write("functions/plus.sql", "select a + b * 10");
        project.ok(&["build"]);
        assert_eq!(
            project.rows("select t.n, v.n, mv.n from shop.t, shop.v, shop.mv"),
            "11|61|21",
            "{mode}"
        );
        // A failing test keeps the function as it was, where publishing waits for tests.
        project.write("functions/plus.sql", "select a - b");
        project.fails(1, &["build"], &[]);
        let now = project.rows("select shop.plus(1, 1)");
        assert_eq!(now, if mode == "together" { "11" } else { &now }, "{mode}");
        let dangling = "select count(*) from pg_views where definition like '%\\_\\_m\\_%' union all \
                        select count(*) from pg_matviews where definition like '%\\_\\_m\\_%'";
        if mode == "immediate" {
            assert_eq!(now, "0");
            assert_eq!(project.rows(dangling), "0 0");
        }
    }
}

#[test]
fn what_a_dead_run_left_of_functions_goes() {
    let project = project("together");
    project.ok(&["build"]);
    project.sql("create schema shop__m_abcdefghij; create function shop__m_abcdefghij.\"odd one\"(a integer, b text) returns integer language sql as 'select 1'");
    project.ok(&["build"]);
    assert_eq!(project.leftovers(), "");
}

#[test]
fn functions_are_selected_and_told_as_dbt_does() {
    let project = project("immediate");
    let ls = |args: &[&str]| {
        project
            .ok(&[&["ls"], args].concat())
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(ls(&["--resource-type", "function"]), "shop.plus");
    assert_eq!(
        ls(&["--select", "plus+", "--resource-type", "model"]),
        "shop.mv shop.t shop.v"
    );
    project.ok(&["parse"]);
    let manifest = project.json("target/manifest.json");
    let plus = &manifest["functions"]["function.shop.plus"];
    assert_eq!(
        plus["returns"],
        json!({"data_type": "integer", "description": null})
    );
    assert_eq!(plus["arguments"][1]["default_value"], 1);
    assert_eq!(plus["config"]["volatility"], "deterministic");
    assert_eq!(plus["config"]["materialized"], "function");
    assert_eq!(
        manifest["nodes"]["model.shop.t"]["functions"],
        json!([["plus"]])
    );
    assert_eq!(
        manifest["nodes"]["model.shop.t"]["depends_on"]["nodes"],
        json!(["function.shop.plus"])
    );
    // As in dbt, `run` leaves functions alone.
    project.fails(1, &["run"], &["does not exist"]);
}

#[test]
fn what_a_function_lacks_is_told() {
    let project = project("immediate");
    project.write(
        "functions/plus.yml",
        &YAML.replace("    returns: {data_type: integer}\n", ""),
    );
    project.fails(2, &["parse"], &["function-form", "what it returns"]);
    project.write(
        "functions/plus.yml",
        &YAML.replace("volatility: deterministic", "type: aggregate"),
    );
    project.fails(2, &["parse"], &["of type aggregate"]);
    project.write("functions/plus.yml", YAML);
    project.write("models/v.sql", "select {{ function('pluss') }}(1) as n");
    project.fails(
        2,
        &["parse"],
        &["no function named `pluss`", "did you mean `plus`"],
    );
    project.write("models/v.sql", "select 1 as n");
    project.ok(&["build"]);
    project.write(
        "functions/plus.yml",
        &YAML.replace(
            "returns: {data_type: integer}",
            "returns: {data_type: text}",
        ),
    );
    project.write("functions/plus.sql", "select 'x'");
    project.fails(1, &["build"], &["Postgres replaces a function only while"]);
}
