//! Columns that declare money: each rule finds its own rows and no others.

use crate::run::support::Project;

const SCHEMA: &str = "
models:
  - name: payments
    columns:
      - name: amount
        meta: {money: {currency_column: currency, sign: positive}}
";

/// A project with one table `payments` and its money column, over these rows.
fn payments(columns: &str, rows: &str) -> Project {
    Project::new(&[
        (
            "models/payments.sql",
            &format!(
                "{{{{ config(materialized='table') }}}}\nselect * from (values {rows}) as v \
                 ({columns})"
            ),
        ),
        ("models/after.sql", "select * from {{ ref('payments') }}"),
        ("models/schema.yml", SCHEMA),
    ])
}

#[test]
fn good_money_passes_and_is_one_node_of_its_own_name() {
    let p = payments("amount, currency", "(100, 'USD'), (null, null), (1, 'JPY')");
    p.ok(&["build"]);
    assert_eq!(
        p.statuses(),
        "after=success money_payments_amount=pass payments=success"
    );
    let ran = p.ok(&["ls", "--select", "money_payments_amount"]);
    assert!(
        ran.stdout.contains("money_payments_amount"),
        "{}",
        ran.stdout
    );
}

#[test]
fn each_wrong_amount_is_found_with_its_reason_and_gates() {
    let p = payments(
        "id, amount, currency",
        "(1, 100::numeric, 'USD'), (2, 5, null), (3, 7, 'DEM'), (4, -1, 'EUR'), (5, 'NaN', \
         'EUR'), (6, 8, 'usd'), (7, null, null)",
    );
    p.fails(
        1,
        &["build"],
        &[
            "no currency",
            "unknown currency",
            "not positive",
            "not a number",
        ],
    );
    assert_eq!(
        p.statuses(),
        "after=skipped money_payments_amount=fail payments=success"
    );
    let results = p.results();
    let test = results.iter().find(|r| r.1 == "fail").expect("one failed");
    assert!(test.2.contains('5'), "{}", test.2);
}

#[test]
fn a_float_is_refused_by_its_type_even_without_rows() {
    for (written, name) in [
        ("float8", "double precision"),
        ("real", "real"),
        ("money", "money"),
        ("text", "text"),
    ] {
        let p = payments("amount, currency", &format!("(null::{written}, 'USD')"));
        p.write(
            "models/payments.sql",
            &format!("select null::{written} as amount, 'USD' as currency where false"),
        );
        let says = format!("amount is {name}, not an integer or numeric");
        p.fails(
            1,
            &["build"],
            &[says.as_str(), "cast(amount as numeric(18, 2))"],
        );
    }
}

#[test]
fn a_domain_over_an_integer_is_an_integer() {
    let p = payments("amount, currency", "(1, 'USD')");
    p.sql("create domain public.cents as bigint check (value > 0)");
    p.write(
        "models/payments.sql",
        "select 5::public.cents as amount, 'USD'::char(3) as currency",
    );
    p.ok(&["build"]);
}

#[test]
fn the_test_can_be_declared_by_hand_on_any_name_and_with_a_where() {
    let p = Project::new(&[
        (
            "models/odd.sql",
            "select 1.5 as \"Net Amount\", 'USD' as \"Currency Code\", true as live union all \
             select -1, 'XXX', false",
        ),
        (
            "models/schema.yml",
            "
models:
  - name: odd
    columns:
      - name: Net Amount
        quote: true
        meta: {money: {currency_column: Currency Code, severity: warn}}
        data_tests:
          - money:
              name: only_live
              arguments: {currency_column: '\"Currency Code\"', sign: positive}
              config: {where: live}
      - name: Currency Code
        quote: true
",
        ),
    ]);
    let ran = p.ok(&["build"]);
    assert!(ran.stderr.contains("unknown currency"), "{}", ran.stderr);
    assert_eq!(
        p.statuses(),
        "money_odd_Net_Amount=warn odd=success only_live=pass"
    );
}

#[test]
fn major_units_with_too_many_decimals_warn() {
    let p = payments("amount, currency", "");
    p.write(
        "models/schema.yml",
        &SCHEMA.replace("sign: positive", "unit: major"),
    );
    p.write(
        "models/payments.sql",
        "select * from (values (1.50, 'USD'), (1.005, 'USD'), (1.0, 'JPY'), (1.5, 'JPY'), (1.005, \
         'KWD'), (1.00001, 'XAU')) as v (amount, currency)",
    );
    p.ok(&["build"]);
    assert_eq!(
        p.statuses(),
        "after=success money_decimals_payments_amount=warn money_payments_amount=pass \
         payments=success"
    );
    let results = p.results();
    let test = results.iter().find(|r| r.1 == "warn").expect("one warned");
    assert!(test.2.contains('2'), "{}", test.2);
}

#[test]
fn a_source_can_declare_money_too() {
    let p = Project::new(&[
        (
            "models/schema.yml",
            "
sources:
  - name: raw
    schema: shop
    tables:
      - name: invoices
        columns:
          - name: total
            config: {meta: {money: {currency: USD}}}
",
        ),
        (
            "models/after.sql",
            "select * from {{ source('raw', 'invoices') }}",
        ),
    ]);
    p.sql("create schema shop; create table shop.invoices (total double precision)");
    p.fails(1, &["build"], &["total is double precision"]);
    assert!(
        p.statuses()
            .contains("source_money_raw_invoices_total=fail")
    );
}

#[test]
fn compiling_needs_no_table() {
    let p = payments("amount, currency", "(1, 'USD')");
    p.ok(&["compile"]);
}
