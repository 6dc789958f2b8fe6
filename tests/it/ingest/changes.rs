//! Incremental loads, changes of columns, and what a comparison finds.

use super::Pair;

const EVENTS: &str = "create table events (id int primary key, amount int, updated_at timestamptz); \
     insert into events select i, i, '2024-01-01'::timestamptz + i * interval '1 min' from generate_series(1, 1000) i";

const INCREMENTAL: &str =
    "  - {name: events, mode: incremental, key: [id], watermark: updated_at, slice_rows: 100}\n";

#[test]
fn an_incremental_load_moves_what_the_watermark_calls_new() {
    let pair = Pair::new(EVENTS, INCREMENTAL);
    pair.ok(&[]);
    pair.source.sql(
        "update events set amount = -1, updated_at = '2024-02-01' where id <= 10; \
         insert into events select i, i, '2024-02-02'::timestamptz + i * interval '1 s' from generate_series(1001, 1250) i",
    );
    let ran = pair.ok(&[]);
    // The last one of the earlier load is read again: others may have its very time.
    assert!(
        ran.stderr.contains("new or changed: 261 rows"),
        "{}",
        ran.stderr
    );
    pair.same("select * from {} order by id", "events", "raw.events");
    assert_eq!(pair.compared("events"), "3|t|1250|1250");
    pair.ok(&["--full-refresh"]);
    pair.same("select * from {} order by id", "events", "raw.events");
}

#[test]
fn rows_that_changed_without_their_watermark_are_noticed() {
    let pair = Pair::new(EVENTS, INCREMENTAL);
    pair.ok(&[]);
    pair.source.sql("update events set amount = 0 where id = 5");
    pair.fails(
        1,
        &[
            "ingest-differs",
            "1000 rows on both sides, with other values",
            "--full-refresh",
        ],
    );
    pair.source.sql("delete from events where id = 6");
    pair.fails(1, &["ingest-differs", "999 rows in the source, 1000 here"]);
    assert_eq!(pair.compared("events"), "1|f|999|1000");
    pair.ok(&["--full-refresh"]);
    assert!(pair.compared("events").contains("|t|999|999"));
}

#[test]
fn an_incremental_table_without_a_key_replaces_from_its_watermark_on() {
    let tables = "  - {name: log, mode: incremental, watermark: n, lookback: 10}\n";
    let pair = Pair::new(
        "create table log (n int, t text); insert into log select i % 90, 'x' from generate_series(1, 900) i",
        tables,
    );
    pair.ok(&[]);
    pair.source
        .sql("insert into log values (85, 'late'), (95, 'new')");
    pair.ok(&[]);
    pair.same(
        "select n, t, count(*) from {} group by 1, 2 order by 1, 2",
        "log",
        "raw.log",
    );
}

#[test]
fn new_and_missing_columns_are_told_and_followed() {
    let pair = Pair::new(EVENTS, INCREMENTAL);
    pair.ok(&[]);
    pair.source.sql(
        "alter table events add column note text; alter table events drop column amount; \
         update events set note = 'n', updated_at = '2024-03-01'",
    );
    let ran = pair.ok(&[]);
    assert!(
        ran.stderr.contains("`note` is new (text)"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("`amount` is gone from the source"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        pair.project
            .rows("select count(*), count(note), count(amount) from raw.events"),
        "1000|1000|0"
    );
}

#[test]
fn a_column_of_another_type_stops_the_load_unless_it_is_allowed() {
    let pair = Pair::new(EVENTS, "  - {name: events, key: [id]}\n");
    pair.ok(&[]);
    pair.project
        .sql("create view v as select id from raw.events");
    pair.source
        .sql("alter table events alter column amount type bigint");
    pair.fails(1, &["ingest-drift", "`amount` was integer and is bigint"]);
    pair.declare("  - {name: events, key: [id], on_schema_change: sync_all_columns}\n");
    pair.ok(&[]);
    pair.same("select * from {} order by id", "events", "raw.events");
}

#[test]
fn a_key_that_is_none_is_told_and_nothing_is_replaced() {
    let pair = Pair::new(
        "create table t (id int); insert into t values (1), (2)",
        "  - {name: t, key: [id]}\n",
    );
    pair.ok(&[]);
    pair.source.sql("insert into t values (2)");
    pair.fails(1, &["ingest-key", "(id)=(2)"]);
    assert_eq!(pair.project.rows("select count(*) from raw.t"), "2");
}

#[test]
fn a_table_that_is_not_there_is_told_before_anything_moves() {
    let pair = Pair::new("create table t (id int)", "  - {name: t}\n  - {name: T}\n");
    pair.fails(2, &["ingest-source", "public.T"]);
    assert_eq!(pair.project.rows("select to_regclass('raw.t')"), "~");
}

#[test]
fn a_difference_holds_back_what_reads_the_table() {
    let pair = Pair::new(EVENTS, INCREMENTAL);
    let project = &pair.project;
    project.write(
        "models/sources.yml",
        "sources:\n  - name: raw\n    tables:\n      - name: events\n        data_tests: [ingest_reconciles]\n",
    );
    project.write(
        "models/total.sql",
        "select sum(amount) as amount from {{ source('raw', 'events') }}",
    );
    project.write(
        "project.yml",
        "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: shop\npublish: together\n",
    );
    pair.ok(&[]);
    assert_eq!(project.marts(&["build"]).code, 0);
    pair.source.sql("delete from events where id = 6");
    pair.fails(1, &["ingest-differs"]);
    let ran = project.marts(&["build"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("ingest_reconciles"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Not published"), "{}", ran.stderr);
    pair.ok(&["--full-refresh"]);
    assert_eq!(project.marts(&["build"]).code, 0);
}
