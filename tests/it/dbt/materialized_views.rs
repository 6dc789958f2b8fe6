//! Materialized views: made, refreshed, their indexes changed, published in each mode.

use crate::run::support::Project;

const INDEXES: &str = "select string_agg(regexp_replace(indexdef, '.* USING ', ''), ' ' order by 1) from \
                       pg_indexes where schemaname = 'shop' and tablename = 'mv'";

fn model(config: &str) -> String {
    format!(
        "{{{{ config(materialized='materialized_view'{config}) }}}} select id, 'x' as name from \
         {{{{ source('raw', 'rows') }}}}"
    )
}

const SOURCE: (&str, &str) = (
    "models/sources.yml",
    "sources:\n  - name: raw\n    schema: public\n    tables: [{name: rows}]\n",
);

fn project(mode: &str, config: &str) -> Project {
    let project = Project::published(mode, &[SOURCE, ("models/mv.sql", &model(config))]);
    project.sql("create table public.rows as select 1 as id");
    project
}

#[test]
fn a_materialized_view_is_made_once_and_then_refreshed() {
    let project = project("immediate", "");
    project.ok(&["run"]);
    let what = "select relkind, oid from pg_class where oid = 'shop.mv'::regclass";
    let first = project.rows(what);
    assert!(first.starts_with("m|"), "{first}");
    project.sql("insert into public.rows values (2)");
    assert_eq!(project.rows("select count(*) from shop.mv"), "1");
    project.ok(&["run"]);
    assert_eq!(project.rows("select count(*) from shop.mv"), "2");
    assert_eq!(project.rows(what), first, "it is the same one");
    project.ok(&["run", "--full-refresh"]);
    assert_ne!(project.rows(what), first, "it is another one");
    assert_eq!(project.rows("select count(*) from shop.mv"), "2");
}

#[test]
fn its_indexes_follow_the_config_without_making_it_anew() {
    let project = project(
        "immediate",
        ", indexes=[{'columns': ['id'], 'unique': true}]",
    );
    project.ok(&["run"]);
    let oid = project.rows("select 'shop.mv'::regclass::oid");
    assert_eq!(project.rows(INDEXES), "btree (id)");
    project.write(
        "models/mv.sql",
        &model(", indexes=[{'columns': ['name', 'id']}, {'columns': ['id'], 'type': 'hash'}]"),
    );
    project.ok(&["run"]);
    assert_eq!(project.rows(INDEXES), "btree (name, id) hash (id)");
    assert_eq!(project.rows("select 'shop.mv'::regclass::oid"), oid);
    let before = project
        .rows("select array_agg(indexrelid) from pg_index where indrelid = 'shop.mv'::regclass");
    project.ok(&["run"]);
    let after = project
        .rows("select array_agg(indexrelid) from pg_index where indrelid = 'shop.mv'::regclass");
    assert_eq!(before, after, "what is right stays");
}

#[test]
fn a_changed_config_may_be_left_alone_or_fail() {
    for mode in ["immediate", "audited"] {
        let project = project(mode, "");
        project.ok(&["build"]);
        project.sql("insert into public.rows values (2)");
        let changed = ", indexes=[{'columns': ['id']}], on_configuration_change=";
        project.write("models/mv.sql", &model(&format!("{changed}'continue'")));
        let ran = project.ok(&["build"]);
        assert!(
            ran.stderr.contains("on_configuration_change is continue"),
            "{}",
            ran.stderr
        );
        assert_eq!(
            project.rows("select count(*) from shop.mv"),
            "1",
            "{mode}: as it was"
        );
        project.write("models/mv.sql", &model(&format!("{changed}'fail'")));
        project.fails(
            1,
            &["build"],
            &["on_configuration_change is fail", "new: btree (id)"],
        );
        project.ok(&["build", "--full-refresh"]);
        assert_eq!(project.rows(INDEXES), "btree (id)");
        assert_eq!(project.rows("select count(*) from shop.mv"), "2");
    }
}

#[test]
fn a_changed_query_warns_until_a_full_refresh() {
    let project = project("immediate", "");
    project.ok(&["run"]);
    project.write("models/mv.sql", &model("").replace("'x'", "'y'"));
    let ran = project.ok(&["run"]);
    assert!(ran.stderr.contains("its query changed"), "{}", ran.stderr);
    assert_eq!(project.rows("select distinct name from shop.mv"), "x");
    project.ok(&["run", "--full-refresh"]);
    assert_eq!(project.rows("select distinct name from shop.mv"), "y");
    assert!(!project.ok(&["run"]).stderr.contains("its query changed"));
}

#[test]
fn it_takes_the_place_of_a_table_and_a_view_and_gives_it_back() {
    let project = project("immediate", "");
    for kind in [
        "table",
        "materialized_view",
        "view",
        "materialized_view",
        "table",
    ] {
        let text = model("").replace("materialized_view", kind);
        project.write("models/mv.sql", &text);
        project.ok(&["run"]);
        let letter = project.rows("select relkind from pg_class where oid = 'shop.mv'::regclass");
        let wanted = if kind == "table" { "r" } else { &kind[..1] };
        assert_eq!(letter, wanted);
    }
}

#[test]
fn a_failed_test_keeps_the_old_rows_where_publishing_waits_for_tests() {
    for mode in ["audited", "together"] {
        let project = project(mode, ", indexes=[{'columns': ['id']}]");
        project.write(
            "models/mv.yml",
            "models:\n  - name: mv\n    columns:\n      - name: id\n        data_tests: [unique]\n",
        );
        project.sql("create role mv_reader");
        project.ok(&["build"]);
        project.sql("grant select on shop.mv to mv_reader; comment on materialized view shop.mv is 'mine'; create view public.other as select id from shop.mv");
        project.sql("insert into public.rows values (1)");
        project.fails(1, &["build"], &[]);
        assert_eq!(project.rows("select count(*) from shop.mv"), "1", "{mode}");
        project
            .sql("update public.rows set id = 2 where ctid = (select max(ctid) from public.rows)");
        project.ok(&["build"]);
        assert_eq!(project.rows("select count(*) from shop.mv"), "2", "{mode}");
        assert_eq!(
            project.rows("select count(*) from public.other"),
            "2",
            "{mode}"
        );
        assert_eq!(project.rows(INDEXES), "btree (id)");
        assert_eq!(
            project.rows("select has_table_privilege('mv_reader', 'shop.mv', 'select'), obj_description('shop.mv'::regclass, 'pg_class')"),
            "t|mine"
        );
        project.sql("drop owned by mv_reader; drop role mv_reader");
    }
}

/// A chain in which each kind is read by a materialized view.
#[test]
fn it_may_read_every_kind_of_relation_of_the_same_publication() {
    let mv = |from: &str| {
        format!(
            "{{{{ config(materialized='materialized_view') }}}} select * from {{{{ ref('{from}') }}}}"
        )
    };
    let project = Project::published(
        "together",
        &[
            SOURCE,
            ("models/v.sql", "select id from {{ source('raw', 'rows') }}"),
            (
                "models/t.sql",
                "{{ config(materialized='table') }} select * from {{ ref('v') }}",
            ),
            (
                "models/i.sql",
                "{{ config(materialized='incremental', unique_key='id') }} select * from {{ ref('v') }}",
            ),
            ("models/mv_v.sql", &mv("v")),
            ("models/mv_t.sql", &mv("t")),
            ("models/mv_i.sql", &mv("i")),
            ("models/mv_mv_t.sql", &mv("mv_t")),
            ("models/mv_mv_i.sql", &mv("mv_i")),
            (
                "models/last.sql",
                "select count(*) as n from {{ ref('mv_mv_i') }}",
            ),
        ],
    );
    project.sql("create table public.rows as select 1 as id");
    let rows = "select (select count(*) from shop.mv_v), (select count(*) from shop.mv_t), \
                (select count(*) from shop.mv_i), (select count(*) from shop.mv_mv_t), \
                (select count(*) from shop.mv_mv_i), (select n from shop.last)";
    for round in 1..4 {
        project.ok(&["build"]);
        let n = round.to_string();
        assert_eq!(project.rows(rows), [n.as_str(); 6].join("|"));
        project.sql(&format!("insert into public.rows values ({round} + 1)"));
    }
    let shadows = "select count(*) from pg_views where definition like '%\\_\\_m\\_%' union all \
                   select count(*) from pg_matviews where definition like '%\\_\\_m\\_%'";
    assert_eq!(project.rows(shadows), "0 0", "nothing reads what is gone");
}

#[test]
fn one_that_another_reads_is_refreshed_in_place() {
    let project = project("together", "");
    project.ok(&["build"]);
    project.sql("create materialized view public.theirs as select * from shop.mv; insert into public.rows values (2)");
    project.ok(&["build"]);
    assert_eq!(project.rows("select count(*) from shop.mv"), "2");
    project.write("models/mv.sql", &model("").replace("'x'", "'y'"));
    project.fails(
        1,
        &["build"],
        &["publish-refused", "materialized view public.theirs"],
    );
    assert_eq!(project.rows("select distinct name from shop.mv"), "x");
}

#[test]
fn a_table_whose_columns_change_goes_although_a_model_that_is_built_later_reads_it() {
    let project = Project::new(&[
        (
            "models/t.sql",
            "{{ config(materialized='table') }} select 1 as id",
        ),
        (
            "models/mv.sql",
            "{{ config(materialized='materialized_view') }} select * from {{ ref('t') }}",
        ),
    ]);
    project.ok(&["run"]);
    project.write(
        "models/t.sql",
        "{{ config(materialized='table') }} select 2 as id, 3 as b",
    );
    project.ok(&["run"]);
    assert_eq!(project.rows("select * from shop.mv"), "2|3");
}
