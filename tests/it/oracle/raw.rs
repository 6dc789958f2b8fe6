//! The raw rows that bear on MRR, read as they are; which of them count is decided here.

use std::collections::{BTreeMap, BTreeSet};

use super::money::Rates;
use crate::support::TestDb;

/// What a subscription is worth by the month, from a price, seats and a discount.
#[derive(Clone, Debug)]
pub(super) struct Price {
    pub(super) plan: String,
    pub(super) currency: String,
    pub(super) unit_minor: i128,
    /// Months of a period as a fraction: (over, under).
    pub(super) months: (i128, i128),
}

/// Percent and minor units off.
pub(super) type Discount = (i128, i128);

/// A customer's cuts.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    pub(super) channel: String,
    pub(super) country: String,
}

/// One change of a subscription.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) subscription: String,
    pub(super) kind: String,
    pub(super) at: i64,
    pub(super) price: String,
    pub(super) quantity: i128,
    pub(super) discount: Option<String>,
}

/// Everything that bears on MRR.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) prices: BTreeMap<String, Price>,
    pub(super) discounts: BTreeMap<String, Discount>,
    pub(super) customers: BTreeMap<String, Customer>,
    /// By customer, in the order in which they took effect.
    pub(super) events: BTreeMap<String, Vec<Event>>,
}

fn text(cell: &Option<String>) -> String {
    cell.clone().unwrap_or_default()
}

fn number(cell: &Option<String>) -> i128 {
    text(cell).parse().unwrap_or(0)
}

/// Reads the raw schema. Left out is what cannot be counted: rows of unknown currencies, prices,
/// customers and subscriptions, and the accounts of our own staff.
pub(super) fn read(db: &TestDb, rates: &Rates) -> Raw {
    let mut raw = Raw::default();
    for row in db.sql("select price_id, plan_id, currency, interval, interval_count, unit_minor, updated_at from raw.prices order by updated_at") {
        let count = number(&row[4]);
        let months = match text(&row[3]).as_str() {
            "year" => (12 * count, 1),
            "quarter" => (3 * count, 1),
            "month" => (count, 1),
            "week" => (12 * count, 52),
            _ => continue,
        };
        if rates.contains_key(&text(&row[2])) {
            let (plan, currency, unit_minor) = (text(&row[1]), text(&row[2]), number(&row[5]));
            raw.prices.insert(text(&row[0]), Price { plan, currency, unit_minor, months });
        }
    }
    for row in db.sql("select discount_id, percent_off, amount_off from raw.discounts") {
        raw.discounts
            .insert(text(&row[0]), (number(&row[1]), number(&row[2])));
    }
    let mut known = BTreeSet::new();
    for row in db.sql("select customer_id, channel, country, currency, is_test from raw.customers order by updated_at") {
        let id = text(&row[0]);
        if !rates.contains_key(&text(&row[3])) {
            continue;
        }
        known.insert(id.clone());
        if text(&row[4]) == "f" {
            let (channel, country) = (text(&row[1]), text(&row[2]));
            raw.customers.insert(id, Customer { channel, country });
        }
    }
    let mut subscriptions = BTreeSet::new();
    for row in db.sql("select subscription_id, customer_id, price_id from raw.subscriptions") {
        if known.contains(&text(&row[1])) && raw.prices.contains_key(&text(&row[2])) {
            subscriptions.insert(text(&row[0]));
        }
    }
    events(db, &mut raw, &subscriptions);
    raw
}

fn events(db: &TestDb, raw: &mut Raw, subscriptions: &BTreeSet<String>) {
    let rows = db.sql(
        "select event_id, subscription_id, customer_id, type, extract(epoch from \
         effective_at)::bigint, extract(epoch from received_at)::bigint, price_id, quantity, \
         discount_id from raw.subscription_events",
    );
    // The running number at the end of an id has no leading zeros: the shorter id is earlier.
    let mut ordered = BTreeMap::new();
    for row in rows {
        let (id, at, received) = (text(&row[0]), number(&row[4]), number(&row[5]));
        ordered.insert((at, received, id.len(), id), row);
    }
    let mut taken = BTreeSet::new();
    for ((at, _, _, id), row) in ordered {
        let (subscription, customer, price) = (text(&row[1]), text(&row[2]), text(&row[6]));
        let counts = subscriptions.contains(&subscription)
            && raw.customers.contains_key(&customer)
            && raw.prices.contains_key(&price)
            // Sent twice, it happened once.
            && taken.insert(id);
        if !counts {
            continue;
        }
        raw.events.entry(customer).or_default().push(Event {
            subscription,
            kind: text(&row[3]),
            at: i64::try_from(at).expect("an instant"),
            price,
            quantity: number(&row[7]),
            discount: row[8].clone(),
        });
    }
}
