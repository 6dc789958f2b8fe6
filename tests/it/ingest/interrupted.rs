//! A load that is killed half-way goes on where it was, and trusts nothing that it did before.

use std::process::Stdio;

use super::Pair;

const BIG: &str = "create table big (id int primary key, t text); \
     insert into big select i, repeat('x', i % 100) from generate_series(1, 60000) i; analyze big";

const TABLES: &str = "  - {name: big, key: [id], slice_rows: 500}\n";

/// Starts a load and kills it when some slices are committed.
fn kill_half_way(pair: &Pair) {
    let mut child = pair
        .command(&[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("marts starts");
    // The schema is made by the load itself.
    pair.project
        .wait_for("select 1 where to_regclass('raw.marts_ingest_slices') is not null");
    pair.project
        .wait_for("select 1 from raw.marts_ingest_slices where slice > 5 limit 1");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let left =
        "select count(*) > 5 and to_regclass('raw.big') is null from raw.marts_ingest_slices";
    assert_eq!(pair.project.rows(left), "t", "it was killed half-way");
}

#[test]
fn a_killed_load_resumes_and_notices_rows_that_changed_meanwhile() {
    let pair = Pair::new(BIG, TABLES);
    kill_half_way(&pair);
    // The first slice loses a row and another changes, which moves it to the end.
    pair.source.sql("delete from big where id = 3; update big set t = 'changed' where id = 700; insert into big values (0, 'new')");
    // The server may still be rolling the last slice back, and holds the table for it.
    pair.project.wait_for("select 1 where not exists (select from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database()))");
    let ran = pair.ok(&[]);
    assert!(ran.stderr.contains("resumed: "), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(" changed since and loaded again"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains(" 0 changed since"), "{}", ran.stderr);
    pair.same(
        "select count(*), sum(id), md5(string_agg(t, ',' order by id)) from {}",
        "big",
        "raw.big",
    );
    assert!(pair.compared("big").ends_with("|t|60000|60000"));
    assert_eq!(pair.staged(), "0");
    assert_eq!(
        pair.project
            .rows("select count(*) from raw.marts_ingest_slices"),
        "0"
    );
}

#[test]
fn rows_that_are_lost_on_the_way_are_noticed_and_nothing_is_swapped_in() {
    let pair = Pair::new(BIG, TABLES);
    kill_half_way(&pair);
    // A row that no slice wrote.
    let name = pair.project.rows("select relname from pg_class where relname like 'marts_ingest_%' and relkind = 'r' and relname <> 'marts_ingest_slices'");
    pair.project.wait_for("select 1 where not exists (select from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database()))");
    pair.project
        .sql(&format!("insert into raw.{name} values (-1, 'foreign')"));
    pair.fails(
        1,
        &[
            "ingest-differs",
            "the whole table: 60000 rows in the source, 60001 here",
        ],
    );
    assert_eq!(pair.project.rows("select to_regclass('raw.big')"), "~");
    assert!(pair.compared("big").ends_with("|f|60000|60001"));
}

#[test]
fn two_loads_of_one_table_do_not_meet() {
    let pair = Pair::new(
        "create table t (id int); insert into t values (1)",
        "  - {name: t}\n",
    );
    let holder = pair.project.db.pool(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _held = runtime.block_on(async {
        let connection = holder.get().await.unwrap();
        let sql = "select pg_advisory_lock(hashtextextended('marts ingest raw.t', 0))";
        connection.execute(sql).await.unwrap();
        connection
    });
    pair.fails(1, &["ingest-busy", "raw.t"]);
}
