//! What a command line means: shown queries, variables of the environment, samples, and what
//! templates know of the selection.

use crate::run::support::{Project, Ran};

fn with_env(project: &Project, env: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut command = project.command(args);
    command.envs(env.iter().copied());
    Ran::of(command.output().expect("marts runs"))
}

#[test]
fn queries_with_a_limit_an_order_or_a_comment_of_their_own_are_shown() {
    let project = Project::new(&[(
        "models/top.sql",
        "select i from generate_series(1, 9) as i order by i desc limit 4 -- the last four",
    )]);
    let csv = |args: &[&str]| {
        let all = [&["show", "--output", "csv"], args].concat();
        project
            .ok(&all)
            .stdout
            .lines()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(csv(&["--select", "top", "--limit", "2"]), "i 9 8");
    assert_eq!(csv(&["--select", "top", "--limit", "-1"]), "i 9 8 7 6");
    for (query, expected) in [
        ("select 1 as a; -- one", "a 1"),
        (
            "with x as (select 2 as a) select * from x order by 1 limit 1;",
            "a 2",
        ),
        ("values (1), (2) fetch first 2 rows only", "column1 1"),
        ("select 1 as a, 2 as a limit 1", "a,a 1,2"),
        ("show server_encoding", "server_encoding UTF8"),
    ] {
        assert_eq!(
            csv(&["--limit", "1", "--inline", query]),
            expected,
            "{query}"
        );
    }
}

#[test]
fn templates_know_what_is_selected() {
    let project = Project::new(&[
        ("models/a.sql", "select 1 as id"),
        ("models/b.sql", "select * from {{ ref('a') }}"),
        (
            "macros/m.sql",
            "{% macro selected() %}{{ selected_resources | sort | join(',') }}{% endmacro %}\n\
             {% macro say() %}{% do log('selected: ' ~ selected_resources, info=true) %}{% endmacro %}",
        ),
    ]);
    let text = project.read("project.yml");
    let hook = "on-run-end: [\"create table public.told as select '{{ selected() }}' as ids\"]\n";
    project.write("project.yml", &format!("{text}{hook}"));
    project.ok(&["run", "--select", "+b"]);
    assert_eq!(
        project.rows("select ids from public.told"),
        "model.shop.a,model.shop.b"
    );
    let ran = project.ok(&["run-operation", "say"]);
    assert!(ran.stderr.contains("selected: []"), "{}", ran.stderr);
}

#[test]
fn flags_are_read_from_the_environment() {
    let project = Project::new(&[
        ("models/a.sql", "select 1 as id"),
        ("seeds/s.csv", "a\n1\n"),
    ]);
    let listed = |env: &[(&str, &str)], args: &[&str]| {
        let ran = with_env(&project, env, &[&["ls"], args].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout.lines().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed(&[("DBT_RESOURCE_TYPES", "seed")], &[]), "shop.s");
    let both = [
        ("DBT_RESOURCE_TYPES", "seed"),
        ("DBT_ENGINE_RESOURCE_TYPES", "model"),
    ];
    assert_eq!(listed(&both, &[]), "shop.a");
    let two = [("DBT_ENGINE_EXCLUDE_RESOURCE_TYPES", "model test")];
    assert_eq!(listed(&two, &[]), "shop.s");
    assert_eq!(listed(&both, &["--resource-types", "seed"]), "shop.s");
    assert_eq!(listed(&[("DBT_RESOURCE_TYPES", "")], &[]), "shop.a shop.s");

    project.write("models/a.sql", "select {{ flags.FULL_REFRESH }} as id");
    project.ok(&["compile"]);
    let compiled = |env: &[(&str, &str)], args: &[&str]| {
        let ran = with_env(&project, env, &[&["compile", "-s", "a"], args].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout.trim().to_owned()
    };
    assert_eq!(
        compiled(&[("DBT_ENGINE_FULL_REFRESH", "1")], &[]),
        "select True as id"
    );
    assert_eq!(
        compiled(&[("DBT_FULL_REFRESH", "off")], &[]),
        "select False as id"
    );
    for name in ["DBT_FULL_REFRESH", "DBT_EMPTY"] {
        let ran = with_env(&project, &[(name, "perhaps")], &["compile"]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
    }
    let quiet = [("DBT_ENGINE_QUIET", "yes")];
    let ran = with_env(&project, &quiet, &["run"]);
    assert!(!ran.stderr.contains("Done in"), "{}", ran.stderr);
    let ran = with_env(&project, &quiet, &["run", "--no-quiet"]);
    assert!(ran.stderr.contains("Done in"), "{}", ran.stderr);
    project.write(
        "models/a.sql",
        "select '{{ env_var('DBT_ENGINE_TARGET_PATH') }}' as id",
    );
    let moved = [("DBT_TARGET_PATH", "made")];
    assert_eq!(compiled(&moved, &[]), "select 'made' as id");
    assert!(project.path("made/manifest.json").exists());
}

#[test]
fn a_sample_is_the_time_of_its_window() {
    let project = Project::new(&[
        ("models/sources.yml", SOURCES),
        (
            "models/all.sql",
            "{{ config(event_time='at', materialized='table') }} select * from {{ source('raw', 'events') }}",
        ),
        (
            "models/eph.sql",
            "{{ config(materialized='ephemeral') }} select * from {{ ref('all') }}",
        ),
        (
            "models/n.sql",
            "{{ config(materialized='table') }} select count(*) as n from {{ ref('eph') }}",
        ),
        (
            "tests/t.sql",
            "select * from {{ ref('all') }} where at >= '2024-01-03'",
        ),
    ]);
    project.sql(
        "create table public.events as select i as id, timestamp '2024-01-01' + i * interval '8 hours' as at \
         from generate_series(0, 8) i",
    );
    let window = "{'start': '2024-01-02', 'end': '2024-01-03'}";
    project.ok(&["build", "--sample", window]);
    assert_eq!(project.rows("select count(*) from shop.all"), "3");
    assert_eq!(project.rows("select n from shop.n"), "3");
    let ran = with_env(&project, &[("DBT_ENGINE_SAMPLE", "1 day")], &["run"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(project.rows("select n from shop.n"), "0", "all is long ago");
    project.fails(2, &["run", "--sample", "a while"], &["no window of time"]);
}

const SOURCES: &str = "sources:
  - name: raw
    schema: public
    tables:
      - name: events
        config: {event_time: at}
";

#[test]
fn an_operation_leaves_its_result() {
    let project = Project::new(&[(
        "macros/m.sql",
        "{% macro fine(x=1) %}{% do run_query('select ' ~ x) %}{% endmacro %}",
    )]);
    project.ok(&["run-operation", "fine"]);
    let results = project.run_results();
    assert_eq!(results["results"][0]["unique_id"], "macro.shop.fine");
    assert_eq!(results["results"][0]["status"], "success");
    assert_eq!(results["args"]["macro"], "fine");
    project.fails(
        1,
        &["run-operation", "fine", "--args", "{x: 1/0}"],
        &["division by zero"],
    );
    assert_eq!(project.run_results()["results"][0]["status"], "error");
    project.fails(2, &["run-operation", "fin"], &[]);
}

#[test]
fn hooks_at_the_end_know_what_came_of_the_run() {
    let project = Project::new(&[
        ("models/a.sql", "select 1 as id"),
        (
            "models/b.sql",
            "{{ config(schema='other', materialized='table') }} select 1 / 0 as id",
        ),
        (
            "models/c.sql",
            "{{ config(schema='third') }} select id from {{ ref('b') }}",
        ),
    ]);
    let text = project.read("project.yml");
    let hooks = "on-run-end:
  - \"create table public.told (schemas text, results text)\"
  - \"insert into public.told values ('{{ schemas | join(' ') }}', '{% for r in results %}{{ r.node.name }}={{ r.status }} {% endfor %}')\"
";
    project.write("project.yml", &format!("{text}{hooks}"));
    project.fails(1, &["run", "--threads", "1"], &["division by zero"]);
    assert_eq!(project.rows("select schemas from public.told"), "shop");
    let results = project.rows("select results from public.told");
    for result in ["a=success", "b=error", "c=skipped"] {
        assert!(results.contains(result), "{results}");
    }
}
