//! Invoices and their lines, to the cent; credit balance and credit notes.

use std::sync::Arc;

use crate::synth::id::Id;
use crate::synth::params::Method;
use crate::synth::rows::{CreditNoteRow, InvoiceRow, LineRow};
use crate::synth::time::{At, DAY, HOUR};

use super::{Bill, Event, Life};

/// A line before discount and tax.
pub(super) struct Draft {
    pub(super) price_id: Arc<str>,
    pub(super) quantity: i32,
    /// Negative: credit for unused time.
    pub(super) amount: i64,
    pub(super) period: (At, At),
    pub(super) is_proration: bool,
}

/// A line's money.
#[derive(Clone, Copy, Default)]
pub(super) struct Priced {
    amount: i64,
    discount: i64,
    tax: i64,
}

impl Priced {
    pub(super) fn net(self) -> i64 {
        self.amount - self.discount + self.tax
    }
}

impl Life<'_> {
    /// Bills the period that begins.
    pub(super) fn bill_period(&mut self, at: At, sub: usize, reason: &'static str) {
        let s = &self.subs[sub];
        let line = Draft {
            price_id: self.price_id(sub),
            quantity: s.quantity,
            amount: self.unit(sub) * i64::from(s.quantity),
            period: s.period,
            is_proration: false,
        };
        let bill = self.bill(at, sub, reason, vec![line]);
        self.subs[sub].period_bill = Some(bill);
        // A renewal is drafted first and finalized an hour later.
        if reason == "subscription_cycle" {
            self.plan(at.plus(HOUR), Event::Finalize { bill });
        } else {
            self.finalize(at, bill);
        }
    }

    /// Bills a change within the period at once.
    pub(super) fn bill_change(&mut self, at: At, sub: usize, lines: Vec<Draft>) {
        let bill = self.bill(at, sub, "subscription_update", lines);
        self.finalize(at, bill);
    }

    pub(super) fn priced(&self, sub: usize, line: &Draft) -> Priced {
        let percent = self.subs[sub].discount.map_or(0, |d| d.percent);
        let discount = percent_of(line.amount, percent);
        let tax = percent_of(line.amount - discount, self.who.country.tax_percent);
        Priced {
            amount: line.amount,
            discount,
            tax,
        }
    }

    fn bill(&mut self, at: At, sub: usize, reason: &'static str, lines: Vec<Draft>) -> usize {
        let place = self.bills.len();
        let mut sum = Priced::default();
        for (n, line) in lines.iter().enumerate() {
            let priced = self.priced(sub, line);
            sum.amount += priced.amount;
            sum.discount += priced.discount;
            sum.tax += priced.tax;
            self.add_line(at, (sub, place, n), line, priced);
        }
        let period = lines.last().map_or(self.subs[sub].period, |l| l.period);
        self.bills.push(Bill {
            sub,
            attempts: 0,
            retries: 0,
            first_attempt: None,
            reason: None,
            pending: false,
            closed: false,
            last_attempt: 0,
            close_as: None,
        });
        self.add_invoice(at, place, reason, sum, period);
        place
    }

    fn add_invoice(
        &mut self,
        at: At,
        place: usize,
        reason: &'static str,
        sum: Priced,
        period: (At, At),
    ) {
        let total = sum.net();
        let credit_applied = self.balance.clamp(0, total.max(0));
        self.balance -= credit_applied;
        let transfer = self.method_kind == Method::Transfer;
        let drafted = if reason == "subscription_cycle" {
            HOUR
        } else {
            0
        };
        let terms = if transfer { 7 * DAY } else { 0 };
        self.logs.invoices.add(InvoiceRow {
            invoice_id: self.id("in", place),
            subscription_id: self.sub_id(self.bills[place].sub),
            customer_id: self.customer_id(),
            currency: self.currency,
            status: "draft",
            billing_reason: reason,
            collection_method: if transfer {
                "send_invoice"
            } else {
                "charge_automatically"
            },
            subtotal: sum.amount,
            discount: sum.discount,
            tax: sum.tax,
            total,
            credit_applied,
            amount_due: total - credit_applied,
            amount_paid: 0,
            period_start: period.0,
            period_end: period.1,
            created_at: at,
            finalized_at: None,
            due_at: at.plus(drafted + terms),
            paid_at: None,
            voided_at: None,
            uncollectible_at: None,
            updated_at: at,
        });
    }

    fn add_line(
        &mut self,
        at: At,
        (sub, bill, n): (usize, usize, usize),
        line: &Draft,
        priced: Priced,
    ) {
        let row = LineRow {
            line_id: Id::part("il", self.who.number, bill as u32 + 1, n as u32 + 1),
            invoice_id: self.id("in", bill),
            subscription_id: self.sub_id(sub),
            price_id: line.price_id.clone(),
            kind: if line.is_proration {
                "proration"
            } else {
                "subscription"
            },
            quantity: line.quantity,
            currency: self.currency,
            amount: priced.amount,
            discount: priced.discount,
            tax: priced.tax,
            period_start: line.period.0,
            period_end: line.period.1,
            is_proration: line.is_proration,
            created_at: at,
        };
        self.logs.lines.add(row);
    }

    /// A draft becomes due; where nothing is due it is paid at once.
    pub(super) fn finalize(&mut self, at: At, bill: usize) {
        if self.bills[bill].closed {
            return;
        }
        let invoice = self.logs.invoices.row(bill);
        let (due_at, nothing) = (invoice.due_at, invoice.amount_due == 0);
        self.logs.invoices.update(bill, at, |row| {
            row.finalized_at = Some(at);
            row.status = if nothing { "paid" } else { "open" };
            row.paid_at = nothing.then_some(at);
        });
        if nothing {
            self.bills[bill].closed = true;
        } else {
            self.plan(
                due_at,
                Event::Attempt {
                    bill,
                    by: super::Initiator::Schedule,
                },
            );
        }
    }

    /// Writes a credit to the customer's balance.
    pub(super) fn give_credit(&mut self, at: At, bill: usize, amount: i64, reason: &'static str) {
        // A balance is in one currency.
        if amount <= 0 || self.logs.invoices.row(bill).currency != self.currency {
            return;
        }
        self.balance += amount;
        self.logs.credit_notes.add(CreditNoteRow {
            credit_note_id: self.id("cn", self.logs.credit_notes.len()),
            invoice_id: self.id("in", bill),
            customer_id: self.customer_id(),
            currency: self.currency,
            amount,
            reason,
            status: "issued",
            issued_at: at,
            updated_at: at,
        });
    }

    pub(super) fn goodwill(&mut self, at: At, bill: usize) {
        let share = self.dice.between(0.05, 0.3);
        let amount = (self.logs.invoices.row(bill).amount_paid as f64 * share) as i64;
        self.give_credit(at, bill, amount, "service_issue");
    }
}

/// A percentage, half away from zero, so that a credit mirrors its charge.
fn percent_of(amount: i64, percent: i64) -> i64 {
    let product = amount * percent;
    (product + 50 * product.signum()) / 100
}

#[cfg(test)]
mod tests {
    use super::percent_of;

    #[test]
    fn percentages_round_half_away_from_zero() {
        assert_eq!(
            [percent_of(250, 5), percent_of(-250, 5), percent_of(249, 5)],
            [13, -13, 12]
        );
        assert_eq!(percent_of(0, 20), 0);
    }
}
