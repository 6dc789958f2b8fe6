//! `retry`: the last command again, for what did not get through.

use super::support::Project;

const FILES: [(&str, &str); 5] = [
    (
        "models/a.sql",
        "{{ config(materialized='table') }} select {{ var('v', 0) }} as v, pg_current_xact_id()::text as x",
    ),
    (
        "models/b.sql",
        "{{ config(materialized='table') }} select v {% if not var('mended', false) %}, nothing {% endif %} from {{ ref('a') }}",
    ),
    ("models/c.sql", "select v from {{ ref('b') }}"),
    ("models/other.sql", "select 1 as id"),
    (
        "models/m.yml",
        "models:\n  - name: a\n    columns:\n      - name: v\n        data_tests: [not_null]\n  - name: c\n    columns:\n      - name: v\n        data_tests:\n          - accepted_values:\n              arguments: {values: [7]}\n",
    ),
];

#[test]
fn retry_runs_what_failed_and_what_waited_for_it_with_the_arguments_of_then() {
    let project = Project::new(&FILES);
    let args = [
        "build",
        "--select",
        "a+",
        "--vars",
        "{v: 7}",
        "--threads",
        "2",
    ];
    project.fails(1, &args, &["nothing"]);
    let built = project.rows("select v, x from shop.a");
    project.write(
        "models/b.sql",
        "{{ config(materialized='table') }} select v from {{ ref('a') }}",
    );
    let ran = project.ok(&["retry"]);
    assert!(ran.stderr.contains("marts build: "), "{}", ran.stderr);
    assert_eq!(
        project.statuses(),
        "accepted_values_c_v__7=pass b=success c=success"
    );
    assert_eq!(project.rows("select v, x from shop.a"), built, "not again");
    assert_eq!(project.rows("select v from shop.c"), "7", "the same vars");
    let args = &project.json("target/run_results.json")["args"];
    assert_eq!(args["which"], "build");
    assert_eq!(args["vars"]["v"], 7);
    assert_eq!(args["threads"], 2);
    let ran = project.ok(&["retry"]);
    assert!(ran.stderr.contains("Nothing to retry"), "{}", ran.stderr);
}

#[test]
fn retry_of_a_retry_goes_on_with_what_is_left() {
    let project = Project::new(&FILES);
    project.fails(1, &["run"], &["nothing"]);
    project.fails(1, &["retry"], &["nothing"]);
    assert_eq!(project.statuses(), "b=error c=skipped");
    // What is given now wins over what was given then.
    project.ok(&["retry", "--vars", "{mended: true, v: 3}"]);
    assert_eq!(project.statuses(), "b=success c=success");
}

#[test]
fn retry_of_tests_asks_the_failed_ones_only() {
    let project = Project::new(&FILES);
    project.ok(&["run", "--vars", "{mended: true, v: 1}"]);
    project.fails(1, &["test", "--vars", "{mended: true}"], &[]);
    assert_eq!(
        project.statuses(),
        "accepted_values_c_v__7=fail not_null_a_v=pass"
    );
    // Mended by hand, so that the last run stays the test.
    project.sql("update shop.b set v = 7");
    project.ok(&["retry"]);
    assert_eq!(project.statuses(), "accepted_values_c_v__7=pass");
}

#[test]
fn what_was_built_but_not_published_is_not_done_nor_are_its_tests() {
    let project = Project::new(&FILES);
    project.ok(&["build", "--vars", "{mended: true, v: 7}"]);
    let mut results = project.json("target/run_results.json");
    for result in results["results"].as_array_mut().expect("a list") {
        if result["unique_id"] == "model.shop.a" {
            result["adapter_response"]["published"] = false.into();
        }
    }
    project.write("target/run_results.json", &results.to_string());
    project.ok(&["retry"]);
    assert_eq!(project.statuses(), "a=success not_null_a_v=pass");
}

#[test]
fn a_node_that_is_gone_is_told_and_the_rest_is_run() {
    let project = Project::new(&FILES);
    project.fails(1, &["run"], &[]);
    project.write(
        "models/b.sql",
        "{{ config(materialized='table') }} select v from {{ ref('a') }}",
    );
    project.remove("models/c.sql");
    project.write("models/m.yml", "models: []\n");
    let ran = project.ok(&["retry"]);
    assert!(
        ran.stderr
            .contains("model.shop.c of the last run is not in the project any more"),
        "{}",
        ran.stderr
    );
    assert_eq!(project.statuses(), "b=success");
}

#[test]
fn results_and_changes_of_an_earlier_run_select_nodes() {
    let project = Project::new(&FILES);
    project.fails(1, &["run"], &[]);
    project.copy("target/run_results.json", "then/run_results.json");
    project.copy("target/manifest.json", "then/manifest.json");
    let listed = |select: &str| {
        let ran = project.marts(&[
            "ls",
            "--state",
            "then",
            "--resource-type",
            "model",
            "--select",
            select,
        ]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed("result:error"), "shop.b");
    assert_eq!(listed("result:error+"), "shop.b shop.c");
    assert_eq!(listed("result:success"), "shop.a shop.other");
    project.write("models/other.sql", "select 2 as id");
    assert_eq!(listed("state:modified"), "shop.other");
}
