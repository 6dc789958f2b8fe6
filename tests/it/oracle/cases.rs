//! The walk on histories small enough to check by eye, so that the oracle is not taken on trust.

use std::collections::BTreeMap;

use super::ledger::{history, kind};
use super::money::{cents, divided, rates};
use super::months::{month_of, start, written};
use super::raw::{Event, Price, Raw};

fn world() -> Raw {
    let price = |unit_minor, currency: &str, months| Price {
        plan: format!("plan of {unit_minor}"),
        currency: currency.to_owned(),
        unit_minor,
        months,
    };
    Raw {
        prices: BTreeMap::from([
            ("month".to_owned(), price(2900, "USD", (1, 1))),
            ("year".to_owned(), price(99000, "JPY", (12, 1))),
            ("week".to_owned(), price(1200, "USD", (12, 52))),
        ]),
        discounts: BTreeMap::from([("fifth".to_owned(), (20, 0)), ("all".to_owned(), (0, 5000))]),
        ..Raw::default()
    }
}

fn event(kind: &str, day: &str, price: &str, quantity: i128) -> Event {
    let (month, day): (i64, i64) = match day.split_once('-').map(|(m, d)| (m.parse(), d.parse())) {
        Some((Ok(month), Ok(day))) => (month, day),
        _ => panic!("no day: {day}"),
    };
    Event {
        subscription: "s".to_owned(),
        kind: kind.to_owned(),
        at: start(12 * 2025 + month - 1) + (day - 1) * 86_400,
        price: price.to_owned(),
        quantity,
        discount: None,
    }
}

fn told(events: &[Event]) -> (Vec<String>, Vec<String>) {
    let as_of = start(12 * 2025 + 6);
    let history = history(events, &world(), &rates(), as_of);
    let changes = history.changes.iter();
    let months = history.months.iter();
    (
        changes
            .map(|c| format!("{} {}-{}", c.kind, c.opening, c.closing))
            .collect(),
        months
            .map(|m| format!("{} {} {}-{}", written(m.month), m.kind, m.ends.0, m.ends.1))
            .collect(),
    )
}

#[test]
fn a_trial_a_gap_and_a_return_are_told_apart() {
    let (changes, months) = told(&[
        event("trial_started", "1-01", "month", 1),
        event("trial_converted", "1-15", "month", 1),
        event("quantity_changed", "2-10", "month", 3),
        event("past_due", "2-20", "month", 3),
        event("ended", "3-01", "month", 3),
        event("started", "4-02", "month", 1),
        event("ended", "4-20", "month", 1),
        event("started", "6-03", "month", 1),
    ]);
    assert_eq!(
        changes,
        [
            "new 0-2900",
            "expansion 2900-8700",
            "churn 8700-0",
            "reactivation 0-2900",
            "churn 2900-0",
            "reactivation 0-2900"
        ]
    );
    // An end at midnight on the first is of the month before; April came and went within itself.
    assert_eq!(
        months,
        [
            "2025-01-01 new 0-2900",
            "2025-02-01 expansion 2900-8700",
            "2025-03-01 churn 8700-0",
            "2025-06-01 reactivation 0-2900"
        ]
    );
}

#[test]
fn a_year_in_yen_a_week_and_a_discount_above_the_price() {
    let mut yearly = event("started", "1-01", "year", 1);
    let told_of = |event: &Event| told(std::slice::from_ref(event)).0;
    // 99,000 / 12 = 8,250 yen at 0.0067.
    assert_eq!(told_of(&yearly), ["new 0-5528"]);
    yearly.discount = Some("fifth".to_owned());
    assert_eq!(told_of(&yearly), ["new 0-4422"]);
    let mut weekly = event("started", "1-01", "week", 2);
    assert_eq!(told_of(&weekly), ["new 0-10400"]);
    weekly.discount = Some("all".to_owned());
    assert!(told_of(&weekly).is_empty());
}

#[test]
fn halves_go_up_and_months_have_their_lengths() {
    assert_eq!(divided(5, 2), 3);
    assert_eq!(cents(8250, rates()["JPY"]), 5528);
    assert_eq!(written(month_of(1_709_164_800)), "2024-02-01");
    assert_eq!(start(12 * 2024 + 2) - start(12 * 2024 + 1), 29 * 86_400);
    assert_eq!(kind(0, 1, true), "reactivation");
}
