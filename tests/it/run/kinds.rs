//! Views, tables and seeds: what they become, and what a rebuild keeps.

use super::support::Project;

#[test]
fn a_view_is_replaced_in_place_and_keeps_its_oid_privileges_and_comment() {
    let project = Project::new(&[("models/v.sql", "select 1 as a")]);
    project.ok(&["run"]);
    project.sql(
        "create role view_reader; grant select on shop.v to view_reader; comment on view shop.v \
         is 'mine'",
    );
    let facts = "select oid, relacl, obj_description(oid, 'pg_class') from pg_class where oid = \
                 'shop.v'::regclass";
    let before = project.rows(facts);
    project.write("models/v.sql", "select 2 as a, 'x' as b");
    project.ok(&["run"]);
    assert_eq!(project.rows("select * from shop.v"), "2|x");
    assert_eq!(project.rows(facts), before);
    project.sql("drop owned by view_reader; drop role view_reader");
}

#[test]
fn a_post_hook_that_asks_the_database_finds_the_new_table() {
    let hook = "{% set rows = run_query('select a from ' ~ this).rows | length %} \
                create table shop.seen as select {{ rows }} as rows";
    let model = format!(
        "{{{{ config(materialized='table', post_hook=\"{hook}\") }}}} select 1 as a union select 2"
    );
    let project = Project::new(&[("models/t.sql", &model)]);
    project.ok(&["run"]);
    assert_eq!(project.rows("select rows from shop.seen"), "2");
}

#[test]
fn a_post_hook_whose_macro_works_finds_the_new_table() {
    let project = Project::new(&[
        (
            "models/t.sql",
            "{{ config(materialized='table', post_hook='{{ fill(this) }}') }} select 1 as a limit 0",
        ),
        (
            "macros/fill.sql",
            "{% macro fill(t) %}{{ insert(t) }}{% endmacro %}\n{% macro insert(t) %}{% call \
             statement('insert') %}insert into {{ t }} values (7){% endcall %}{% endmacro %}",
        ),
    ]);
    project.ok(&["run"]);
    assert_eq!(project.rows("select a from shop.t"), "7");
}

#[test]
fn a_model_walks_the_graph() {
    let model = "{% set names = [] %}{% if execute %}{% for node in graph.nodes.values() \
                 | selectattr('resource_type', 'equalto', 'model') %}\
                 {% do names.append(node.name ~ node.depends_on.nodes | length) %}{% endfor %}\
                 {% endif %}select '{{ names | sort | join(' ') }}' as names -- {{ ref('a') }}";
    let project = Project::new(&[("models/a.sql", "select 1 as a"), ("models/b.sql", model)]);
    project.ok(&["run"]);
    assert_eq!(project.rows("select names from shop.b"), "a0 b1");
}

#[test]
fn a_source_that_only_the_run_finds_out_is_read() {
    let model =
        "{% if execute %}select x from {{ source('raw', 'x') }}{% else %}select 1{% endif %}";
    let sources = "sources: [{name: raw, schema: raw, tables: [{name: x}]}]";
    let project = Project::new(&[("models/a.sql", model), ("models/s.yml", sources)]);
    project.sql("create schema raw; create table raw.x as select 7 as x");
    project.ok(&["run"]);
    assert_eq!(project.rows("select x from shop.a"), "7");
}

#[test]
fn a_post_hook_that_drops_its_own_table_leaves_none() {
    let hook = "{% do adapter.drop_relation(this.incorporate(type='table')) %}";
    let model =
        format!("{{{{ config(materialized='table', post_hook=\"{hook}\") }}}} select 1 as a");
    let project = Project::new(&[("models/t.sql", &model)]);
    project.ok(&["run"]);
    assert_eq!(project.rows("select to_regclass('shop.t') is null"), "t");
}

#[test]
fn a_view_whose_columns_change_keeps_privileges_and_the_views_on_it() {
    let project = Project::new(&[("models/v.sql", "select 1 as a, 2 as b")]);
    project.ok(&["run"]);
    project.sql(
        "create role v_reader; grant select on shop.v to v_reader; comment on view shop.v is \
         'mine'; create view public.other as select b from shop.v",
    );
    project.write("models/v.sql", "select 3::bigint as b, 4 as c");
    project.ok(&["run"]);
    assert_eq!(project.rows("select * from shop.v"), "3|4");
    assert_eq!(project.rows("select * from public.other"), "3");
    assert_eq!(
        project.rows(
            "select has_table_privilege('v_reader', 'shop.v', 'select'), \
             obj_description('shop.v'::regclass, 'pg_class')"
        ),
        "t|mine"
    );
    project.sql("drop owned by v_reader; drop role v_reader");
}

#[test]
fn a_column_may_go_from_a_view_or_table_and_from_its_readers_in_one_run() {
    for parent in ["view", "table"] {
        let config = format!("{{{{ config(materialized='{parent}') }}}} ");
        let project = Project::new(&[
            ("models/p.sql", &format!("{config}select 1 as a, 2 as b")),
            ("models/c.sql", "select a, b from {{ ref('p') }}"),
            ("models/d.sql", "select a, b from {{ ref('c') }}"),
        ]);
        project.ok(&["run"]);
        project.write("models/p.sql", &format!("{config}select 1 as a"));
        project.write("models/c.sql", "select a from {{ ref('p') }}");
        project.write("models/d.sql", "select a from {{ ref('c') }}");
        project.ok(&["run"]);
        assert_eq!(project.rows("select * from shop.d"), "1");
    }
}

#[test]
fn a_column_that_a_foreign_view_reads_does_not_go() {
    for parent in ["view", "table"] {
        let config = format!("{{{{ config(materialized='{parent}') }}}} ");
        let project = Project::new(&[("models/p.sql", &format!("{config}select 1 as a, 2 as b"))]);
        project.ok(&["run"]);
        project.sql("create view public.other as select b from shop.p");
        project.write("models/p.sql", &format!("{config}select 1 as a"));
        project.fails(1, &["run"], &["publish-refused", "\"public\".\"other\""]);
        assert_eq!(project.rows("select * from public.other"), "2");
        project.no_leftovers();
    }
}

#[test]
fn a_table_becomes_a_view_and_a_view_a_table_under_their_readers() {
    let project = Project::new(&[
        (
            "models/m.sql",
            "{{ config(materialized='table') }} select 1 as a",
        ),
        ("models/child.sql", "select a from {{ ref('m') }}"),
    ]);
    project.ok(&["run"]);
    project.sql("create view public.other as select a from shop.m");
    for (kind, relkind, value) in [("view", "v", "2"), ("table", "r", "3"), ("view", "v", "4")] {
        let text = format!("{{{{ config(materialized='{kind}') }}}} select {value} as a");
        project.write("models/m.sql", &text);
        project.ok(&["run", "--select", "m"]);
        assert_eq!(
            project.rows("select relkind from pg_class where oid = 'shop.m'::regclass"),
            relkind
        );
        for reader in ["shop.child", "public.other"] {
            assert_eq!(project.rows(&format!("select a from {reader}")), value);
        }
    }
}

#[test]
fn indexes_are_made_anew_on_every_rebuild() {
    let project = Project::new(&[(
        "models/t.sql",
        "{{ config(materialized='table', indexes=[{'columns': ['a'], 'unique': true}, \
         {'columns': ['a', 'b'], 'type': 'btree'}, {'columns': ['b'], 'type': 'hash'}]) }} \
         select 1 as a, 2 as b",
    )]);
    let shapes = "select regexp_replace(indexdef, 'INDEX \\S+', 'INDEX') from pg_indexes where \
                  schemaname = 'shop' order by 1";
    project.ok(&["run"]);
    let first = project.rows(shapes);
    assert_eq!(first.matches("INDEX").count(), 3, "{first}");
    project.ok(&["run"]);
    assert_eq!(project.rows(shapes), first);
}

#[test]
fn an_unlogged_table_that_a_crash_emptied_is_reported() {
    let project = Project::new(&[(
        "models/u.sql",
        "{{ config(materialized='table', unlogged=true) }} select * from generate_series(1, 50)",
    )]);
    project.ok(&["run"]);
    let persistence = "select relpersistence from pg_class where oid = 'shop.u'::regclass";
    assert_eq!(project.rows(persistence), "u");
    // What recovery leaves of it: no rows, and the old estimate.
    project
        .sql("truncate shop.u; update pg_class set reltuples = 50 where oid = 'shop.u'::regclass");
    let ran = project.ok(&["run"]);
    assert!(ran.stderr.contains("shop"), "{}", ran.stderr);
    assert!(ran.stderr.contains("unlogged"), "{}", ran.stderr);
    let ran = project.ok(&["run"]);
    assert!(!ran.stderr.contains("unlogged"), "{}", ran.stderr);
}

#[test]
fn ephemeral_models_become_ctes_of_their_readers() {
    let project = Project::new(&[
        (
            "models/e1.sql",
            "{{ config(materialized='ephemeral') }} select 1 as a",
        ),
        (
            "models/e2.sql",
            "{{ config(materialized='ephemeral') }} with x as (select * from {{ ref('e1') }}) \
             select a + 1 as a from x",
        ),
        (
            "models/t.sql",
            "{{ config(materialized='table') }} with y as (select * from {{ ref('e2') }}) select \
             y.a, e1.a as b from y cross join {{ ref('e1') }} as e1",
        ),
        ("models/v.sql", "-- a view\nselect * from {{ ref('e2') }}"),
    ]);
    project.ok(&["run"]);
    assert_eq!(project.rows("select * from shop.t"), "2|1");
    assert_eq!(project.rows("select * from shop.v"), "2");
    assert_eq!(project.statuses(), "t=success v=success");
}

#[test]
fn a_seed_gets_its_types_and_a_bad_row_leaves_the_old_table() {
    let project = Project::new(&[(
        "seeds/s.csv",
        "id,code,Rate,on_day,flag,at\n1,007,1.5,2024-01-31,true,2024-01-31 10:00:00\n2,010,,,,\n",
    )]);
    project.write(
        "seeds/s.yml",
        "version: 2\nseeds:\n  - name: s\n    config:\n      column_types: {id: bigint, code: text}\n",
    );
    project.ok(&["seed"]);
    assert_eq!(
        project.rows(
            "select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by \
             attnum) from pg_attribute where attrelid = 'shop.s'::regclass and attnum > 0"
        ),
        "id bigint, code text, Rate double precision, on_day date, flag boolean, at timestamp \
         without time zone"
    );
    assert_eq!(
        project.rows("select code, \"Rate\" from shop.s order by id"),
        "007|1.5 010|~"
    );
    project.write("seeds/s.csv", "id,code\n1,a\n2,b\nx,c\n");
    project.fails(1, &["seed"], &["seeds/s.csv", "line 4", "`id`"]);
    assert_eq!(project.rows("select count(*) from shop.s"), "2");
    project.no_leftovers();
}

#[test]
fn hooks_run_in_and_outside_of_the_transaction_in_their_order() {
    let project = Project::new(&[(
        "models/t.sql",
        "{{ config(materialized='table', pre_hook=[\"insert into log(what) select 'pre ' || \
         coalesce(to_regclass('shop.t')::text, 'none')\", {'sql': 'vacuum log', 'transaction': \
         false}], post_hook=[\"insert into log(what) select 'post ' || count(*) from {{ this }}\", \
         {'sql': 'vacuum {{ this }}', 'transaction': false}]) }} select 1 as a",
    )]);
    project.write(
        "project.yml",
        "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: shop\non-run-start:\n  - create \
         table if not exists log (n serial, what text)\n  - insert into log(what) values \
         ('start')\non-run-end: insert into log(what) values ('end {{ results | length if results \
         is defined else '' }}')\n",
    );
    project.ok(&["run"]);
    assert_eq!(
        project.rows("select string_agg(trim(what), ', ' order by n) from log"),
        "start, pre none, post 1, end 1"
    );
    // A hook that fails takes the new table with it.
    project.write(
        "models/t.sql",
        "{{ config(materialized='table', post_hook='select 1/0') }} select 2 as a",
    );
    project.fails(1, &["run"], &["division by zero"]);
    assert_eq!(project.rows("select a from shop.t"), "1");
    project.no_leftovers();
}

#[test]
fn a_views_hooks_find_its_comments_and_undo_it_when_they_fail() {
    let model = |hook: &str, value: u8| {
        format!(
            "{{{{ config(materialized='view', post_hook=\"{hook}\", persist_docs={{'relation': \
             true, 'columns': true}}) }}}} select {value} as a"
        )
    };
    let keeps = "create table public.seen as select col_description('shop.t'::regclass, 1) as c";
    let project = Project::new(&[
        ("models/t.sql", &model(keeps, 1)),
        (
            "models/t.yml",
            "models:\n  - name: t\n    columns: [{name: a, description: \"by {{ target.name \
             }}\"}]\n",
        ),
    ]);
    for mode in ["immediate", "audited"] {
        project.ok(&["run", "--publish", mode]);
        assert!(
            project.rows("select c from public.seen").starts_with("by "),
            "{mode}"
        );
        project.write("models/t.sql", &model("drop table public.seen", 1));
        project.ok(&["run", "--publish", mode]);
        project.write("models/t.sql", &model(keeps, 1));
    }
    project.write("models/t.sql", &model("select 1/0", 2));
    project.fails(1, &["run"], &["division by zero"]);
    assert_eq!(project.rows("select a from shop.t"), "1");
    project.no_leftovers();
}

#[test]
fn a_failing_on_run_start_hook_ends_the_run_and_leaves_nothing() {
    let project = Project::new(&[("models/t.sql", "select 1 as a")]);
    project.write(
        "project.yml",
        "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: shop\non-run-start: [select 1/0, \
         select 2]\non-run-end: select 3\n",
    );
    project.fails(1, &["run"], &["division by zero", "shop.on-run-start.0"]);
    project.no_leftovers();
    assert_eq!(
        results(&project),
        "shop-on-run-start-0 error 1, shop-on-run-start-1 skipped 1, t skipped -, \
         shop-on-run-end-0 success 0"
    );
    // As dbt has it, where the project says so.
    project.write(
        "project.yml",
        "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: shop\nflags: \
         {skip_nodes_if_on_run_start_fails: false}\non-run-start: select 1/0\n",
    );
    project.fails(1, &["run"], &["division by zero"]);
    assert_eq!(
        results(&project),
        "shop-on-run-start-0 error 1, t success -"
    );
    project.no_leftovers();
}

#[test]
fn hooks_of_the_run_are_nodes_with_results_and_know_of_a_failed_one() {
    let project = Project::new(&[("models/t.sql", "select 1 as a")]);
    let file = |start: &str| {
        format!(
            "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: shop\nflags: \
             {{skip_nodes_if_on_run_start_fails: false}}\non-run-start: {start}\non-run-end: \
             [\"create table if not exists public.told as select {{{{ results | length }}}} as n -- \
             {{{{ ref('t') }}}}\", '', select 1/0, select 2]\n"
        )
    };
    project.write("project.yml", &file("select 1"));
    project.fails(1, &["run"], &["division by zero"]);
    assert_eq!(
        results(&project),
        "shop-on-run-start-0 success 0, t success -, shop-on-run-end-0 success 0, \
         shop-on-run-end-1 success 0, shop-on-run-end-2 error 1, shop-on-run-end-3 skipped 1"
    );
    assert_eq!(project.rows("select n from public.told"), "1");
    let manifest = project.read("target/manifest.json");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let hook = &manifest["nodes"]["operation.shop.shop-on-run-end-0"];
    assert_eq!(hook["tags"], serde_json::json!(["on-run-end"]));
    assert_eq!(hook["depends_on"]["nodes"][0], "model.shop.t");
    assert_eq!(
        manifest["child_map"]["model.shop.t"],
        serde_json::json!(["operation.shop.shop-on-run-end-0"])
    );
    project.sql("drop table public.told");
    project.write("project.yml", &file("select 1/0"));
    project.fails(1, &["run"], &["division by zero"]);
    assert_eq!(project.rows("select n from public.told"), "2");
    // Where nothing runs, no hook does.
    project.write("project.yml", &file("create table public.never ()"));
    project.ok(&["run", "--select", "path:nowhere"]);
    assert_eq!(
        project.rows("select to_regclass('public.never') is null"),
        "t"
    );
}

/// Names, statuses and failures of the last run.
fn results(project: &Project) -> String {
    let run = project.run_results();
    let results = run["results"].as_array().expect("a list").iter();
    let said = results.map(|result| {
        let id = result["unique_id"].as_str().unwrap_or_default();
        let name = id.rsplit('.').next().unwrap_or_default();
        let failures = result["failures"].as_u64();
        let failures = failures.map_or("-".to_owned(), |n| n.to_string());
        format!(
            "{name} {} {failures}",
            result["status"].as_str().unwrap_or_default()
        )
    });
    said.collect::<Vec<_>>().join(", ")
}

#[test]
fn grants_and_docs_follow_the_configuration() {
    let project = Project::new(&[
        (
            "models/t.sql",
            "{{ config(materialized=var('kind', 'table'), grants={'select': ['public']}, \
             persist_docs={'relation': true, 'columns': true}) }} select 1 as a, 2 as \"B c\"",
        ),
        (
            "models/t.yml",
            "version: 2\nmodels:\n  - name: t\n    description: It's a table\n    columns:\n      - \
             {name: a, description: the first}\n      - {name: gone, description: not there}\n",
        ),
    ]);
    let facts = "select obj_description('shop.t'::regclass, 'pg_class'), \
                 col_description('shop.t'::regclass, 1), has_table_privilege('public', 'shop.t', \
                 'select')";
    for kind in ["table", "view", "incremental"] {
        for _ in 0..2 {
            project.ok(&["run", "--vars", &format!("{{kind: {kind}}}")]);
            assert_eq!(project.rows(facts), "It's a table|the first|t", "{kind}");
        }
    }
    project.write(
        "models/t.sql",
        "{{ config(materialized='table', grants={}) }} select 1 as a",
    );
    project.ok(&["run"]);
    assert_eq!(
        project.rows("select has_table_privilege('public', 'shop.t', 'select')"),
        "f"
    );
}
