//! Full loads: types, names, empty and odd tables, and what hangs on the table.

use super::Pair;

const MANY_TYPES: &str = "
create type mood as enum ('sad', 'ok');
create domain cents as bigint check (value >= 0);
create type pair as (a int, b text);
create table things (
    id bigint generated always as identity primary key, n numeric, n2 numeric(12,4), j jsonb, js json, a int[], t text[],
    at timestamptz, local timestamp, d date, i interval, b bytea, f float8, u uuid, m mood, ms mood[], c cents, p pair,
    r int4range, ip inet, ch char(5), vc varchar(9), one \"char\", bits bit(3), cash money, o oid, rc regclass, x xml, gone int);
alter table things drop column gone;
insert into things (n, n2, j, js, a, t, at, local, d, i, b, f, u, m, ms, c, p, r, ip, ch, vc, one, bits, cash, o, rc, x)
select case when i % 7 = 0 then null when i = 2 then 'NaN' when i = 3 then 1.10 else i / 7.0 end, i * 1.5,
       jsonb_build_object('k', i, 'q', 'it''s \"x\"'), '{\"a\" :  1}', array[i, null], array['a,b', '\"', null],
       case when i = 5 then 'infinity' else '2024-03-31 01:30+02'::timestamptz + i * interval '1.000001 s' end,
       '1999-12-31 23:59:59.999999', '0044-03-15 BC', '1 year 2 mons -3 days 04:05:06.7', '\\x00ff',
       case when i = 4 then 'NaN' else 0.1 * i end, md5(i::text)::uuid, (array['sad', 'ok'])[i % 2 + 1]::mood,
       array['ok', null]::mood[], i, row(i, 'b,')::pair, int4range(i, i + 5), '10.0.0.0/8', 'ab', 'tab\tnl\n', 'x',
       b'101', 12.34, i, 'pg_class', '<a/>'
from generate_series(1, 1000) i;
";

#[test]
fn every_type_arrives_as_it_is_in_the_source() {
    let pair = Pair::new(
        MANY_TYPES,
        "  - {name: things, key: [id], slice_rows: 100}\n",
    );
    pair.ok(&[]);
    pair.same(
        "select id, n::text, n2, j, js::text, a, t, at, local, d, i, b, f, u, m::text, ms::text, c, r, ip, ch, vc, one, bits, cash, o, rc::text, x::text \
         from {} order by id",
        "things",
        "raw.things",
    );
    let slices: Vec<String> = pair
        .compared("things")
        .split('|')
        .map(str::to_owned)
        .collect();
    assert!(slices[0].parse::<u32>().unwrap() > 3, "{slices:?}");
    assert_eq!(slices[1..], ["t", "1000", "1000"]);
    let types = "select string_agg(format_type(atttypid, atttypmod), ' ' order by attnum) from pg_attribute \
         where attrelid = 'raw.things'::regclass and attname in ('n2', 'm', 'ms', 'c', 'p', 'ch', 'vc', 'rc')";
    assert_eq!(
        pair.project.rows(types),
        "numeric(12,4) text text[] bigint text character(5) character varying(9) text"
    );
    assert_eq!(pair.staged(), "0");
}

#[test]
fn odd_names_empty_tables_and_tables_without_a_key_are_loaded() {
    let long = "ü".repeat(31);
    let source = format!(
        "create schema \"My App\"; create table \"My App\".\"Or\"\"der $1 Lines\" (\"Select\" int, \"a.b\" text, \"{long}\" text); \
         insert into \"My App\".\"Or\"\"der $1 Lines\" select i % 3, nullif(i % 2, 0)::text, '' from generate_series(1, 500) i; \
         create table \"{long}\" (id int); create table nothing (id int primary key, at timestamptz)"
    );
    let tables = format!(
        "  - {{schema: My App, name: 'Or\"der $1 Lines', slice_rows: 7}}\n  - {{name: {long}}}\n  \
         - {{name: nothing, key: id, mode: incremental, watermark: at}}\n"
    );
    let pair = Pair::new(&source, &tables);
    // Twice: the second load replaces, or reads nothing new.
    for _ in 0..2 {
        pair.ok(&[]);
        pair.same(
            "select \"Select\", \"a.b\", count(*) from {} group by 1, 2 order by 1, 2",
            "\"My App\".\"Or\"\"der $1 Lines\"",
            "raw.\"Or\"\"der $1 Lines\"",
        );
        assert_eq!(
            pair.project
                .rows(&format!("select count(*) from raw.\"{long}\"")),
            "0"
        );
        assert_eq!(pair.compared("nothing"), "0|t|0|0");
    }
}

#[test]
fn partitions_and_views_are_loaded_once_each() {
    let pair = Pair::new(
        "create table p (id int, at date) partition by range (at); \
         create table p1 partition of p for values from ('2024-01-01') to ('2024-02-01'); \
         create table p2 (at date, id int); alter table p attach partition p2 for values from ('2024-02-01') to ('2024-03-01'); \
         insert into p select i, '2024-01-01'::date + i % 59 from generate_series(1, 5000) i; \
         create view v as select id, count(*) from p group by 1",
        "  - {name: p, slice_rows: 1000}\n  - {name: v}\n",
    );
    pair.ok(&[]);
    pair.same(
        "select count(*), sum(id), min(at), max(at) from {}",
        "p",
        "raw.p",
    );
    assert_eq!(pair.project.rows("select count(*) from raw.v"), "5000");
}

#[test]
fn what_hangs_on_a_table_survives_its_next_load() {
    let pair = Pair::new(
        "create table orders (id int primary key, amount numeric); insert into orders values (1, 10), (2, 20)",
        "  - {name: orders, key: [id]}\n",
    );
    pair.ok(&[]);
    pair.project.sql(
        "create view shop_orders as select * from raw.orders; create index mine on raw.orders (amount); \
         comment on table raw.orders is 'ours'",
    );
    pair.source.sql("insert into orders values (3, 30)");
    pair.ok(&[]);
    assert_eq!(
        pair.project
            .rows("select count(*), sum(amount) from shop_orders"),
        "3|60"
    );
    assert_eq!(
        pair.project.rows(
            "select to_regclass('raw.mine') is not null, obj_description('raw.orders'::regclass)"
        ),
        "t|ours"
    );
}

#[test]
fn a_table_that_was_not_ingested_is_never_replaced() {
    let pair = Pair::new("create table orders (id int)", "  - {name: orders}\n");
    pair.project.sql(
        "create schema raw; create table raw.orders (id int); insert into raw.orders values (7)",
    );
    pair.fails(1, &["ingest-refused", "raw.orders"]);
    assert_eq!(pair.project.rows("select id from raw.orders"), "7");
}

#[test]
fn all_tables_are_read_under_one_snapshot() {
    // A writer adds an order and its line in one transaction, again and again.
    let pair = Pair::new(
        "create table orders (id int); create table lines (id int)",
        "  - {name: orders}\n  - {name: lines}\n",
    );
    let url = pair.source.config();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asked = std::sync::Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let pool = marts::pg::Pool::new(url, 1).unwrap();
            let connection = pool.get().await.unwrap();
            while !asked.load(std::sync::atomic::Ordering::Relaxed) {
                let sql =
                    "begin; insert into orders values (1); insert into lines values (1); commit";
                connection.execute(sql).await.unwrap();
            }
        });
    });
    for _ in 0..5 {
        pair.ok(&["--threads", "1"]);
        let counts = "select (select count(*) from raw.orders) = (select count(*) from raw.lines)";
        assert_eq!(pair.project.rows(counts), "t");
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
}
