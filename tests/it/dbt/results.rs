//! `run_results.json` of commands that build nothing, and what `show` says of broken SQL.

use crate::run::support::Project;

fn project() -> Project {
    Project::new(&[
        ("models/a.sql", "select 1 as id from {{ ref('e') }}"),
        (
            "models/e.sql",
            "{{ config(materialized='ephemeral') }} select 2 as id",
        ),
        (
            "models/broken.sql",
            "select id\nfrom (values (1)) v (id)\nwhere",
        ),
        (
            "models/m.yml",
            "models:\n- name: a\n  columns: [{name: id, data_tests: [not_null]}]\n",
        ),
        ("seeds/s.csv", "id\n1\n"),
    ])
}

/// The command and its results.
fn told(project: &Project) -> (String, Vec<String>) {
    let run = project.run_results();
    let results = run["results"].as_array().expect("a list").iter();
    let mut said: Vec<String> = results
        .map(|r| format!("{} {} {}", r["unique_id"], r["status"], r["compiled"]).replace('"', ""))
        .collect();
    said.sort();
    (
        run["args"]["which"].as_str().unwrap_or_default().to_owned(),
        said,
    )
}

#[test]
fn compile_and_docs_generate_tell_what_they_compiled() {
    let project = project();
    let all = [
        "model.shop.a success true",
        "model.shop.broken success true",
        "seed.shop.s success null",
        "test.shop.not_null_a_id.c1cebc1440 success true",
    ];
    project.ok(&["compile"]);
    assert_eq!(
        told(&project),
        ("compile".into(), all.map(str::to_owned).into())
    );
    let results = project.run_results()["results"].clone();
    let of_a = results.as_array().unwrap().iter();
    let of_a = of_a
        .clone()
        .find(|r| r["unique_id"] == "model.shop.a")
        .unwrap();
    assert!(
        of_a["compiled_code"]
            .as_str()
            .unwrap()
            .contains("select 2 as id")
    );
    assert!(of_a["relation_name"].as_str().unwrap().ends_with("\"a\""));
    assert!(project.ok(&["retry"]).stderr.contains("Nothing to retry"));
    // An ephemeral model only where it is asked for.
    project.ok(&["compile", "--select", "e"]);
    assert_eq!(told(&project).1, ["model.shop.e success true"]);
    project.ok(&["docs", "generate"]);
    assert_eq!(
        told(&project),
        ("generate".into(), all.map(str::to_owned).into())
    );
    project.ok(&["show", "--inline", "select 7 as n"]);
    let shown = project.run_results();
    assert_eq!(shown["args"]["which"], "show");
    let result = &shown["results"][0];
    assert_eq!(result["unique_id"], "sql_operation.shop.inline_query");
    assert_eq!(result["adapter_response"]["rows_affected"], 1);
    project.fails(2, &["retry"], &["`show`"]);
}

#[test]
fn show_names_the_place_in_the_query_as_it_is_written() {
    let project = project();
    let of_end = project.fails(2, &["show", "--select", "broken"], &["at end of input"]);
    assert!(!of_end.stderr.contains("limit"), "{}", of_end.stderr);
    assert!(of_end.stderr.contains("broken.sql:3"), "{}", of_end.stderr);
    let query = "select 1 frm x limit 3";
    let own = project.fails(
        2,
        &["show", "--inline", query],
        &["at or near \"x\"", "1 | select 1 frm x"],
    );
    assert!(!own.stderr.contains("shown"), "{}", own.stderr);
}
