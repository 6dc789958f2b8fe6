//! Collecting an invoice: attempts, retries, dunning, what the customer mends, refunds.

use crate::synth::params::{
    AUTHENTICATION, CANCEL_IF_UNRECOVERED, DISPUTES, DUNNING_DAYS, FIX_DAYS, GOODWILL_SHARE,
    Method, REFUNDS, RETRY_DECAY, Reason,
};
use crate::synth::rows::{AttemptRow, DisputeRow, DunningRow, RefundRow};
use crate::synth::time::{At, DAY, HOUR};
use crate::synth::vocab;

use super::{Event, Initiator, Life};

/// Dunning messages: days after the first failure, kind.
const MESSAGES: [(i64, &str); 4] = [
    (0, "payment_failed"),
    (3, "reminder"),
    (7, "reminder"),
    (14, "final_notice"),
];
/// Places of account pages in `vocab::PRODUCT_EVENTS`.
const BILLING_PAGE: usize = 13;

impl Life<'_> {
    pub(super) fn attempt(&mut self, at: At, bill: usize, by: Initiator) {
        if self.bills[bill].closed {
            return;
        }
        if self.bills[bill].pending {
            // The bank has not answered yet; a customer who acts meanwhile comes back later.
            if by == Initiator::Customer {
                self.plan(at.plus(DAY), Event::Attempt { bill, by });
            }
            return;
        }
        let failed = self.draw_outcome(at, bill, by);
        let is_rest = self.logs.invoices.row(bill).amount_paid > 0;
        if by == Initiator::Customer
            && !is_rest
            && self.bills[bill]
                .reason
                .is_some_and(|r| self.who.reasons()[r].replaces_method)
        {
            self.replace_method(at, self.bills[bill].sub);
        }
        let amount = if failed.is_none() {
            self.sum_paid_now(bill, by)
        } else {
            self.owed(bill)
        };
        let attempt = self.add_attempt(at, bill, by, amount);
        let b = &mut self.bills[bill];
        b.first_attempt.get_or_insert(at);
        b.attempts += 1;
        b.last_attempt = attempt;
        b.pending = true;
        if self.method_kind.is_card() {
            self.settle(at, bill, attempt, failed);
        } else {
            let days = self.dice.between(0.8, 2.2);
            self.plan(
                at.plus_days(days),
                Event::Settle {
                    bill,
                    attempt,
                    reason: failed,
                },
            );
        }
    }

    /// The reason for which an attempt fails; none: it succeeds. What a customer starts succeeds.
    fn draw_outcome(&mut self, at: At, bill: usize, by: Initiator) -> Option<usize> {
        match by {
            Initiator::Schedule => self.draw_failure(at, bill),
            Initiator::Customer => None,
            Initiator::Retry => {
                let reason = self.bills[bill].reason?;
                let first = self.who.reasons()[reason].retry;
                let chance = first * RETRY_DECAY.powi(self.bills[bill].retries as i32);
                self.bills[bill].retries += 1;
                (!self.dice.chance(chance)).then_some(reason)
            }
        }
    }

    /// A first attempt: each reason has its own chance, raised by incidents.
    fn draw_failure(&mut self, at: At, bill: usize) -> Option<usize> {
        let plan = self.subs[self.bills[bill].sub].plan;
        let cards = self.method_kind.is_card();
        let strong = self.who.country.strong_authentication;
        let chances: Vec<f64> = self
            .who
            .reasons()
            .iter()
            .enumerate()
            .map(|(i, reason)| {
                let incident = if cards {
                    self.world.incident_factor(i, plan, at)
                } else {
                    1.0
                };
                // Strong authentication shifts its share between countries, not the total.
                let shift = if cards && i == AUTHENTICATION {
                    if strong { 2.0 } else { 0.44 }
                } else {
                    1.0
                };
                self.who.failure * reason.share * incident * shift
            })
            .collect();
        let total: f64 = chances.iter().sum();
        self.dice.chance(total).then(|| self.dice.pick(&chances))
    }

    fn add_attempt(&mut self, at: At, bill: usize, by: Initiator, amount: i64) -> usize {
        let place = self.logs.attempts.len();
        let method = self.method.unwrap_or(0);
        let row = AttemptRow {
            attempt_id: self.id("pa", place),
            invoice_id: self.id("in", bill),
            customer_id: self.customer_id(),
            payment_method_id: self.id("pm", method),
            attempt_number: self.bills[bill].attempts as i32 + 1,
            initiator: vocab::INITIATORS[by as usize],
            attempted_at: at,
            currency: self.logs.invoices.row(bill).currency,
            amount,
            outcome: "pending",
            settled_at: None,
            decline_code: None,
            network_code: None,
            updated_at: at,
        };
        self.logs.attempts.add(row)
    }

    pub(super) fn settle(&mut self, at: At, bill: usize, attempt: usize, failed: Option<usize>) {
        self.bills[bill].pending = false;
        let Some(reason) = failed else {
            self.logs.attempts.update(attempt, at, |row| {
                row.outcome = "succeeded";
                row.settled_at = Some(at);
            });
            if self.logs.attempts.row(attempt).amount < self.owed(bill) {
                self.paid_in_part(at, bill, attempt);
            } else {
                self.paid(at, bill, attempt);
            }
            return;
        };
        let weights: Vec<f64> = self.who.reasons()[reason]
            .codes
            .iter()
            .map(|c| c.1)
            .collect();
        let code = self.dice.pick(&weights);
        let (decline_code, _, network_code) = self.who.reasons()[reason].codes[code];
        self.logs.attempts.update(attempt, at, |row| {
            row.outcome = "failed";
            row.settled_at = Some(at);
            row.decline_code = Some(decline_code);
            row.network_code = Some(network_code);
        });
        if let Some(status) = self.bills[bill].close_as {
            self.close(at, bill, status);
        } else if self.bills[bill].reason.is_none() {
            self.begin_dunning(at, bill, reason);
        }
    }

    fn paid(&mut self, at: At, bill: usize, attempt: usize) {
        self.logs.invoices.update(bill, at, |row| {
            row.status = "paid";
            row.paid_at = Some(at);
            row.amount_paid = row.amount_due;
        });
        self.bills[bill].closed = true;
        self.settle_failing(at, bill);
        if self.dice.chance(REFUNDS.0) {
            let days = self.dice.log_normal(REFUNDS.1, REFUNDS.2);
            self.plan(at.plus_days(days), Event::Refund { attempt });
        } else if self.dice.chance(self.world.mistaken_share(at)) {
            let days = self.dice.between(0.2, 1.0);
            self.plan(at.plus_days(days), Event::Refund { attempt });
        }
        if self.method_kind != Method::Transfer && self.dice.chance(DISPUTES.0) {
            let days = DISPUTES.1 * self.dice.gamma_around_one(DISPUTES.2);
            self.plan(at.plus_days(days), Event::Dispute { attempt });
        }
        if self.dice.chance(GOODWILL_SHARE) {
            let days = self.dice.between(1.0, 20.0);
            self.plan(at.plus_days(days), Event::Goodwill { bill });
        }
        self.may_be_returned(at, bill, attempt);
    }

    /// An invoice that had failed is closed: the subscription may be in good standing again.
    fn settle_failing(&mut self, at: At, bill: usize) {
        let sub = self.bills[bill].sub;
        if self.bills[bill].reason.is_none() || !self.lives(sub) {
            return;
        }
        self.subs[sub].failing -= 1;
        if self.subs[sub].failing == 0 {
            self.update_sub(at, sub, |row| row.status = "active");
            self.tell(at, sub, "recovered");
        }
    }

    pub(super) fn begin_dunning(&mut self, at: At, bill: usize, reason: usize) {
        let sub = self.bills[bill].sub;
        let first = self.bills[bill].first_attempt.unwrap_or(at);
        self.bills[bill].reason = Some(reason);
        self.last_failure = Some(at);
        self.subs[sub].failing += 1;
        if self.subs[sub].failing == 1 {
            self.update_sub(at, sub, |row| row.status = "past_due");
            self.tell(at, sub, "past_due");
        }
        let reason: &Reason = &self.who.reasons()[reason];
        for day in self.method_kind.retry_days().iter().take(reason.retries) {
            let minutes = self.dice.whole(0, 30);
            let by = Initiator::Retry;
            self.plan(
                first.plus(day * DAY + minutes * 60),
                Event::Attempt { bill, by },
            );
        }
        let days = self.dice.log_normal(FIX_DAYS.0, FIX_DAYS.1);
        if self.dice.chance(reason.fix) && days < DUNNING_DAYS as f64 {
            self.footprint
                .visits
                .push((at.plus_days(days).plus(-120), BILLING_PAGE));
            self.plan(
                at.plus_days(days),
                Event::Attempt {
                    bill,
                    by: Initiator::Customer,
                },
            );
        }
        for (step, (day, _)) in MESSAGES.iter().enumerate() {
            self.plan(at.plus(day * DAY + HOUR), Event::Dunning { bill, step });
        }
        // Transfers are due a week later; their dunning is shorter, to end before the next is due.
        let days = if self.method_kind == Method::Transfer {
            DUNNING_DAYS - 2
        } else {
            DUNNING_DAYS
        };
        self.plan(first.plus(days * DAY), Event::Exhausted { bill });
    }

    pub(super) fn remind(&mut self, at: At, bill: usize, step: usize) {
        if self.bills[bill].closed || self.bills[bill].pending {
            return;
        }
        let message = self.logs.dunning.add(DunningRow {
            dunning_event_id: self.id("du", self.logs.dunning.len()),
            invoice_id: self.id("in", bill),
            customer_id: self.customer_id(),
            kind: MESSAGES[step].1,
            step: step as i32 + 1,
            sent_at: at,
            opened_at: None,
            clicked_at: None,
            updated_at: at,
        });
        if self.dice.chance(0.45) {
            let opened = at.plus_days(self.dice.log_normal(0.25, 1.0));
            self.plan(opened, Event::Opened { message });
            if self.dice.chance(0.3) {
                let seconds = self.dice.whole(5, 600);
                self.plan(opened.plus(seconds), Event::Clicked { message });
            }
        }
    }

    /// Dunning is over. The invoice is written off, and most often the subscription ends.
    pub(super) fn exhausted(&mut self, at: At, bill: usize) {
        if self.bills[bill].closed {
            return;
        }
        if self.bills[bill].pending {
            self.plan(at.plus(DAY), Event::Exhausted { bill });
            return;
        }
        let sub = self.bills[bill].sub;
        let (monthly, annual) = CANCEL_IF_UNRECOVERED;
        let chance = if self.subs[sub].annual {
            annual
        } else {
            monthly
        };
        if self.lives(sub) && self.dice.chance(chance) {
            let asked = self.subs[sub].requested.is_some();
            self.give_up(at, bill, "uncollectible");
            self.end(
                at,
                sub,
                if asked {
                    "customer_canceled"
                } else {
                    "payment_failed"
                },
            );
        } else {
            self.close(at, bill, "uncollectible");
            self.may_be_paid_after_all(at, bill);
        }
    }

    /// Stops collecting; the subscription may be in good standing again.
    pub(super) fn close(&mut self, at: At, bill: usize, status: &'static str) {
        self.give_up(at, bill, status);
        self.settle_failing(at, bill);
    }

    fn give_up(&mut self, at: At, bill: usize, status: &'static str) {
        self.bills[bill].closed = true;
        // What was paid in part cannot be void: the rest is written off.
        let in_part = self.logs.invoices.row(bill).amount_paid > 0;
        let status = if in_part { "uncollectible" } else { status };
        self.logs.invoices.update(bill, at, |row| {
            row.status = status;
            if status == "void" {
                row.voided_at = Some(at);
            } else {
                row.uncollectible_at = Some(at);
            }
        });
    }

    fn replace_method(&mut self, at: At, sub: usize) {
        self.attach_method(at, self.method_kind);
        let method = self.method.map(|m| self.id("pm", m));
        if self.lives(sub) {
            self.update_sub(at, sub, |row| row.payment_method_id = method);
        }
    }

    pub(super) fn refund(&mut self, at: At, attempt: usize) {
        let payment = self.logs.attempts.row(attempt).clone();
        if self.disputed.contains(&attempt) || payment.outcome != "succeeded" {
            return;
        }
        let share = if self.dice.chance(REFUNDS.3) {
            1.0
        } else {
            self.dice.between(0.2, 0.8)
        };
        let amount = (payment.amount as f64 * share) as i64;
        let reason = vocab::REFUND_REASONS[self.dice.pick(&[0.75, 0.05, 0.2])];
        if amount <= 0 {
            return;
        }
        let refund = self.logs.refunds.add(RefundRow {
            refund_id: self.id("re", self.logs.refunds.len()),
            attempt_id: payment.attempt_id,
            invoice_id: payment.invoice_id,
            customer_id: payment.customer_id,
            currency: payment.currency,
            amount,
            reason,
            status: "pending",
            created_at: at,
            succeeded_at: None,
            updated_at: at,
        });
        let days = self.dice.between(0.5, 3.0);
        self.plan(at.plus_days(days), Event::Refunded { refund });
    }

    /// The cardholder's bank takes back what was not given back yet.
    pub(super) fn dispute(&mut self, at: At, attempt: usize) {
        let payment = self.logs.attempts.row(attempt).clone();
        let refunds = self.logs.refunds.view(at);
        let back: i64 = refunds
            .filter(|r| r.attempt_id == payment.attempt_id)
            .map(|r| r.amount)
            .sum();
        let reason = vocab::DISPUTE_REASONS[self.dice.pick(&[0.45, 0.2, 0.25, 0.1])];
        if back >= payment.amount || payment.outcome != "succeeded" {
            return;
        }
        self.disputed.push(attempt);
        let dispute = self.logs.disputes.add(DisputeRow {
            dispute_id: self.id("dp", self.logs.disputes.len()),
            attempt_id: payment.attempt_id,
            invoice_id: payment.invoice_id,
            customer_id: payment.customer_id,
            currency: payment.currency,
            amount: payment.amount - back,
            reason,
            status: "open",
            opened_at: at,
            resolved_at: None,
            updated_at: at,
        });
        let (from, to) = DISPUTES.4;
        let days = self.dice.between(from, to);
        self.plan(at.plus_days(days), Event::Resolved { dispute });
    }

    pub(super) fn resolve(&mut self, at: At, dispute: usize) {
        let won = self.dice.chance(DISPUTES.3);
        self.logs.disputes.update(dispute, at, |row| {
            row.status = if won { "won" } else { "lost" };
            row.resolved_at = Some(at);
        });
    }
}
