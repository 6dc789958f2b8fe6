//! `reconciles`: planted breaks are all found in their class and nothing else is; breaks are
//! remembered, aged, and gate.

use std::collections::BTreeMap;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::run::support::Project;

/// Two sources `billed` and `collected`, a test between them, and a model behind.
fn project(arguments: &str) -> Project {
    let p = Project::new(&[
        ("models/billed.sql", "select * from shop.raw_billed"),
        ("models/collected.sql", "select * from shop.raw_collected"),
        ("models/after.sql", "select * from {{ ref('billed') }}"),
        ("models/schema.yml", &schema(arguments)),
    ]);
    p.sql(
        "create schema shop;
         create table shop.raw_billed (id int, amount bigint, currency char(3), day date);
         create table shop.raw_collected (ref bigint, amount numeric, currency text, paid_at \
         timestamp)",
    );
    p
}

fn schema(arguments: &str) -> String {
    format!(
        "
models:
  - name: billed
    data_tests:
      - reconciles:
          name: billed_is_collected
          arguments: {{to: ref('collected'), {arguments}}}
"
    )
}

const ALL: &str = "key: {id: ref}, amount: amount, currency: currency, day: {left: day, right: \
                   paid_at}, timing_days: 3";

/// Keys by class, as the last stored failures say.
fn found(p: &Project) -> BTreeMap<String, Vec<i64>> {
    let rows = p.db.sql(
        "select class, key ->> 'id' from marts_ledger.reconciliation_break where resolved_at is \
         null order by 1, (key ->> 'id')::bigint",
    );
    let mut found: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in rows {
        let cell = |at: usize| row[at].clone().expect("no null");
        found
            .entry(cell(0))
            .or_default()
            .push(cell(1).parse().expect("a number"));
    }
    found
}

#[test]
fn planted_breaks_of_each_class_are_all_found_and_no_others() {
    let p = project(ALL);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut planted: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for id in 0..3000_i64 {
        let amount = i64::from(random.next_u32() % 100_000);
        let day = random.random_range(1..20);
        let currency = ["USD", "EUR", "JPY"][random.random_range(0..3)];
        let class = match random.random_range(0..40) {
            0 => "missing_left",
            1 => "missing_right",
            2 => "amount",
            3 => "timing",
            4 => "day",
            5 => "currency",
            6 => "duplicate_key",
            _ => "",
        };
        if !class.is_empty() {
            planted.entry(class.to_owned()).or_default().push(id);
        }
        let off = match class {
            "amount" => i64::from(random.next_u32() % 50) + 1,
            _ => 0,
        };
        let later = match class {
            "timing" => random.random_range(1..=3),
            "day" => random.random_range(4..9),
            _ => 0,
        };
        let other = match class {
            "currency" => "GBP",
            _ => currency,
        };
        let mine = format!("({id}, {amount}, '{currency}', '2026-01-{day:02}')");
        let theirs = format!(
            "({id}, {}.00, '{other}', '2026-01-{:02} 23:59')",
            amount + off,
            day + later
        );
        if class != "missing_left" {
            left.push(mine.clone());
        }
        if class != "missing_right" {
            right.push(theirs.clone());
        }
        if class == "duplicate_key" {
            left.push(mine);
        }
    }
    p.sql(&format!(
        "insert into shop.raw_billed values {}",
        left.join(", ")
    ));
    p.sql(&format!(
        "insert into shop.raw_collected values {}",
        right.join(", ")
    ));
    let ran = p.fails(1, &["build"], &["timing: left", "missing_right: left"]);
    assert_eq!(planted.len(), 7, "every class is planted");
    assert_eq!(found(&p), planted);
    let all: usize = planted.values().map(Vec::len).sum();
    assert!(
        ran.stderr.contains(&format!("{all} rows")),
        "{}",
        ran.stderr
    );
    assert!(p.statuses().contains("after=skipped"), "{}", p.statuses());
}

#[test]
fn a_break_keeps_the_time_it_was_first_seen_until_it_is_gone() {
    let p = project(ALL);
    p.sql("insert into shop.raw_billed values (1, 10, 'USD', '2026-01-01'), (2, 5, 'USD', null)");
    p.fails(
        1,
        &["build"],
        &["2 missing_right: left 15 USD, right nothing"],
    );
    p.sql("update marts_ledger.reconciliation_break set first_seen = now() - interval '9 days'");
    p.sql("insert into shop.raw_collected values (1, 11, 'USD', '2026-01-01')");
    let ran = p.fails(
        1,
        &["build"],
        &["1 amount: left 10 USD, right 11 USD, the oldest 9 days old"],
    );
    assert!(ran.stderr.contains("age_days"), "{}", ran.stderr);
    p.sql("update shop.raw_collected set amount = 10");
    p.sql("insert into shop.raw_collected values (2, 5, 'USD', null)");
    p.ok(&["build"]);
    assert_eq!(
        p.rows(
            "select count(*), bool_and(resolved_at >= last_seen and last_seen > first_seen), \
             min(class) from marts_ledger.reconciliation_break"
        ),
        "2|t|amount"
    );
    p.sql("update shop.raw_collected set amount = 12 where ref = 1");
    p.fails(1, &["build"], &["1 amount"]);
    assert_eq!(
        p.rows(
            "select count(*) filter (where resolved_at is null), count(*) from \
             marts_ledger.reconciliation_break"
        ),
        "1|3"
    );
}

#[test]
fn a_fresh_timing_break_warns_and_an_old_one_gates() {
    let p = project(&format!("{ALL}, fail_after_days: 2"));
    p.sql("insert into shop.raw_billed values (1, 10, 'USD', '2026-01-01')");
    p.sql("insert into shop.raw_collected values (1, 10, 'USD', '2026-01-02')");
    p.ok(&["build"]);
    assert!(p.statuses().contains("billed_is_collected=warn"));
    p.ok(&["build"]);
    p.sql("update marts_ledger.reconciliation_break set first_seen = now() - interval '2 days'");
    p.fails(1, &["build"], &["1 timing: left 10 USD, right 10 USD"]);
    // What is no question of time gates at once.
    p.sql("update shop.raw_collected set amount = 9");
    p.sql("update marts_ledger.reconciliation_break set first_seen = now()");
    p.fails(1, &["build"], &["1 amount"]);
}

#[test]
fn null_keys_and_several_columns_meet_and_small_differences_are_tolerated() {
    let p = project(
        "key: [{id: ref}, currency], amount: {left: 'amount * 1.0', right: amount}, tolerance: \
         0.5, left_where: amount <> 0",
    );
    p.sql(
        "insert into shop.raw_billed values (null, 10, 'USD', null), (1, 10, 'USD', null), (1, 20, \
         'EUR', null), (2, 0, 'EUR', null)",
    );
    p.sql(
        "insert into shop.raw_collected values (null, 10.5, 'USD', null), (1, 9.5, 'USD', null), \
         (1, 20, 'EUR', null)",
    );
    p.ok(&["build"]);
    p.sql("update shop.raw_collected set amount = amount + 0.01 where ref is null");
    p.fails(1, &["build"], &["1 amount: left 10.0, right 10.51"]);
}

#[test]
fn a_tolerance_may_differ_by_currency_and_duplicates_may_be_summed() {
    let p = project(
        "key: {id: ref}, amount: amount, currency: currency, duplicate_keys: sum, tolerance: \
         {USD: 2, default: 0}",
    );
    p.sql(
        "insert into shop.raw_billed values (1, 10, 'USD', null), (2, 10, 'EUR', null), (3, 7, \
         'EUR', null)",
    );
    p.sql(
        "insert into shop.raw_collected values (1, 4, 'USD', null), (1, 4, 'USD', null), (2, 9, \
         'EUR', null), (3, 3, 'EUR', null), (3, 4, 'USD', null)",
    );
    let says = [
        "1 amount: left 10 EUR, right 9 EUR",
        "1 currency: left 7 EUR",
    ];
    p.fails(1, &["build"], &says);
}

#[test]
fn keys_of_different_types_and_float_amounts_are_refused_in_words() {
    let p = project("key: {id: ref}, amount: amount");
    p.sql("alter table shop.raw_collected alter ref type text");
    let says = [
        "the key id of",
        "is integer, but ref of",
        "is text",
        "cast(ref as integer)",
    ];
    p.fails(1, &["build"], &says);
    p.sql(
        "drop view if exists shop.collected; alter table shop.raw_collected alter ref type bigint \
         using ref::bigint, alter amount type double precision",
    );
    p.fails(
        1,
        &["build"],
        &["is double precision, not an integer or numeric"],
    );
}

#[test]
fn a_role_without_a_ledger_gets_its_verdict_and_a_warning() {
    let p = project(&format!("{ALL}, fail_after_days: 5"));
    let role = format!(
        "r{}",
        p.rows("select replace(current_database(), '-', '_')")
    );
    p.sql(&format!(
        "create role \"{role}\" login; grant usage, create on schema shop to \"{role}\"; grant \
         select on all tables in schema shop to \"{role}\""
    ));
    p.sql("insert into shop.raw_billed values (1, 10, 'USD', '2026-01-01')");
    p.sql("insert into shop.raw_collected values (1, 10, 'USD', '2026-01-02')");
    let p = p.with_role(&role);
    p.fails(
        1,
        &["build"],
        &["1 timing", "are not remembered, so they have no age"],
    );
    p.sql(&format!("drop owned by \"{role}\"; drop role \"{role}\""));
}

#[test]
fn two_runs_at_once_make_one_memory() {
    let p = project(ALL);
    p.sql(
        "insert into shop.raw_billed select i, i, 'USD', '2026-01-01' from generate_series(1, 500) \
         i",
    );
    let _ = p.marts(&["run"]);
    let children: Vec<_> = (0..3).map(|_| p.spawn(&["test"])).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(!said.contains("not remembered"), "{said}");
    }
    assert_eq!(
        p.rows("select count(*) from marts_ledger.reconciliation_break"),
        "500"
    );
}
