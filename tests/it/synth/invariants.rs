//! What must hold in every history, checked on the published rows alone.

use std::collections::{BTreeMap, HashSet};

use marts::synth::schema::TABLES;
use marts::synth::{Format, Window};
use proptest::prelude::*;

use super::{Rows, bytes, config, date, tables, whole};

type Row = BTreeMap<&'static str, String>;
type Tables = BTreeMap<&'static str, Rows>;

fn number(row: &Row, column: &str) -> i64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

fn sum(rows: &[&Row], column: &str) -> i64 {
    rows.iter().map(|r| number(r, column)).sum()
}

fn by<'a>(rows: &'a Rows, column: &str) -> BTreeMap<&'a str, Vec<&'a Row>> {
    let mut out: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows.values() {
        out.entry(&row[column]).or_default().push(row);
    }
    out
}

fn check_references(all: &Tables) {
    for table in TABLES {
        for column in table.columns {
            let Some(target) = column.refs else { continue };
            for row in all[table.name].values() {
                let id = &row[column.name];
                assert!(
                    id.is_empty() || all[target].contains_key(id),
                    "{} {id}",
                    table.name
                );
            }
        }
    }
}

fn check_invoices(all: &Tables) {
    let lines = by(&all["invoice_lines"], "invoice_id");
    let attempts = by(&all["payment_attempts"], "invoice_id");
    for (id, invoice) in &all["invoices"] {
        let n = |column| number(invoice, column);
        let lines = &lines[id.as_str()];
        assert_eq!(sum(lines, "amount"), n("subtotal"), "{id}");
        assert_eq!(sum(lines, "discount"), n("discount"), "{id}");
        assert_eq!(sum(lines, "tax"), n("tax"), "{id}");
        assert_eq!(n("subtotal") - n("discount") + n("tax"), n("total"), "{id}");
        assert_eq!(n("total") - n("credit_applied"), n("amount_due"), "{id}");
        assert!(n("amount_due") >= 0 && n("credit_applied") >= 0, "{id}");
        check_state(id, invoice);
        check_attempts(
            invoice,
            attempts.get(id.as_str()).map_or(&[], Vec::as_slice),
        );
    }
}

/// Each state has its instant and no other's.
fn check_state(id: &str, invoice: &Row) {
    let set = |column: &str| !invoice[column].is_empty();
    let status = invoice["status"].as_str();
    assert_eq!(set("paid_at"), status == "paid", "{id}");
    assert_eq!(set("voided_at"), status == "void", "{id}");
    // What is paid after it was written off keeps the day of the write-off.
    let written_off = status == "uncollectible" || (status == "paid" && set("uncollectible_at"));
    assert_eq!(set("uncollectible_at"), written_off, "{id}");
    assert!(
        set("finalized_at") || matches!(status, "draft" | "void" | "uncollectible"),
        "{id}"
    );
    let (paid, due) = (
        number(invoice, "amount_paid"),
        number(invoice, "amount_due"),
    );
    match status {
        "paid" => assert_eq!(paid, due, "{id}"),
        "draft" | "void" => assert_eq!(paid, 0, "{id}"),
        // In part, or not at all.
        _ => assert!((0..due).contains(&paid) || due == 0, "{id}"),
    }
    let last = [
        "created_at",
        "finalized_at",
        "paid_at",
        "voided_at",
        "uncollectible_at",
    ]
    .iter()
    .map(|c| invoice[*c].as_str())
    .max();
    let updated_at = Some(invoice["updated_at"].as_str());
    // A part that came in or a debit that was returned leaves no instant on the invoice.
    assert!(
        last == updated_at || (status == "open" && last < updated_at),
        "{id}"
    );
}

fn check_attempts(invoice: &Row, attempts: &[&Row]) {
    let id = &invoice["invoice_id"];
    let mut attempts = attempts.to_vec();
    attempts.sort_by_key(|a| number(a, "attempt_number"));
    let mut paid = 0;
    for (attempt, wanted) in attempts.iter().zip(1..) {
        assert_eq!(number(attempt, "attempt_number"), wanted, "{id}");
        let (amount, owed) = (
            number(attempt, "amount"),
            number(invoice, "amount_due") - paid,
        );
        match attempt["outcome"].as_str() {
            "failed" => assert_eq!(amount, owed, "{id}"),
            _ => assert!((1..=owed).contains(&amount), "{id}"),
        }
        paid += amount * i64::from(attempt["outcome"] == "succeeded");
        assert_eq!(
            attempt["outcome"] == "failed",
            !attempt["decline_code"].is_empty(),
            "{id}"
        );
        assert_eq!(
            attempt["outcome"] == "pending",
            attempt["settled_at"].is_empty(),
            "{id}"
        );
    }
    let times: Vec<&String> = attempts.iter().map(|a| &a["attempted_at"]).collect();
    assert!(times.is_sorted(), "{id}");
    assert_eq!(paid, number(invoice, "amount_paid"), "{id}");
    if invoice["status"] == "paid" && number(invoice, "amount_due") > 0 {
        assert_eq!(
            attempts[attempts.len() - 1]["outcome"],
            "succeeded",
            "nothing after success: {id}"
        );
    }
}

fn check_money_back(all: &Tables) {
    for (id, refunds) in by(&all["refunds"], "attempt_id") {
        let payment = &all["payment_attempts"][id];
        assert_eq!(payment["outcome"], "succeeded");
        assert!(sum(&refunds, "amount") <= number(payment, "amount"), "{id}");
        assert!(
            refunds
                .iter()
                .all(|r| r["created_at"] >= payment["settled_at"] && number(r, "amount") > 0)
        );
    }
    let given = by(&all["credit_notes"], "customer_id");
    for (id, invoices) in by(&all["invoices"], "customer_id") {
        let given = given.get(id).map_or(0, |notes| sum(notes, "amount"));
        assert!(sum(&invoices, "credit_applied") <= given, "{id}");
    }
}

/// Nothing is charged, billed or used once a customer's last subscription has ended, and one is open at a time: a second
/// one only where the next customer was merged into this one.
fn check_after_end(all: &Tables) {
    let owners = by(&all["subscriptions"], "customer_id");
    let gave_up = |number: i64| {
        let theirs = owners.get(format!("cus_{number}").as_str());
        theirs.is_some_and(|list| list.iter().any(|s| s["end_reason"] == "merged"))
    };
    for (id, subscriptions) in &owners {
        let open = subscriptions
            .iter()
            .filter(|s| s["ended_at"].is_empty())
            .count();
        let own: i64 = id.trim_start_matches("cus_").parse().expect("a number");
        let taken = usize::from(gave_up(own + 1));
        assert!(open <= 1 + taken, "{id}");
    }
    for attempt in all["payment_attempts"].values() {
        let invoice = &all["invoices"][&attempt["invoice_id"]];
        let ended = &all["subscriptions"][&invoice["subscription_id"]]["ended_at"];
        assert!(
            ended.is_empty() || attempt["attempted_at"] <= *ended,
            "{attempt:?}"
        );
    }
    let subscriptions = by(&all["subscriptions"], "customer_id");
    for event in all["product_events"].values() {
        let at = &event["occurred_at"];
        let served = subscriptions[event["customer_id"].as_str()]
            .iter()
            .any(|s| s["started_at"] <= *at && (s["ended_at"].is_empty() || *at < s["ended_at"]));
        assert!(served, "{event:?}");
    }
}

/// Churn events and ends of subscriptions tell the same story.
fn check_churn(all: &Tables) {
    let mut told = HashSet::new();
    for event in all["churn_events"]
        .values()
        .filter(|e| e["event_type"] == "churned")
    {
        let subscription = &all["subscriptions"][&event["subscription_id"]];
        assert_eq!(event["occurred_at"], subscription["ended_at"]);
        assert_eq!(
            event["kind"] == "involuntary",
            subscription["end_reason"] == "payment_failed"
        );
        assert!(told.insert(&event["subscription_id"]), "churned once");
    }
    for (id, subscription) in &all["subscriptions"] {
        let churned =
            !subscription["ended_at"].is_empty() && !subscription["activated_at"].is_empty();
        assert_eq!(churned, told.contains(id), "{id}");
        assert_eq!(
            subscription["status"] == "canceled",
            !subscription["ended_at"].is_empty()
        );
    }
}

/// The last subscription event agrees with the subscription's present price and seats.
fn check_subscription_events(all: &Tables) {
    for (id, mut events) in by(&all["subscription_events"], "subscription_id") {
        events.sort_by_key(|e| (&e["effective_at"], &e["received_at"], &e["event_id"]));
        let sorted: Vec<&String> = events.iter().map(|e| &e["event_id"]).collect();
        assert!(sorted.is_sorted(), "ids follow time: {id}");
        let (last, subscription) = (events[events.len() - 1], &all["subscriptions"][id]);
        assert_eq!(last["price_id"], subscription["price_id"], "{id}");
        assert_eq!(last["quantity"], subscription["quantity"], "{id}");
    }
}

fn check(all: &Tables) {
    check_references(all);
    check_invoices(all);
    check_money_back(all);
    check_after_end(all);
    check_churn(all);
    check_subscription_events(all);
}

#[test]
fn the_tiny_history_keeps_every_promise() {
    let config = config(300, 1);
    check(&tables(
        config,
        Window {
            since: None,
            until: whole(&config).until,
        },
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn a_history_cut_at_midnight_keeps_every_promise(seed in 0u64..10_000, days in 20i64..900) {
        let until = date(2023, 7, 1).plus(days * 86_400 - 1);
        check(&tables(config(40, seed), Window { since: None, until }));
    }
}

#[test]
fn the_demo_history_is_near_its_calibration_targets() {
    let config = config(3_000, 1);
    let (_, tally) = bytes(config, whole(&config), 2, Format::Copy);
    for figure in tally.figures() {
        assert!(
            figure.holds(3.0),
            "{}: {} for {}",
            figure.name,
            figure.measured,
            figure.target
        );
    }
}
