//! What one session does: statements, queries, batches, COPY, cancelling, cleaning.

use bytes::Bytes;
use futures_util::TryStreamExt;
use marts::pg::PgError;

use crate::support::TestDb;

#[tokio::test]
async fn a_query_gives_names_types_and_text() {
    let db = TestDb::new();
    let connection = db.connect().await;
    let rows = connection
        .query("select 1::int as a, 'x'::text as b, null::numeric(9,2) as c, now() as d, array[1] as e")
        .await
        .expect("runs");
    let columns: Vec<_> = rows
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.data_type.as_str()))
        .collect();
    assert_eq!(
        columns,
        [
            ("a", "int4"),
            ("b", "text"),
            ("c", "numeric"),
            ("d", "timestamptz"),
            ("e", "_int4")
        ]
    );
    assert_eq!(rows.rows[0][0].as_deref(), Some("1"));
    assert_eq!(rows.rows[0][2], None);
    assert_eq!(rows.done.tag, "SELECT 1");
}

#[tokio::test]
async fn several_statements_give_the_last_ones_result() {
    let db = TestDb::new();
    let connection = db.connect().await;
    let rows = connection
        .query("create table t (a int); insert into t values (1), (2); select a from t order by a")
        .await
        .expect("runs");
    assert_eq!(rows.columns[0].data_type, "int4");
    assert_eq!(rows.rows, [[Some("1".to_owned())], [Some("2".to_owned())]]);
    let done = connection
        .execute("update t set a = a + 1; -- the end")
        .await
        .expect("runs");
    assert_eq!((done.rows, done.tag.as_str()), (2, "UPDATE 2"));
    let created = connection
        .query("create table u as select * from t")
        .await
        .expect("runs");
    assert!(created.columns.is_empty());
    assert_eq!(created.done.tag, "SELECT 2");
}

#[tokio::test]
async fn an_error_says_where_and_what() {
    let db = TestDb::new();
    let connection = db.connect().await;
    let sql = "select 'é',\n  nothing from pg_class";
    for error in [
        connection.query(sql).await.expect_err("no such column"),
        connection.execute(sql).await.expect_err("no such column"),
    ] {
        let db = error.db().expect("the server's");
        assert_eq!(db.sqlstate, "42703");
        assert_eq!(db.position, sql.find("nothing"));
    }
    connection.execute("begin").await.expect("begins");
    let error = connection.query(sql).await.expect_err("no such column");
    assert_eq!(error.sqlstate(), Some("42703"));
    let error = connection.query("select 1").await.expect_err("aborted");
    assert_eq!(error.sqlstate(), Some("25P02"));
    connection.query("rollback").await.expect("rolls back");
    connection.query("select 1").await.expect("runs again");
}

#[tokio::test]
async fn a_batch_stops_at_its_first_failure() {
    let db = TestDb::new();
    let connection = db.connect().await;
    let done = connection
        .batch(&[
            "begin",
            "create table t (a int)",
            "insert into t values (1); insert into t select 2 union select 3 -- x",
            "commit",
        ])
        .await
        .expect("runs");
    let tags: Vec<_> = done.iter().map(|d| d.tag.as_str()).collect();
    assert_eq!(tags, ["BEGIN", "CREATE TABLE", "INSERT 0 2", "COMMIT"]);
    let failed = connection
        .batch(&[
            "insert into t values (4)",
            "select 1/0",
            "insert into t values (5)",
        ])
        .await
        .expect_err("divides by zero");
    assert_eq!(failed.index, 1);
    assert_eq!(failed.error.sqlstate(), Some("22012"));
    let count = connection
        .query("select count(*) from t")
        .await
        .expect("runs");
    assert_eq!(
        count.rows[0][0].as_deref(),
        Some("3"),
        "one transaction, undone"
    );
}

#[tokio::test]
async fn rows_are_copied_in_and_out() {
    let db = TestDb::new();
    let connection = db.connect().await;
    connection
        .execute("create table t (a int, b text)")
        .await
        .expect("creates");
    let mut copy = connection
        .copy_in("copy t from stdin (format csv)")
        .await
        .expect("begins");
    for chunk in ["1,x\n2,", "y\n"] {
        copy.send(Bytes::from(chunk)).await.expect("sends");
    }
    assert_eq!(copy.finish().await.expect("ends"), 2);
    let out: Vec<Bytes> = connection
        .copy_out("copy (select * from t order by a) to stdout")
        .await
        .expect("begins")
        .try_collect()
        .await
        .expect("ends");
    assert_eq!(out.concat(), b"1\tx\n2\ty\n");
}

#[tokio::test]
async fn a_bad_row_of_a_copy_is_told() {
    let db = TestDb::new();
    let connection = db.connect().await;
    connection
        .execute("create table t (a int)")
        .await
        .expect("creates");
    let mut copy = connection
        .copy_in("copy t from stdin")
        .await
        .expect("begins");
    copy.send(Bytes::from("1\nx\n")).await.expect("sends");
    let error = copy.finish().await.expect_err("x is no number");
    assert_eq!(error.sqlstate(), Some("22P02"));
    let context = error.db().and_then(|db| db.context.clone());
    assert!(context.is_some_and(|c| c.contains("line 2")));
    connection
        .query("select 1")
        .await
        .expect("the session goes on");
}

#[tokio::test]
async fn a_copy_that_is_dropped_leaves_nothing() {
    let db = TestDb::new();
    let connection = db.connect().await;
    connection
        .execute("create table t (a int)")
        .await
        .expect("creates");
    let mut copy = connection
        .copy_in("copy t from stdin")
        .await
        .expect("begins");
    copy.send(Bytes::from("1\n")).await.expect("sends");
    drop(copy);
    let count = connection
        .query("select count(*) from t")
        .await
        .expect("runs");
    assert_eq!(count.rows[0][0].as_deref(), Some("0"));
}

#[tokio::test]
async fn a_cancel_ends_the_statement() {
    let db = TestDb::new();
    let connection = db.connect().await;
    let token = connection.cancel_token();
    let (ran, _) = tokio::join!(connection.execute("select pg_sleep(60)"), async {
        // The statement must be under way: cancelling nothing does nothing.
        wait_for(
            &db,
            "select 1 from pg_stat_activity where query = 'select pg_sleep(60)'",
        )
        .await;
        token.cancel().await.expect("asks");
    });
    assert_eq!(ran.expect_err("cancelled").sqlstate(), Some("57014"));
}

#[tokio::test]
async fn a_dirty_session_comes_back_clean() {
    let db = TestDb::new();
    let pool = db.pool(1);
    let first = pool.get().await.expect("a connection");
    let backend = first.backend();
    first
        .execute("set work_mem = '1MB'; create temp table x (a int); select pg_advisory_lock(1); create role r; set role r; commit; begin")
        .await
        .expect("runs");
    drop(first);
    let second = pool.get().await.expect("a connection");
    assert_eq!(second.backend(), backend, "the same session");
    let state = second
        .query(
            "select current_setting('work_mem') <> '1MB', to_regclass('x') is null, \
             current_user = session_user, \
             (select count(*) = 0 from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), \
             now() = statement_timestamp()",
        )
        .await
        .expect("runs");
    assert_eq!(state.rows[0], vec![Some("t".to_owned()); 5]);
    second.execute("drop role r").await.expect("drops");
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_is_stopped() {
    let db = TestDb::new();
    let pool = db.pool(1);
    let connection = pool.get().await.expect("a connection");
    let running =
        "select 1 from pg_stat_activity where query = 'select pg_sleep(61)' and state = 'active'";
    tokio::select! {
        _ = connection.execute("select pg_sleep(61)") => panic!("it sleeps"),
        () = wait_for(&db, running) => {}
    }
    drop(connection);
    let next = pool.get().await.expect("another connection");
    next.query("select 1").await.expect("runs");
    wait_for(&db, &format!("select 1 where not exists ({running})")).await;
}

#[tokio::test]
async fn notices_are_kept_for_the_caller() {
    let db = TestDb::new();
    let connection = db.connect().await;
    connection
        .execute("do $$ begin raise notice 'hello'; end $$")
        .await
        .expect("runs");
    let notices = connection.take_notices();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].message, "hello");
    assert!(connection.take_notices().is_empty());
}

#[tokio::test]
async fn a_killed_session_is_told_as_lost() {
    let db = TestDb::new();
    let pool = db.pool(2);
    let connection = pool.get().await.expect("a connection");
    let other = pool.get().await.expect("a connection");
    other
        .execute(&format!(
            "select pg_terminate_backend({}, 5000)",
            connection.backend()
        ))
        .await
        .expect("runs");
    let error: PgError = connection.execute("select 1").await.expect_err("gone");
    assert!(error.is_lost(), "{error:?}");
    assert!(error.is_transient(), "{error:?}");
    drop(connection);
    pool.get()
        .await
        .expect("another")
        .execute("select 1")
        .await
        .expect("runs");
}

/// Asks until the query gives a row.
async fn wait_for(db: &TestDb, sql: &str) {
    let connection = db.connect().await;
    while connection
        .query_untyped(sql)
        .await
        .expect("runs")
        .rows
        .is_empty()
    {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
