//! Rare cases: paying in parts or after the write-off, returned debits, a plan switched twice, a
//! contract entered late, a change of currency.
//!
//! Whether one happens is drawn from a stream of its own, so the lives that none befalls are what
//! they would be without this file.

use crate::synth::params::{BANK_REASONS, Method, Promotion};
use crate::synth::random::{Dice, Stream};
use crate::synth::time::At;

use super::{Change, Event, Initiator, Life};

/// Paying in parts: share of payments by transfer, share of a customer's own payments of what had
/// failed, share whose rest never comes, days until the rest comes, days until it is given up.
const PARTS: (f64, f64, f64, (f64, f64), i64) = (0.10, 0.08, 0.15, (2.0, 12.0), 30);
/// What was written off is paid after all, where the subscription goes on: share, days from and to.
const PAID_AFTER_ALL: (f64, (f64, f64)) = (0.15, (3.0, 15.0));
/// A bank debit that had gone through is returned: share, days from and to. Within the days for late
/// rows, as it changes what was collected.
const RETURNED: (f64, (f64, f64)) = (0.004, (2.0, 6.5));
/// Share of promotions of monthly plans that are a first month for nothing.
const FREE_MONTH_SHARE: f64 = 0.08;
/// The plan is switched again soon after an upgrade: share, days from and to.
const SWITCHED_AGAIN: (f64, (f64, f64)) = (0.10, (1.0, 8.0));
/// Share of returning customers who from then on pay in another currency.
const CURRENCY_SWITCH: f64 = 0.15;
/// Contracts are entered after they began: share of starts by transfer, days from and to. Within the
/// days for late rows.
const BACKDATED: (f64, (f64, f64)) = (0.15, (1.5, 6.5));
/// The first month for nothing; [`FREE_MONTH_SHARE`] says how often.
const FREE_MONTH: Promotion = ("FIRSTFREE", 0.0, 100, Some(1), "once");

/// The cases, each with streams of its own.
#[derive(Clone, Copy)]
enum Case {
    Parts = 1,
    PaidAfterAll = 2,
    Returned = 3,
    SwitchedAgain = 4,
    Currency = 5,
    Backdated = 6,
    FreeMonth = 7,
}

/// Place of `revoked` among the reasons of banks.
const REVOKED: usize = 3;

impl Life<'_> {
    /// The stream of a case that may befall the thing at a place.
    fn rare(&self, case: Case, place: usize) -> Dice {
        let part = ((case as u64) << 32) | place as u64;
        Dice::new(
            self.world.config.seed,
            Stream::Rare,
            self.who.number.into(),
            part,
        )
    }

    /// What is still to be paid of an invoice.
    pub(super) fn owed(&self, bill: usize) -> i64 {
        let invoice = self.logs.invoices.row(bill);
        invoice.amount_due - invoice.amount_paid
    }

    /// What a payment that will succeed brings: all that is owed, or the first part of it.
    pub(super) fn sum_paid_now(&self, bill: usize, by: Initiator) -> i64 {
        let owed = self.owed(bill);
        let invoice = self.logs.invoices.row(bill);
        let share = match by {
            Initiator::Schedule if self.method_kind == Method::Transfer => PARTS.0,
            Initiator::Customer if self.bills[bill].reason.is_some() => PARTS.1,
            _ => 0.0,
        };
        if owed < invoice.amount_due || owed < 2 || invoice.uncollectible_at.is_some() {
            return owed;
        }
        let mut dice = self.rare(Case::Parts, bill);
        if !dice.chance(share) {
            return owed;
        }
        ((owed as f64 * dice.between(0.3, 0.7)) as i64).max(1)
    }

    /// Part of the money is there. Mostly the rest follows; else it is given up in the end.
    pub(super) fn paid_in_part(&mut self, at: At, bill: usize, attempt: usize) {
        let amount = self.logs.attempts.row(attempt).amount;
        self.logs
            .invoices
            .update(bill, at, |row| row.amount_paid += amount);
        if let Some(status) = self.bills[bill].close_as {
            self.close(at, bill, status);
            return;
        }
        let (_, _, never, (from, to), patience) = PARTS;
        let mut dice = self.rare(Case::Parts, bill);
        dice.unit();
        dice.unit();
        if dice.chance(never) {
            self.plan(at.plus_days(patience as f64), Event::GivenUp { bill });
        } else {
            let by = Initiator::Customer;
            let days = dice.between(from, to);
            self.plan(at.plus_days(days), Event::Attempt { bill, by });
        }
    }

    pub(super) fn given_up(&mut self, at: At, bill: usize) {
        if !self.bills[bill].closed && !self.bills[bill].pending {
            self.close(at, bill, "uncollectible");
        }
    }

    /// An invoice was written off and the subscription goes on.
    pub(super) fn may_be_paid_after_all(&mut self, at: At, bill: usize) {
        let (share, (from, to)) = PAID_AFTER_ALL;
        let mut dice = self.rare(Case::PaidAfterAll, bill);
        if dice.chance(share) {
            let days = dice.between(from, to);
            self.plan(at.plus_days(days), Event::PaidAfterAll { bill });
        }
    }

    pub(super) fn paid_after_all(&mut self, at: At, bill: usize) {
        if !self.lives(self.bills[bill].sub) || self.forgotten {
            return;
        }
        // Its dunning is over and no longer holds the subscription.
        self.bills[bill].reason = None;
        self.bills[bill].closed = false;
        self.attempt(at, bill, Initiator::Customer);
    }

    /// A debit that went through may be returned by the bank some days later.
    pub(super) fn may_be_returned(&mut self, at: At, bill: usize, attempt: usize) {
        let written_off = self.logs.invoices.row(bill).uncollectible_at.is_some();
        let first = self.bills[bill].reason.is_none() && !written_off;
        if !first || !matches!(self.method_kind, Method::Ach | Method::Sepa) {
            return;
        }
        let (share, (from, to)) = RETURNED;
        let mut dice = self.rare(Case::Returned, bill);
        if dice.chance(share) {
            let days = dice.between(from, to);
            self.plan(at.plus_days(days), Event::Returned { bill, attempt });
        }
    }

    /// The payment turns out to have failed, and the invoice is open again.
    pub(super) fn returned(&mut self, at: At, bill: usize, attempt: usize) {
        let sub = self.bills[bill].sub;
        let payment = self.logs.attempts.row(attempt).attempt_id;
        let taken_back = self.disputed.contains(&attempt)
            || self
                .logs
                .refunds
                .view(at)
                .any(|refund| refund.attempt_id == payment);
        if taken_back || self.subs[sub].paused || self.subs[sub].pending_pause.is_some() {
            return;
        }
        let codes = BANK_REASONS[REVOKED].codes;
        let (decline_code, _, network_code) = self.rare(Case::Returned, bill).any(codes);
        self.logs.attempts.update(attempt, at, |row| {
            row.outcome = "failed";
            row.settled_at = Some(at);
            row.decline_code = Some(decline_code);
            row.network_code = Some(network_code);
        });
        self.logs.invoices.update(bill, at, |row| {
            row.status = "open";
            row.paid_at = None;
            row.amount_paid = 0;
        });
        if self.lives(sub) {
            self.bills[bill].closed = false;
            self.begin_dunning(at, bill, REVOKED);
        } else {
            self.close(at, bill, "uncollectible");
        }
    }

    /// Some who step up find that it was too little, or on an annual plan too much.
    pub(super) fn may_switch_again(&mut self, at: At, sub: usize) {
        let (share, (from, to)) = SWITCHED_AGAIN;
        let mut dice = self.rare(Case::SwitchedAgain, self.logs.subscription_events.len());
        if !dice.chance(share) {
            return;
        }
        let change = if self.subs[sub].annual && dice.chance(0.5) {
            Change::Downgrade
        } else {
            Change::Upgrade
        };
        let days = dice.between(from, to);
        self.plan(at.plus_days(days), Event::Change { sub, change });
    }

    /// Who comes back may from now on pay in another currency, if nothing of the old one is open.
    pub(super) fn may_switch_currency(&mut self, at: At) {
        let is_bound = matches!(self.method_kind, Method::Ach | Method::Sepa);
        let is_open = self.bills.iter().any(|bill| !bill.closed);
        let mut dice = self.rare(Case::Currency, self.subs.len());
        if is_bound || is_open || self.balance != 0 || !dice.chance(CURRENCY_SWITCH) {
            return;
        }
        let currency = if self.currency == "USD" { "EUR" } else { "USD" };
        self.currency = currency;
        self.logs
            .customers
            .update(0, at, |row| row.currency = currency);
    }

    /// A subscription without trial begins; a contract paid by transfer may be entered only days later.
    pub(super) fn begin_or_wait(&mut self, at: At) {
        let (share, (from, to)) = BACKDATED;
        let mut dice = self.rare(Case::Backdated, 0);
        if self.who.method == Method::Transfer && dice.chance(share) {
            let days = dice.between(from, to);
            self.plan(at.plus_days(days), Event::Enter { began: at });
        } else {
            self.enter(at, at);
        }
    }

    /// Enters a subscription that began then or earlier.
    pub(super) fn enter(&mut self, at: At, began: At) {
        let sub = self.subscribe(at, began, None);
        self.join(at, sub, 0);
        self.activate(at, began, sub);
    }

    /// The promotion that was drawn, or a first month for nothing in its place.
    pub(super) fn promotion(&self, sub: usize, drawn: Promotion) -> Promotion {
        let free = self.rare(Case::FreeMonth, sub).chance(FREE_MONTH_SHARE);
        if free && !self.subs[sub].annual {
            FREE_MONTH
        } else {
            drawn
        }
    }
}
