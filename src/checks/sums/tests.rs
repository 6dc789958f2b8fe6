//! What the lint finds and what it passes over, for currencies and for periods.

use super::lint::lint;
use super::{Measures, Rule};

fn found(sql: &str) -> Vec<String> {
    let relations = [Measures {
        schema: "shop".to_owned(),
        name: "payments".to_owned(),
        columns: vec![("amount".to_owned(), "currency".to_owned())],
    }];
    let found = lint(sql, &relations, Rule::Currency);
    found
        .iter()
        .map(|f| format!("{}({}) line {}", f.function, f.column, f.line))
        .collect()
}

#[track_caller]
fn wrong(sql: &str) {
    assert_eq!(found(sql).len(), 1, "{sql}");
}

#[track_caller]
fn right(sql: &str) {
    assert_eq!(found(sql), Vec::<String>::new(), "{sql}");
}

#[test]
fn a_sum_without_its_currency_is_found_with_its_line() {
    assert_eq!(
        found("select\n  customer_id,\n  sum(amount) as total\nfrom shop.payments group by 1"),
        ["sum(amount) line 3"]
    );
    wrong("select avg(p.amount) from \"db\".\"shop\".\"payments\" as p");
    wrong("select sum(coalesce(-amount::numeric / 100.0, 0)) from shop.payments");
    wrong("select sum(case when ok then amount end) from shop.payments");
    wrong("select day, round(sum(amount), 2) from shop.payments group by day having sum(1) > 0");
    wrong("select currency, sum(amount) over (partition by customer) from shop.payments");
    wrong("select sum(amount) from shop.payments where currency in ('USD', 'EUR')");
    wrong("select sum(amount) from shop.payments where currency <> 'USD'");
    wrong("select 1 where 5 < (select sum(amount) from shop.payments)");
}

#[test]
fn a_column_is_followed_through_ctes_subqueries_and_aliases() {
    wrong(
        "with p as (select *, 1 as x from shop.payments), q as (select customer, amount as a, \
         currency as c from p) select customer, sum(a) from q group by customer",
    );
    wrong("select sum(t.v) from (select amount, currency from shop.payments) as t (v, w)");
    wrong(
        "with d as (select day, currency, sum(amount) as total from shop.payments group by 1, \
         2) select day, sum(total) from d group by day",
    );
    wrong(
        "select sum(a) from (select amount a from shop.payments union all select amount from \
         shop.payments) u",
    );
    right(
        "with q as (select amount as a, currency as c from shop.payments) select c, sum(a) \
         from q group by c",
    );
    right("with payments as (select 1 as amount) select sum(amount) from payments");
}

#[test]
fn a_currency_that_is_grouped_fixed_or_thought_of_is_no_finding() {
    right("select currency, sum(amount) from shop.payments group by currency");
    right("select upper(currency), sum(amount) from shop.payments group by 1");
    right("select currency as ccy, sum(amount) from shop.payments group by ccy");
    right("select sum(amount) from shop.payments p where p.currency = 'USD' and x > 1");
    right("select sum(amount) from shop.payments where currency in ('USD')");
    right("select sum(amount) filter (where currency = 'USD') from shop.payments");
    right("select sum(case when currency = 'USD' then amount end) from shop.payments");
    right("select id, max(currency), sum(amount) from shop.payments group by id");
    right("select sum(amount) from shop.payments having count(distinct currency) = 1");
    right("select sum(amount) over (partition by currency order by day) from shop.payments");
    right("select sum(amount) over w from shop.payments window w as (partition by currency)");
    right(
        "with u as (select * from shop.payments where currency = 'USD') select sum(amount) from u",
    );
    right("select sum(p.amount) from shop.payments p join o on o.id = p.id and p.currency = 'USD'");
    right("select sum(amount) from shop.payments group by rollup (currency, day)");
}

#[test]
fn what_is_not_known_for_certain_is_passed_over() {
    right("select sum(amount) from shop.invoices");
    right("select sum(amount) from other.payments");
    right("select sum(p.amount * r.rate) from shop.payments p join rates r using (day)");
    right("select sum(quantity) from shop.payments");
    right("select count(amount), max(amount) from shop.payments");
    right("this is no SQL");
    right("select sum(amount) frm shop.payments where (");
}

fn over_periods(sql: &str) -> usize {
    let relations = [Measures {
        schema: "gold".to_owned(),
        name: "movements".to_owned(),
        columns: vec![("closing_usd".to_owned(), "month_start".to_owned())],
    }];
    lint(sql, &relations, Rule::Period).len()
}

#[track_caller]
fn adds_months(sql: &str) {
    assert_eq!(over_periods(sql), 1, "{sql}");
}

#[track_caller]
fn keeps_months(sql: &str) {
    assert_eq!(over_periods(sql), 0, "{sql}");
}

#[test]
fn a_closing_is_not_added_up_over_months() {
    adds_months("select cut, sum(closing_usd) from gold.movements group by cut");
    adds_months("select sum(m.closing_usd * 12) from gold.movements as m where m.cut = 'all'");
    adds_months(
        "select sum(closing_usd) over (partition by cut order by month_start) from gold.movements",
    );
    adds_months(
        "select date_trunc('quarter', month_start), sum(closing_usd) from gold.movements group by 1",
    );
    adds_months("select sum(closing_usd) from gold.movements where month_start >= '2025-01-01'");
    adds_months(
        "select sum(closing_usd) filter (where month_start > '2025-01-01') from gold.movements",
    );
    adds_months("select max(month_start), sum(closing_usd) from gold.movements");
    adds_months(
        "select sum(closing_usd) from gold.movements group by grouping sets ((month_start), ())",
    );
    adds_months(
        "with m as (select month_start as month, sum(closing_usd) as total from gold.movements \
         group by 1) select sum(total) from m",
    );
}

#[test]
fn within_a_month_it_is_added_up_and_over_months_its_mean_is_taken() {
    keeps_months("select month_start, sum(closing_usd) from gold.movements group by month_start");
    keeps_months(
        "select m.month_start::date as m, sum(closing_usd) from gold.movements m group by 1",
    );
    keeps_months("select sum(closing_usd) from gold.movements where month_start = '2025-01-01'");
    keeps_months(
        "select sum(closing_usd) filter (where month_start = '2025-01-01') from gold.movements",
    );
    keeps_months("select sum(closing_usd) over (partition by month_start) from gold.movements");
    keeps_months("select avg(closing_usd), max(closing_usd) from gold.movements");
    keeps_months(
        "select sum(closing_usd) from gold.movements group by grouping sets ((month_start, cut), (month_start))",
    );
    keeps_months(
        "with m as (select month_start as month, closing_usd as c from gold.movements) select \
         month, sum(c) from m group by month",
    );
    keeps_months("select sum(opening_usd) from gold.movements");
}
