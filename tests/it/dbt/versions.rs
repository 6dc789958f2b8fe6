//! Versioned models: names, columns, tests, refs, selection, deprecation.

use crate::run::support::Project;

const YAML: &str = r#"
models:
  - name: m
    latest_version: 2
    description: the model
    config: {materialized: table, meta: {a: 1, b: {c: 1}}}
    columns:
      - name: id
        data_tests: [unique]
      - name: old
    versions:
      - v: 1
        defined_in: m_first
        deprecation_date: 2020-01-01
        config: {alias: m_one, meta: {b: {d: 2}}}
      - v: 2
        columns:
          - include: all
            exclude: [old]
          - name: new
            data_tests: [not_null]
      - v: 3
        description: the next
        config: {materialized: view}
        columns:
          - include: [id]
        data_tests: []
"#;

fn project() -> Project {
    Project::new(&[
        ("models/m.yml", YAML),
        ("models/sub/m_first.sql", "select 1 as id, 'x' as old"),
        ("models/m_v2.sql", "select 2 as id, 'y' as new"),
        ("models/m_v3.sql", "select 3 as id"),
        ("models/latest.sql", "select id from {{ ref('m') }}"),
        (
            "models/pinned.sql",
            "select id from {{ ref('m', v=1) }} union all select id from {{ ref('shop', 'm', version=3) }}",
        ),
    ])
}

#[test]
fn each_version_is_a_relation_and_a_ref_means_the_latest() {
    let project = project();
    let ran = project.ok(&["build"]);
    assert_eq!(project.rows("select id from shop.latest"), "2");
    assert_eq!(project.rows("select id from shop.pinned order by 1"), "1 3");
    assert_eq!(
        project.rows("select relname, relkind from pg_class where relnamespace = 'shop'::regnamespace and relname like 'm\\_%' order by 1"),
        "m_one|r m_v2|r m_v3|v"
    );
    assert!(
        ran.stderr.contains("`m.v1` was deprecated on 2020-01-01"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("ref('m', v=2)"), "{}", ran.stderr);
}

#[test]
fn the_manifest_has_them_as_dbt_does() {
    let project = project();
    project.ok(&["parse"]);
    let manifest = project.json("target/manifest.json");
    let one = &manifest["nodes"]["model.shop.m.v1"];
    assert_eq!(one["name"], "m");
    assert_eq!(one["alias"], "m_one");
    assert_eq!(one["version"], 1);
    assert_eq!(one["latest_version"], 2);
    assert_eq!(one["fqn"], serde_json::json!(["shop", "sub", "m", "v1"]));
    assert_eq!(
        one["config"]["meta"],
        serde_json::json!({"a": 1, "b": {"c": 1, "d": 2}})
    );
    assert_eq!(one["deprecation_date"], "2020-01-01T00:00:00+00:00");
    let columns = |id: &str| {
        let columns = manifest["nodes"][id]["columns"]
            .as_object()
            .expect("has some");
        columns.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(columns("model.shop.m.v1"), ["id", "old"]);
    assert_eq!(columns("model.shop.m.v2"), ["id", "new"]);
    assert_eq!(columns("model.shop.m.v3"), ["id"]);
    assert_eq!(
        manifest["nodes"]["model.shop.m.v3"]["description"],
        "the next"
    );
    let tests: Vec<&str> = manifest["nodes"]
        .as_object()
        .expect("is a map")
        .keys()
        .filter(|k| k.starts_with("test."))
        .map(String::as_str)
        .collect();
    let names: Vec<&str> = tests.iter().filter_map(|id| id.split('.').nth(2)).collect();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "not_null_m_v2_new",
            "unique_m_v1_id",
            "unique_m_v2_id",
            "unique_m_v3_id"
        ]
    );
    assert_eq!(
        manifest["nodes"]["model.shop.pinned"]["refs"][0]["version"],
        1
    );
}

#[test]
fn versions_are_selected_by_age_and_by_name() {
    let project = project();
    let list = |select: &str| {
        let ran = project.ok(&["ls", "--resource-type", "model", "--select", select]);
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list("version:latest"), "shop.m.v2");
    assert_eq!(list("version:prerelease"), "shop.m.v3");
    assert_eq!(list("version:old"), "shop.sub.m.v1");
    assert_eq!(list("version:none"), "shop.latest shop.pinned");
    assert_eq!(list("m"), "shop.sub.m.v1 shop.m.v2 shop.m.v3");
    assert_eq!(list("m.v2"), "shop.m.v2");
    assert_eq!(list("m_v3"), "shop.m.v3");
    assert_eq!(list("m_v*"), "shop.sub.m.v1 shop.m.v2 shop.m.v3");
}

#[test]
fn the_latest_may_live_in_a_file_without_a_suffix_and_is_the_greatest() {
    let project = Project::new(&[
        (
            "models/m.yml",
            "models:\n  - name: m\n    versions: [{v: 9}, {v: 10}]\n",
        ),
        ("models/m_v9.sql", "select 9 as id"),
        ("models/m.sql", "select 10 as id"),
        ("models/r.sql", "select id from {{ ref('m') }}"),
    ]);
    project.ok(&["build"]);
    assert_eq!(
        project.rows("select (select id from shop.r), (select id from shop.m_v10)"),
        "10|10"
    );
}

#[test]
fn what_is_wrong_with_versions_is_told() {
    let project = project();
    project.write("models/pinned.sql", "select id from {{ ref('m', v=4) }}");
    project.fails(2, &["parse"], &["`m` has no version 4", "it has 1, 2, 3"]);
    project.write(
        "models/pinned.sql",
        "select id from {{ ref('latest', v=1) }}",
    );
    project.fails(2, &["parse"], &["`latest` has no versions"]);
    project.write("models/pinned.sql", "select 1 as id");
    project.write(
        "models/m.yml",
        &YAML.replace("latest_version: 2", "latest_version: 7"),
    );
    project.fails(2, &["parse"], &["model-versions", "none of its versions"]);
    project.write("models/m.yml", &YAML.replace("- v: 3", "- v: 2"));
    project.fails(2, &["parse"], &["model-versions", "has version 2 twice"]);
}

#[test]
fn a_unit_test_runs_for_each_version_or_those_that_it_names() {
    let project = project();
    let test = |versions: &str| {
        format!(
            "unit_tests:\n  - name: ids\n    model: m\n{versions}    given: []\n    expect:\n      rows: [{{id: 2}}]\n"
        )
    };
    project.write("models/u.yml", &test("    versions: {include: [2]}\n"));
    project.ok(&["test", "--select", "test_type:unit"]);
    let manifest = project.json("target/manifest.json");
    assert_eq!(
        manifest["unit_tests"]["unit_test.shop.m.ids_v2"]["version"],
        2
    );
    project.write("models/u.yml", &test(""));
    project.fails(
        1,
        &["test", "--select", "test_type:unit"],
        &["m.v1::ids", "m.v3::ids"],
    );
    assert_eq!(
        project.run_results()["results"].as_array().map(Vec::len),
        Some(3)
    );
}
