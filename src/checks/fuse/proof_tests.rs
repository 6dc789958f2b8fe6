//! What the proof accepts, and each reason for which it refuses.

use super::{Reason, Shape, prove};

/// A filter's origin and condition.
#[track_caller]
fn filter(sql: &str) -> (String, String) {
    match prove(sql) {
        Ok(Shape::Filter(filter)) => (filter.origin.text().to_owned(), filter.failing),
        other => panic!("{sql}: {other:?}"),
    }
}

/// The condition of a filter over `s.t`.
#[track_caller]
fn failing(sql: &str) -> String {
    let (from, failing) = filter(sql);
    assert_eq!(from, "s.t", "{sql}");
    failing
}

#[track_caller]
fn refused(sql: &str) -> String {
    match prove(sql) {
        Err(reason) => reason.to_string(),
        Ok(shape) => panic!("{sql}: {shape:?}"),
    }
}

#[test]
fn the_built_in_row_tests_are_filters() {
    assert_eq!(
        failing("select id\nfrom s.t\nwhere id is null"),
        "(id IS NULL)"
    );
    assert_eq!(
        failing("select *\nfrom s.t\nwhere a < 0 or a > 1"),
        "(a < 0 OR a > 1)"
    );
    assert_eq!(
        failing("select * from s.t where not coalesce((a > 0), false)"),
        "(NOT coalesce((a > 0), false))"
    );
    let values = "select value_field, n_records from (select \"S t\" as value_field, count(*) as \
                  n_records from s.t group by \"S t\") as found where value_field not in ('a', \
                  'it''s')";
    assert_eq!(
        failing(values),
        "(\"S t\" <> 'a' AND \"S t\" <> 'it''s') and num_nulls(greatest(\"S t\")) >= 0"
    );
}

#[test]
fn dbts_own_form_of_accepted_values_is_a_filter() {
    let values = "with all_values as (select status as value_field, count(*) as n_records from s.t \
                  group by status) select * from all_values where value_field not in ('a', 'b')";
    assert_eq!(
        failing(values),
        "(status <> 'a' AND status <> 'b') and num_nulls(greatest(status)) >= 0"
    );
}

#[test]
fn a_where_of_the_test_is_what_is_scanned() {
    let (from, failing) = filter(
        "select id from (select * from \"d\".\"s\".\"t\" where a > 'x' and \"B\" is true) \
         dbt_subquery where id is null",
    );
    assert_eq!(
        from,
        "(SELECT * FROM \"d\".\"s\".\"t\" WHERE a > 'x' AND \"B\" IS TRUE) dbt_subquery"
    );
    assert_eq!(failing, "(id IS NULL)");
}

#[test]
fn a_chain_of_projections_and_filters_is_one_filter() {
    assert_eq!(
        failing(
            "with base as (select id, amount * 2 as twice, note from s.t as o where o.status = 'x'), \
             last as (select b.twice as v, id from base b where id > 3) \
             select id from last where v < 0"
        ),
        "(\"status\" = 'x') and (id > 3) and ((amount * 2) < 0) and num_nulls(note) >= 0"
    );
    assert_eq!(
        failing("select * from (select * from s.t where a = 1) x where x.b = 2"),
        "(a = 1) and (\"b\" = 2)"
    );
    assert_eq!(failing("select * from s.t"), "true");
    assert_eq!(failing("(select 1 as x from s.t where a)"), "(a)");
}

#[test]
fn what_is_selected_stays_checked() {
    assert_eq!(
        failing("select id, upper(name) as n, 'x' as label from s.t where id < 0"),
        "(id < 0) and num_nulls(upper(name)) >= 0"
    );
}

#[test]
fn names_keep_their_meaning() {
    assert_eq!(
        failing("select * from s.t o where o.user = 1"),
        "(\"user\" = 1)"
    );
    assert_eq!(failing("select * from s.t where T.Id = 1"), "(\"id\" = 1)");
    assert_eq!(
        failing("select s.t.* from s.t where s.t.\"Id\" = 1"),
        "(\"Id\" = 1)"
    );
    assert_eq!(
        failing("select * from s.t where \"a\"\"b c\" = 'x\\'"),
        "(\"a\"\"b c\" = 'x\\')"
    );
}

#[test]
fn keys_that_occur_twice_are_uniqueness() {
    let Ok(Shape::Unique(unique)) = prove(
        "select id as unique_field, count(*) as n_records from s.t where id is not null group by id \
         having count(*) > 1",
    ) else {
        panic!("is no uniqueness");
    };
    assert_eq!(unique.keys, ["id"]);
    assert_eq!(unique.columns, Some(vec!["id".to_owned()]));
    assert_eq!(unique.not_null, ["id"]);
    assert_eq!(unique.counted.as_deref(), Some("(id IS NOT NULL)"));
    let Ok(Shape::Unique(grain)) = prove(
        "with validation_errors as (select a, lower(b) from s.t group by a, lower(b) having \
         count(*) > 1) select * from validation_errors",
    ) else {
        panic!("is no uniqueness");
    };
    assert_eq!(grain.keys, ["a", "lower(b)"]);
    assert_eq!((grain.columns, grain.counted), (None, None));
    assert!(matches!(
        prove("select a, b from s.t group by 1, 2 having count(*) >= 2"),
        Ok(Shape::Unique(unique)) if unique.keys == ["a", "b"]
    ));
}

#[test]
fn more_than_one_relation_is_refused() {
    for sql in [
        "select * from s.t, s.u where t.id = u.id",
        "select * from s.t join s.u using (id)",
        "select * from s.t cross join lateral (select 1) x",
        "select 1",
    ] {
        assert_eq!(refused(sql), "it reads more than one relation", "{sql}");
    }
    assert!(prove("select * from generate_series(1, 3) g where g < 0").is_err());
    assert!(prove("select * from s.t tablesample system (10) where a < 0").is_err());
    assert!(prove("select * from (values (1)) v(a) where a < 0").is_err());
    assert!(prove("table s.t").is_err());
}

#[test]
fn subqueries_are_refused() {
    for sql in [
        "select * from s.t where id in (select id from s.u)",
        "select * from s.t where exists (select 1 from s.u)",
        "select * from s.t where a = (select max(a) from s.u)",
        "select (select 1) from s.t where a = 1",
        "select * from s.t where a = any (select 1)",
        "select * from s.t where a = any (array(select 1))",
        "select * from (select * from s.t where id in (select 1)) dbt_subquery where a is null",
    ] {
        assert!(prove(sql).is_err(), "{sql}");
    }
}

#[test]
fn clauses_that_do_more_than_choose_rows_are_refused() {
    for (sql, reason) in [
        ("select distinct a from s.t where a < 0", "it has distinct"),
        ("select distinct on (a) a from s.t", "it has distinct"),
        (
            "select a from s.t where a < 0 limit 1",
            "it has order by or limit",
        ),
        (
            "select a from s.t where a < 0 offset 1",
            "it has order by or limit",
        ),
        ("select a from s.t order by a", "it has order by or limit"),
        ("select a from s.t fetch first 1 row only", ""),
        ("select a from s.t for update", "it has for update"),
        (
            "select a from s.t union all select a from s.t",
            "it has union, values or the like",
        ),
        ("select a from s.t group by a", "it has group by"),
        (
            "select a from s.t group by rollup (a) having count(*) > 1",
            "",
        ),
        (
            "select a from s.t group by a having sum(b) > 1",
            "it has having",
        ),
        ("select a from s.t having count(*) > 1", "it has having"),
        (
            "select a from s.t where a < 0 window w as (order by a)",
            "it has window",
        ),
        (
            "with recursive x as (select a from s.t) select * from x",
            "it has recursive",
        ),
        (
            "with x as (select nope from s.u) select * from s.t where a < 0",
            "it has a common table expression that is not read",
        ),
        (
            "select a from s.t as x(a) where a < 0",
            "it has names of columns in an alias",
        ),
        (
            "select a, max(b) from s.t group by a having count(*) > 1",
            "it calls max, which is not known to look at one row only",
        ),
    ] {
        let found = refused(sql);
        assert!(reason.is_empty() || found == reason, "{sql}: {found}");
    }
}

#[test]
fn functions_that_may_do_more_are_refused() {
    for call in [
        "random() < 0.5",
        "clock_timestamp() > a",
        "nextval('s.q') > 0",
        "my_function(a)",
        "public.lower(a) = 'x'",
        "generate_series(1, 2) > 0",
        "sum(a) > 0",
        "count(*) > 0",
        "row_number() over (order by a) > 1",
        "lower(distinct a) = 'x'",
        "unnest(a) = 1",
        "pg_sleep(1) is null",
        "set_config('a', 'b', true) = ''",
        "\"LOWER\"(a) = 'x'",
    ] {
        let sql = format!("select * from s.t where {call}");
        assert!(
            matches!(prove(&sql), Err(Reason::Function(_))),
            "{sql}: {:?}",
            prove(&sql)
        );
    }
    assert!(prove("select generate_series(1, a) from s.t where a < 0").is_err());
    assert!(prove("select *, row_number() over () from s.t where a < 0").is_err());
    assert!(prove("select * from s.t where pg_catalog.lower(a) = 'x'").is_ok());
}

#[test]
fn names_that_may_mean_something_else_are_refused() {
    for sql in [
        "select x.* from s.t where a < 0",
        "select * from s.t o where t.a < 0",
        "with x as (select a as b, c as b from s.t) select * from x where b < 0",
        "with x as (select *, a as b from s.t) select * from x where b < 0",
        "with x as (select a from s.t) select * from x where hidden < 0",
        "with x as (select a + 1 from s.t) select * from x where \"?column?\" < 0",
        "select lower(a) as b from s.t group by b having count(*) > 1",
    ] {
        assert!(
            matches!(prove(sql), Err(Reason::Name(_))),
            "{sql}: {:?}",
            prove(sql)
        );
    }
    for column in ["ctid", "xmin", "tableoid"] {
        assert!(prove(&format!("select * from s.t where {column} is null")).is_err());
    }
}

#[test]
fn groups_are_filtered_by_a_list_of_their_key_alone() {
    let over = |condition: &str| {
        prove(&format!(
            "select * from (select a as v, count(*) as n from s.t group by a) x where {condition}"
        ))
    };
    assert!(over("v in (1, -2, 'x')").is_ok());
    for condition in [
        "n > 3",
        "v > 3",
        "v::text not in ('1.0')",
        "v not in (n)",
        "v in (1) and n > 1",
        "v in (select 1)",
    ] {
        assert!(over(condition).is_err(), "{condition}");
    }
    assert!(
        prove("select * from (select a as v, max(b) from s.t group by a) x where v in (1)")
            .is_err()
    );
    let again = "select v from (select a as v, count(*) as n from s.t group by a) x where v in (1)";
    assert!(prove(again).is_ok());
    assert!(prove(&format!("{again} group by v having count(*) > 1")).is_err());
    assert!(prove(&format!("select * from ({again}) y where v in (2)")).is_err());
}

#[test]
fn what_is_not_read_with_certainty_is_refused() {
    for sql in [
        "select * from s.t where a = E'\\n'",
        "select * from s.t where a = $$x$$",
        "select * from s.t where a = U&'\\0041'",
        "select * from s.t where a = $1",
        "select * from s.t where a operator(pg_catalog.=) 1",
        "select * from s.t where a < 0; select 1",
        "delete from s.t",
        "select * from s.t where",
        "",
        "explain select * from s.t",
        "select * into x from s.t",
        "with d as (delete from s.t returning *) select * from d",
        "select * from only s.t where a < 0",
    ] {
        assert!(prove(sql).is_err(), "{sql}: {:?}", prove(sql));
    }
}
