//! The oracle's figures beside those of the models, one line per figure that differs.

use std::collections::BTreeMap;

use super::ledger::{History, Month, history};
use super::months::written;
use super::raw::{Customer, Raw};
use super::{money, raw};
use crate::support::TestDb;

/// Figures by what they are of: `ledger | customer | instant`, `month | cut | value | measure`.
type Figures = BTreeMap<String, String>;

/// What differs between the oracle and the models, and how many figures were compared.
pub(super) fn differences(db: &TestDb, as_of: i64) -> (Vec<String>, usize) {
    let rates = money::rates();
    let raw = raw::read(db, &rates);
    let histories: BTreeMap<&str, History> = raw
        .events
        .iter()
        .map(|(customer, events)| (customer.as_str(), history(events, &raw, &rates, as_of)))
        .collect();
    let mut expected = Figures::new();
    for (customer, history) in &histories {
        ledgers(customer, history, &mut expected);
    }
    marts(&raw, &histories, &mut expected);
    let found = models(db);
    let mut wrong = Vec::new();
    for key in expected.keys().chain(found.keys()) {
        let (oracle, model) = (expected.get(key), found.get(key));
        if oracle != model {
            wrong.push(format!("{key}: oracle {oracle:?}, models {model:?}"));
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong.truncate(20);
    (wrong, expected.len())
}

fn ledgers(customer: &str, history: &History, figures: &mut Figures) {
    for change in &history.changes {
        figures.insert(
            format!("event | {customer} | {}", change.at),
            format!("{} {} {}", change.kind, change.opening, change.closing),
        );
    }
    for month in &history.months {
        figures.insert(
            format!("month | {customer} | {}", written(month.month)),
            format!("{} {} {}", month.kind, month.ends.0, month.ends.1),
        );
    }
}

fn add(figures: &mut BTreeMap<String, i128>, key: &str, measure: &str, amount: i128) {
    *figures.entry(format!("{key} | {measure}")).or_insert(0) += amount;
}

fn marts(raw: &Raw, histories: &BTreeMap<&str, History>, figures: &mut Figures) {
    let mut sums = BTreeMap::new();
    for (customer, history) in histories {
        let Customer { channel, country } = &raw.customers[*customer];
        let cuts = [("all", "ALL"), ("channel", channel), ("country", country)];
        for month in &history.months {
            let of = written(month.month);
            for (cut, value) in cuts {
                let key = format!("mart | {of} | {cut} | {value}");
                let gained = (month.ends.1 - month.ends.0).max(0);
                let lost = (month.ends.0 - month.ends.1).max(0);
                moved(
                    &mut sums,
                    &key,
                    month.kind,
                    (month.ends.0, gained, lost, month.ends.1),
                );
            }
            by_plan(&mut sums, &of, month);
        }
    }
    sums.retain(|_, amount| *amount != 0);
    figures.extend(sums.into_iter().map(|(key, sum)| (key, sum.to_string())));
}

/// Opening, gained, lost, closing.
type Moved = (i128, i128, i128, i128);

fn moved(sums: &mut BTreeMap<String, i128>, key: &str, kind: &str, moved: Moved) {
    let (opening, gained, lost, closing) = moved;
    let (gain, loss) = match kind {
        "new" => ("new", "contraction"),
        "reactivation" => ("reactivation", "contraction"),
        "churn" => ("expansion", "churn"),
        _ => ("expansion", "contraction"),
    };
    add(sums, key, "opening", opening);
    add(sums, key, gain, gained);
    add(sums, key, loss, lost);
    add(sums, key, "closing", closing);
    add(sums, key, "opening customers", i128::from(opening > 0));
    add(sums, key, "closing customers", i128::from(closing > 0));
    for of in ["new", "reactivation", "churn"] {
        add(
            sums,
            key,
            &format!("{of} customers"),
            i128::from(kind == of),
        );
    }
}

/// What one plan of a customer gained and another lost in a month went from one to the other, as
/// far as it goes, plan by plan in the order of their names.
fn by_plan(sums: &mut BTreeMap<String, i128>, of: &str, month: &Month) {
    let gained: i128 = month.plans.values().map(|(o, c)| (c - o).max(0)).sum();
    let lost: i128 = month.plans.values().map(|(o, c)| (o - c).max(0)).sum();
    let (mut to_give, mut to_take) = (gained.min(lost), gained.min(lost));
    for (plan, (opening, closing)) in &month.plans {
        let key = format!("mart | {of} | plan | {plan}");
        let transferred_in = (closing - opening).clamp(0, to_give);
        let transferred_out = (opening - closing).clamp(0, to_take);
        to_give -= transferred_in;
        to_take -= transferred_out;
        let gained = (closing - opening).max(0) - transferred_in;
        let lost = (opening - closing).max(0) - transferred_out;
        moved(sums, &key, month.kind, (*opening, gained, lost, *closing));
        add(sums, &key, "transfer in", transferred_in);
        add(sums, &key, "transfer out", transferred_out);
    }
}

/// The same figures as the models have them.
fn models(db: &TestDb) -> Figures {
    let mut figures = Figures::new();
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_default();
    for row in db.sql(
        "select customer_id, extract(epoch from effective_at)::bigint, movement_type, (opening_usd \
         * 100)::bigint, ((opening_usd + delta_usd) * 100)::bigint from core.fct_mrr_event",
    ) {
        let key = format!("event | {} | {}", cell(&row[0]), cell(&row[1]));
        let value = [&row[2], &row[3], &row[4]].map(cell).join(" ");
        figures.insert(key, value);
    }
    for row in db.sql(
        "select customer_id, month_start, movement_type, (opening_usd * 100)::bigint, (closing_usd \
         * 100)::bigint from core.fct_mrr_movement",
    ) {
        let key = format!("month | {} | {}", cell(&row[0]), cell(&row[1]));
        let value = [&row[2], &row[3], &row[4]].map(cell).join(" ");
        figures.insert(key, value);
    }
    for row in db.sql(
        "select month_start, cut, cut_value, measure, amount from gold.mart_mrr_movements cross \
         join lateral (values ('opening', opening_usd * 100), ('new', new_usd * 100), \
         ('reactivation', reactivation_usd * 100), ('expansion', expansion_usd * 100), \
         ('contraction', contraction_usd * 100), ('churn', churn_usd * 100), ('closing', \
         closing_usd * 100), ('transfer in', transfer_in_usd * 100), ('transfer out', \
         transfer_out_usd * 100), ('opening customers', opening_customers), ('closing customers', \
         closing_customers), ('new customers', new_customers), ('reactivation customers', \
         reactivated_customers), ('churn customers', churned_customers)) as m (measure, amount) \
         where amount <> 0",
    ) {
        let key = [&row[0], &row[1], &row[2], &row[3]].map(cell).join(" | ");
        let amount = cell(&row[4]);
        let whole = amount.split('.').next().unwrap_or_default().to_owned();
        figures.insert(format!("mart | {key}"), whole);
    }
    figures
}
