//! What is read from the catalog: relations, what hangs on them, what belongs to them.

use marts::names::RelationKind;
use marts::pg::Connection;
use marts::pg::catalog::{self, DependentKind, Persistence};

use crate::support::TestDb;

async fn run(connection: &Connection, sql: &str) {
    connection.execute(sql).await.expect("runs");
}

async fn oid(connection: &Connection, schema: &str, name: &str) -> u32 {
    catalog::relation(connection, schema, name)
        .await
        .expect("reads")
        .expect("exists")
        .oid
}

#[tokio::test]
async fn relations_of_the_given_schemas_are_loaded_at_once() {
    let db = TestDb::new();
    let c = db.connect().await;
    run(
        &c,
        "create schema a; create schema \"B's\"; create schema c;
         create table a.t (x int); create unlogged table a.u (x int);
         create view \"B's\".v as select * from a.t;
         create materialized view \"B's\".m as select 1 as x; create table c.hidden (x int)",
    )
    .await;
    let found = catalog::load(&c, &["a", "B's", "missing"])
        .await
        .expect("loads");
    assert!(found.schemas.contains("c") && found.schemas.contains("public"));
    assert!(!found.schemas.contains("pg_catalog"));
    let names: Vec<_> = found.entries().map(|e| (e.name.as_str(), e.kind)).collect();
    assert_eq!(
        names,
        [
            ("m", RelationKind::MaterializedView),
            ("v", RelationKind::View),
            ("t", RelationKind::Table),
            ("u", RelationKind::Table),
        ]
    );
    let t = found.get("a", "t").expect("is there");
    assert_eq!((t.owner.as_str(), t.is_ours), ("postgres", true));
    let u = found.get("a", "u").expect("is there");
    assert_eq!(
        (u.persistence, u.is_emptied),
        (Persistence::Unlogged, false)
    );
    assert!(found.get("c", "hidden").is_none());
}

#[tokio::test]
async fn a_role_without_rights_needs_no_create_as_long_as_schemas_exist() {
    let db = TestDb::new();
    let c = db.connect().await;
    let role = format!("limited_{}", db.name());
    run(
        &c,
        &format!("create schema there; create role {role}; set role {role}"),
    )
    .await;
    let made = catalog::create_missing_schemas(&c, &["there"])
        .await
        .expect("nothing to do");
    assert!(made.is_empty());
    let error = catalog::create_missing_schemas(&c, &["there", "new"])
        .await
        .expect_err("may not create");
    assert_eq!(error.sqlstate(), Some("42501"));
    run(&c, "reset role").await;
    let made = catalog::create_missing_schemas(&c, &["there", "new", "new"])
        .await
        .expect("may");
    assert_eq!(made, ["new"]);
    run(&c, &format!("drop role {role}")).await;
}

#[tokio::test]
async fn everything_that_hangs_on_a_table_is_found() {
    let db = TestDb::new();
    let c = db.connect().await;
    run(
        &c,
        "create table t (id int primary key, a text, b text);
         create view v1 as select * from t; create view v2 as select * from v1;
         create materialized view m as select count(*) from v2;
         create table child_fk (id int references t);
         create table row_typed (r t);
         create policy p on t using (true); alter table t enable row level security;
         create function trig() returns trigger language plpgsql as 'begin return new; end';
         create trigger tr after insert on t execute function trig();
         create publication pub for table t;
         create function takes(t) returns int language sql as 'select 1';
         create function body() returns bigint language sql begin atomic select count(*) from t; end;
         create rule r as on insert to child_fk do also select * from t;
         create statistics st on a, b from t;
         create table heir () inherits (t);
         create table unrelated (id int primary key)",
    )
    .await;
    let table = oid(&c, "public", "t").await;
    let found = catalog::dependents(&c, &[table]).await.expect("reads");
    let mut kinds: Vec<_> = found.iter().map(|d| (d.kind.as_str(), d.depth)).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            ("column of its row type", 1),
            ("extended statistics", 1),
            ("foreign key", 1),
            ("function", 1),
            ("function", 1),
            ("inheritance or partition", 1),
            ("materialized view", 3),
            ("policy", 1),
            ("publication", 1),
            ("row security", 1),
            ("rule", 1),
            ("trigger", 1),
            ("view", 1),
            ("view", 2),
        ],
        "{found:#?}"
    );
    let view = found
        .iter()
        .find(|d| d.kind == DependentKind::View)
        .expect("first");
    assert_eq!((view.name.as_str(), view.is_ours), ("public.v1", true));
    let plain = oid(&c, "public", "unrelated").await;
    assert!(
        catalog::dependents(&c, &[plain])
            .await
            .expect("reads")
            .is_empty()
    );
}

#[tokio::test]
async fn owner_grants_and_comments_are_read() {
    let db = TestDb::new();
    let c = db.connect().await;
    let role = format!("bi_{}", db.name());
    run(
        &c,
        &format!(
            "create role {role}; create table t (a int, \"b c\" int);
             grant select on t to {role} with grant option; grant insert on t to public;
             grant update (\"b c\") on t to {role};
             comment on table t is 'what it is'; comment on column t.\"b c\" is 'its column';
             create schema s; alter default privileges in schema s grant select on tables to {role}"
        ),
    )
    .await;
    let table = oid(&c, "public", "t").await;
    let all = catalog::belongings(&c, &[table]).await.expect("reads");
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].owner, "postgres");
    assert_eq!(all[0].comment.as_deref(), Some("what it is"));
    assert_eq!(
        all[0].column_comments,
        [("b c".to_owned(), "its column".to_owned())]
    );
    let mut statements: Vec<_> = all[0].grants.iter().map(|g| g.sql("t")).collect();
    statements.sort();
    assert_eq!(
        statements,
        [
            "grant INSERT on table t to public".to_owned(),
            format!("grant SELECT on table t to \"{role}\" with grant option"),
            format!("grant UPDATE (\"b c\") on table t to \"{role}\""),
        ]
    );
    let defaults = catalog::default_privileges(&c, &["s", "public"], None)
        .await
        .expect("reads");
    assert_eq!(defaults.len(), 1);
    assert_eq!(
        (defaults[0].0.as_str(), defaults[0].1.privilege.as_str()),
        ("s", "SELECT")
    );
    run(&c, &format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn view_definitions_are_qualified_and_keep_their_options() {
    let db = TestDb::new();
    let c = db.connect().await;
    run(
        &c,
        "create schema s; set search_path = s; create table t (a int);
         create view v with (security_barrier) as select a from t where a > 0",
    )
    .await;
    let view = oid(&c, "s", "v").await;
    let found = catalog::view_definitions(&c, &[view]).await.expect("reads");
    assert_eq!(found.len(), 1);
    assert!(found[0].query.contains("FROM s.t"), "{}", found[0].query);
    assert!(!found[0].query.ends_with(';'));
    assert_eq!(found[0].options, ["security_barrier=true"]);
    let path = c.query("show search_path").await.expect("runs");
    assert_eq!(path.rows[0][0].as_deref(), Some("s"), "as before");
}

#[tokio::test]
async fn indexes_say_what_they_prove() {
    let db = TestDb::new();
    let c = db.connect().await;
    run(
        &c,
        "create table t (a int primary key, b text, c int);
         create unique index two on t (c, b); create unique index part on t (b) where a > 0;
         create unique index expr on t (lower(b))",
    )
    .await;
    let table = oid(&c, "public", "t").await;
    let found = catalog::indexes(&c, table).await.expect("reads");
    let proofs: Vec<_> = found
        .iter()
        .map(|i| {
            (
                i.name.as_str(),
                i.is_unique && i.is_valid && i.is_plain,
                i.columns.join(","),
            )
        })
        .collect();
    assert_eq!(
        proofs,
        [
            ("expr", false, String::new()),
            ("part", false, "b".to_owned()),
            ("t_pkey", true, "a".to_owned()),
            ("two", true, "c,b".to_owned()),
        ]
    );
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
