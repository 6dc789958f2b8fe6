//! Microbatch models: batches by time, inputs filtered, failures retried by batch.

use serde_json::json;

use crate::run::support::Project;

const MODEL: &str = "{{ config(materialized='incremental', incremental_strategy='microbatch', unique_key='id', \
                     event_time='at', begin='2024-01-01', batch_size='day', \
                     post_hook=\"insert into public.hooked values ('{{ this.identifier }}')\") }}\n\
                     select id, at, 10 / divisor as v, '{{ model.batch.id }}' as batch, {{ is_incremental() }} as inc \
                     from {{ ref('input') }}";

const INPUT: &str = "{{ config(event_time='at') }} select * from {{ source('raw', 'events') }}";

const SOURCES: &str = "sources:\n  - name: raw\n    schema: public\n    tables: [{name: events}]\n";

fn project(mode: &str) -> Project {
    let project = Project::published(
        mode,
        &[
            ("models/m.sql", MODEL),
            ("models/input.sql", INPUT),
            ("models/sources.yml", SOURCES),
            (
                "models/after.sql",
                "select count(*) as n from {{ ref('m') }}",
            ),
        ],
    );
    project.sql(
        "create table public.hooked (t text); create table public.events as select i as id, \
         timestamp '2024-01-01' + i * interval '8 hours' as at, 1 as divisor from generate_series(0, 8) i",
    );
    project
}

const UNTIL: [&str; 5] = [
    "run",
    "--event-time-start",
    "2024-01-01",
    "--event-time-end",
    "2024-01-04",
];

#[test]
fn batches_are_built_one_by_one_from_inputs_of_their_time() {
    let project = project("immediate");
    project.ok(&UNTIL);
    assert_eq!(
        project.rows("select batch, count(*), bool_or(inc) from shop.m group by 1 order by 1"),
        "20240101|3|f 20240102|3|t 20240103|3|t"
    );
    assert_eq!(
        project.rows("select count(*) from public.hooked"),
        "1",
        "after the last batch"
    );
    let result = &project.run_results()["results"];
    let result = result
        .as_array()
        .and_then(|all| all.iter().find(|r| r["unique_id"] == "model.shop.m"));
    let result = result.expect("is there");
    assert_eq!(
        result["batch_results"],
        json!({"successful": [
            ["2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00"],
            ["2024-01-02T00:00:00+00:00", "2024-01-03T00:00:00+00:00"],
            ["2024-01-03T00:00:00+00:00", "2024-01-04T00:00:00+00:00"],
        ], "failed": []})
    );
    let compiled = project.read("target/compiled/shop/models/m/m_2024-01-02.sql");
    assert!(
        compiled.contains(
            "where at >= '2024-01-02 00:00:00+00:00' and at < '2024-01-03 00:00:00+00:00'"
        ),
        "{compiled}"
    );
    project.sql("update public.events set divisor = 2 where at >= '2024-01-02'");
    project.ok(&[
        "run",
        "--event-time-start",
        "2024-01-02",
        "--event-time-end",
        "2024-01-03",
    ]);
    assert_eq!(
        project.rows("select batch, max(v) from shop.m group by 1 order by 1"),
        "20240101|10 20240102|5 20240103|10"
    );
    project.ok(&[
        "run",
        "--full-refresh",
        "--event-time-start",
        "2024-01-03",
        "--event-time-end",
        "2024-01-04",
    ]);
    assert_eq!(
        project.rows("select batch, max(v), bool_or(inc) from shop.m group by 1 order by 1"),
        "20240103|5|f"
    );
}

#[test]
fn failed_batches_are_retried_and_no_others() {
    let project = project("immediate");
    project.sql("update public.events set divisor = 0 where at::date = '2024-01-02'");
    project.fails(
        1,
        &UNTIL,
        &[
            "division by zero",
            "batch 2024-01-02 failed; 2 of 3 batches are built",
        ],
    );
    assert_eq!(
        project.rows("select distinct batch from shop.m order by 1"),
        "20240101 20240103"
    );
    assert_eq!(
        project.statuses(),
        "after=skipped input=success m=partial success"
    );
    project.sql("update public.events set divisor = 1; update public.events set divisor = 5 where at::date <> '2024-01-02'");
    project.ok(&["retry"]);
    assert_eq!(
        project.rows("select batch, max(v) from shop.m group by 1 order by 1"),
        "20240101|10 20240102|10 20240103|10",
        "the others were not built again"
    );
    assert_eq!(project.statuses(), "after=success m=success");
    let all = project.run_results();
    let m = all["results"].as_array().and_then(|all| {
        all.iter()
            .find(|r| r["unique_id"] == "model.shop.m")
            .cloned()
    });
    let m = m.expect("is there");
    assert_eq!(
        m["batch_results"]["successful"].as_array().map(Vec::len),
        Some(3)
    );
}

#[test]
fn when_the_first_batch_fails_the_others_are_not_tried() {
    let project = project("immediate");
    project.sql("update public.events set divisor = 0 where at::date = '2024-01-01'");
    project.fails(1, &UNTIL, &["0 of 3 batches are built"]);
    assert_eq!(project.statuses(), "after=skipped input=success m=error");
    assert_eq!(project.rows("select to_regclass('shop.m')"), "~");
}

#[test]
fn published_later_it_is_all_batches_or_none() {
    for mode in ["audited", "together"] {
        let project = project(mode);
        project.write(
            "models/m.yml",
            "models:\n  - name: m\n    columns:\n      - {name: v, data_tests: [not_null]}\n",
        );
        let build: Vec<&str> = ["build"].iter().chain(&UNTIL[1..]).copied().collect();
        project.ok(&build);
        let rows = "select batch, count(*), max(v), bool_or(inc) from shop.m group by 1 order by 1";
        assert_eq!(
            project.rows(rows),
            "20240101|3|10|f 20240102|3|10|t 20240103|3|10|t",
            "{mode}"
        );
        project.sql("update public.events set divisor = 2; update public.events set divisor = 0 where at::date = '2024-01-03'");
        project.fails(1, &build, &["division by zero"]);
        assert_eq!(
            project.rows("select max(v) from shop.m"),
            "10",
            "{mode}: as it was"
        );
        project.sql("update public.events set divisor = 2");
        project.ok(&build);
        assert_eq!(
            project.rows("select min(v), max(v), count(*) from shop.m"),
            "5|5|9",
            "{mode}"
        );
    }
}

#[test]
fn a_name_of_63_bytes_is_no_obstacle() {
    for mode in ["immediate", "together"] {
        let project = project(mode);
        let name = format!("m{}", "_x".repeat(31));
        project.remove("models/m.sql");
        project.write(&format!("models/{name}.sql"), MODEL);
        project.write("models/after.sql", "select 1 as n");
        for _ in 0..2 {
            project.ok(&UNTIL);
            assert_eq!(
                project.rows(&format!("select count(*) from shop.{name}")),
                "9",
                "{mode}"
            );
        }
    }
}

#[test]
fn without_a_key_a_batch_replaces_its_span() {
    for mode in ["immediate", "together"] {
        let project = project(mode);
        project.write("models/m.sql", &MODEL.replace("unique_key='id', ", ""));
        project.ok(&UNTIL);
        project.sql("delete from public.events where id = 4");
        project.ok(&[
            "run",
            "--event-time-start",
            "2024-01-02",
            "--event-time-end",
            "2024-01-03",
        ]);
        assert_eq!(
            project.rows("select batch, count(*) from shop.m group by 1 order by 1"),
            "20240101|3 20240102|2 20240103|3",
            "{mode}"
        );
    }
}

#[test]
fn without_times_it_runs_from_its_beginning_and_then_looks_back() {
    let project = project("immediate");
    let today =
        project.rows("select to_char(now() at time zone 'UTC' - interval '2 days', 'YYYY-MM-DD')");
    project.write(
        "models/m.sql",
        &MODEL.replace("begin='2024-01-01'", &format!("begin='{today}'")),
    );
    project.ok(&["run"]);
    let batches = |project: &Project| {
        let all = project.run_results();
        let m = all["results"].as_array().and_then(|all| {
            all.iter()
                .find(|r| r["unique_id"] == "model.shop.m")
                .cloned()
        });
        m.and_then(|m| m["batch_results"]["successful"].as_array().map(Vec::len))
    };
    assert_eq!(batches(&project), Some(3));
    project.ok(&["run"]);
    assert_eq!(batches(&project), Some(2), "today and one day before");
}

#[test]
fn what_a_microbatch_model_lacks_is_told() {
    let project = project("immediate");
    let bad = MODEL.replace(
        "event_time='at', begin='2024-01-01', batch_size='day', ",
        "begin='soon', ",
    );
    project.write("models/m.sql", &bad);
    project.fails(
        2,
        &["parse"],
        &[
            "which column has the time",
            "no date or time",
            "how long its batches are",
        ],
    );
    project.write("models/m.sql", MODEL);
    project.write(
        "models/input.sql",
        "select * from {{ source('raw', 'events') }}",
    );
    let ran = project.ok(&["parse"]);
    assert!(
        ran.stderr.contains("each batch reads all rows"),
        "{}",
        ran.stderr
    );
    project.fails(
        2,
        &["run", "--event-time-start", "2024-01-01"],
        &["--event-time-end"],
    );
    project.fails(
        2,
        &[
            "run",
            "--event-time-start",
            "x",
            "--event-time-end",
            "2024-01-01",
        ],
        &["no date or time"],
    );
}
