//! The walk: a customer's MRR after discounts, changed by one event after the other, and what
//! that makes of its months. Amounts are US cents.

use std::collections::BTreeMap;

use super::money::{Rates, cents, divided};
use super::months::{month_of, start};
use super::raw::{Event, Raw};

/// A change of a customer's MRR at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) at: i64,
    pub(super) opening: i128,
    pub(super) closing: i128,
    pub(super) kind: &'static str,
}

/// What a plan, or a customer, opened and closed a month with.
pub(super) type Ends = (i128, i128);

/// A customer's month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Month {
    pub(super) month: i64,
    pub(super) kind: &'static str,
    pub(super) ends: Ends,
    pub(super) plans: BTreeMap<String, Ends>,
}

/// A customer's history: its changes and the months that had MRR at either end.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) changes: Vec<Change>,
    pub(super) months: Vec<Month>,
}

/// One subscription as it is now.
#[derive(Clone, Debug, Default)]
struct State {
    bears: bool,
    plan: String,
    cents: i128,
}

/// MRR of a subscription after an event, were it to bear any.
fn worth(event: &Event, raw: &Raw, rates: &Rates) -> i128 {
    let price = &raw.prices[&event.price];
    let discount = event.discount.as_ref().and_then(|id| raw.discounts.get(id));
    let (percent, off) = discount.copied().unwrap_or_default();
    let hundredths = price.unit_minor * event.quantity * (100 - percent) - 100 * off;
    let (over, under) = price.months;
    let minor = divided(hundredths.max(0) * under, 100 * over);
    cents(minor, rates[&price.currency])
}

/// The kind of a change between two amounts, for who had some `before` or never.
pub(super) fn kind(opening: i128, closing: i128, before: bool) -> &'static str {
    match (opening, closing) {
        (0, _) if before => "reactivation",
        (0, _) => "new",
        (_, 0) => "churn",
        _ if closing > opening => "expansion",
        _ if closing < opening => "contraction",
        _ => "none",
    }
}

/// Walks through a customer's events up to the as-of instant.
pub(super) fn history(events: &[Event], raw: &Raw, rates: &Rates, as_of: i64) -> History {
    let mut history = History::default();
    let mut states: BTreeMap<&str, State> = BTreeMap::new();
    let mut by_plan: BTreeMap<String, i128> = BTreeMap::new();
    let seen: Vec<&Event> = events.iter().filter(|event| event.at < as_of).collect();
    let Some(first) = seen.first() else {
        return history;
    };
    let mut total = 0;
    let mut ever = false;
    let mut at = 0;
    for month in month_of(first.at)..=month_of(as_of - 1) {
        let (opened, opened_by_plan, ever_before) = (total, by_plan.clone(), ever);
        let end = start(month + 1);
        while at < seen.len() && seen[at].at < end {
            let instant = seen[at].at;
            while at < seen.len() && seen[at].at == instant {
                apply(seen[at], &mut states, worth(seen[at], raw, rates), raw);
                at += 1;
            }
            by_plan = totals(&states);
            let closing: i128 = by_plan.values().sum();
            if closing != total {
                let kind = kind(total, closing, ever);
                let opening = total;
                history.changes.push(Change {
                    at: instant,
                    opening,
                    closing,
                    kind,
                });
                total = closing;
                ever = true;
            }
        }
        if opened > 0 || total > 0 {
            let ends = (opened, total);
            let kind = kind(opened, total, ever_before);
            let plans = both(&opened_by_plan, &by_plan);
            history.months.push(Month {
                month,
                kind,
                ends,
                plans,
            });
        }
    }
    history
}

fn apply<'e>(event: &'e Event, states: &mut BTreeMap<&'e str, State>, cents: i128, raw: &Raw) {
    let state = states.entry(&event.subscription).or_default();
    state.plan.clone_from(&raw.prices[&event.price].plan);
    state.cents = cents;
    match event.kind.as_str() {
        "started" | "trial_converted" | "recovered" | "resumed" | "past_due" => state.bears = true,
        "trial_started" | "paused" | "ended" => state.bears = false,
        // Everything else says what is in force and leaves the state as it was.
        _ => {}
    }
}

fn totals(states: &BTreeMap<&str, State>) -> BTreeMap<String, i128> {
    let mut plans = BTreeMap::new();
    for state in states
        .values()
        .filter(|state| state.bears && state.cents > 0)
    {
        *plans.entry(state.plan.clone()).or_insert(0) += state.cents;
    }
    plans
}

fn both(
    opened: &BTreeMap<String, i128>,
    closed: &BTreeMap<String, i128>,
) -> BTreeMap<String, Ends> {
    let mut plans: BTreeMap<String, Ends> = BTreeMap::new();
    for (plan, cents) in opened {
        plans.entry(plan.clone()).or_default().0 = *cents;
    }
    for (plan, cents) in closed {
        plans.entry(plan.clone()).or_default().1 = *cents;
    }
    plans
}
