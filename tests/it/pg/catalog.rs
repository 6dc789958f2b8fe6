//! What is read from the catalog of one relation.

use marts::pg::Connection;

use crate::support::TestDb;

async fn run(connection: &Connection, sql: &str) {
    connection.execute(sql).await.expect("runs");
}

#[tokio::test]
async fn columns_are_as_postgres_formats_them() {
    let db = TestDb::new();
    let c = db.connect().await;
    run(&c, "create table \"T x\" (a numeric(9,2), \"B\" varchar(20), gone int); alter table \"T x\" drop gone").await;
    let columns = c.columns("public", "T x").await.expect("reads");
    let pairs: Vec<_> = columns
        .iter()
        .map(|c| (c.name.as_str(), c.data_type.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [("a", "numeric(9,2)"), ("B", "character varying(20)")]
    );
    assert!(
        c.columns("public", "nothing")
            .await
            .expect("reads")
            .is_empty()
    );
}
