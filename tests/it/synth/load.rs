//! `marts generate` against a real Postgres and a real folder.

use std::path::Path;
use std::process::{Command, Output};

use bytes::Bytes;
use marts::synth::schema::{RAW, TABLES, Table};

use crate::support::TestDb;

fn generate(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_marts"))
        .args(["generate", "--customers", "40", "--months", "12"])
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("DATABASE_URL")
        .output()
        .expect("marts starts")
}

fn into(db: &TestDb, args: &[&str]) -> String {
    let url = db.url();
    let out = generate(&[&["--url", &url], args].concat());
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success(), "{told}");
    told
}

fn one(db: &TestDb, sql: &str) -> String {
    db.sql(sql)[0][0].clone().unwrap_or_default()
}

/// Where a table is: its own schema beside `raw`, or the one that a test put all tables into.
fn schema_of<'a>(table: &Table, schema: &'a str) -> &'a str {
    if schema == RAW { table.schema } else { schema }
}

/// Per table: how many rows and a checksum that does not depend on their order.
fn sums(db: &TestDb, schema: &str) -> Vec<String> {
    TABLES
        .iter()
        .map(|table| {
            let sum = format!(
                "select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) from {} t",
                table.qualified(schema_of(table, schema))
            );
            format!("{} {}", table.name, one(db, &sum))
        })
        .collect()
}

#[test]
fn continued_days_leave_the_same_rows_as_one_go() {
    let (stepped, at_once) = (TestDb::new(), TestDb::new());
    for until in ["2024-01-10", "2024-01-11", "2024-03-01", "2024-08-20"] {
        into(&stepped, &["--until", until]);
    }
    into(&at_once, &["--until", "2024-08-20"]);
    assert_eq!(sums(&stepped, "raw"), sums(&at_once, "raw"));
    assert!(into(&stepped, &["--until", "2024-08-20"]).contains("already holds"));
}

#[test]
fn another_seed_or_an_earlier_day_replaces_the_history() {
    let (db, fresh) = (TestDb::new(), TestDb::new());
    into(&db, &["--seed", "9"]);
    let view = "create view public.uses_raw as select count(*) as n from raw.customers";
    db.sql(view);
    assert!(into(&db, &["--until", "2024-02-01"]).contains("--full-refresh"));
    into(&fresh, &["--until", "2024-02-01"]);
    assert_eq!(sums(&db, "raw"), sums(&fresh, "raw"));
    assert_ne!(
        one(&db, "select n from public.uses_raw"),
        "0",
        "views on raw survive"
    );
}

#[test]
fn a_history_that_was_left_half_written_is_written_anew() {
    let (db, fresh) = (TestDb::new(), TestDb::new());
    into(&db, &["--until", "2024-02-01"]);
    db.sql("update raw.marts_generated set is_complete = false; delete from raw.invoices");
    into(&db, &["--until", "2024-03-01"]);
    into(&fresh, &["--until", "2024-03-01"]);
    assert_eq!(sums(&db, "raw"), sums(&fresh, "raw"));
}

#[test]
fn a_broken_row_is_repaired_by_rewriting() {
    let db = TestDb::new();
    into(&db, &[]);
    let before = sums(&db, "raw");
    db.sql("update raw.invoices set amount_paid = -1");
    assert!(into(&db, &[]).contains("--rewrite"));
    into(&db, &["--rewrite"]);
    assert_eq!(sums(&db, "raw"), before);
}

#[test]
fn rows_of_others_are_refused_and_stay() {
    let db = TestDb::new();
    db.sql("create schema raw; create table raw.customers (name text); insert into raw.customers values ('Ada')");
    let out = generate(&["--url", &db.url()]);
    assert_eq!(out.status.code(), Some(2));
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        told.contains("generate-refused") && told.contains("raw.customers"),
        "{told}"
    );
    assert_eq!(one(&db, "select name from raw.customers"), "Ada");
}

#[test]
fn an_empty_table_with_other_columns_is_refused_and_nothing_is_written() {
    let db = TestDb::new();
    db.sql("create schema raw; create table raw.refunds (name text)");
    let out = generate(&["--url", &db.url()]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("raw.refunds has other columns"));
    assert_eq!(one(&db, "select to_regclass('raw.invoices') is null"), "t");
}

#[tokio::test]
async fn files_hold_the_same_rows_as_the_database() {
    let db = tokio::task::spawn_blocking(TestDb::new).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let out = generate(&["--out", dir.path().to_str().unwrap()]);
    assert!(out.status.success());
    let connection = db.connect().await;
    connection.execute("create schema files").await.unwrap();
    for table in TABLES {
        connection
            .execute(&table.create_sql("files"))
            .await
            .unwrap();
        let csv = std::fs::read(dir.path().join(table.name).with_extension("csv")).unwrap();
        let sql = format!(
            "copy {} from stdin (format csv, header)",
            table.qualified("files")
        );
        let mut copy = connection.copy_in(&sql).await.unwrap();
        copy.send(Bytes::from(csv)).await.unwrap();
        copy.finish().await.unwrap();
        connection.execute(&table.key_sql("files")).await.unwrap();
    }
    drop(connection);
    tokio::task::spawn_blocking(move || {
        into(&db, &[]);
        assert_eq!(sums(&db, "files"), sums(&db, "raw"));
        drop(db);
    })
    .await
    .unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let inside = file.path().join("folder");
    let out = generate(&["--out", inside.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(2));
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(told.contains("generate-unwritable"), "{told}");
    assert!(!Path::new(&inside).exists());
}
