//! How it ends: deciding to cancel, taking it back, the end itself, being forgotten.

use crate::synth::params::{
    ANNUAL_NON_RENEWAL, CANCEL_AT_ONCE, CANCEL_WITHDRAWN, CHANNELS, DELETED_SHARE,
    DISCOUNT_END_EFFECT, FAILURE_EFFECT, RETURNS,
};
use crate::synth::rows::ChurnRow;
use crate::synth::time::{At, DAY};
use crate::synth::vocab;

use super::{Event, Life};

/// Place of the cancel page in `vocab::PRODUCT_EVENTS`.
const CANCEL_PAGE: usize = 14;
/// Place of `payment_failed` in `vocab::CHURN_REASONS`.
const PAYMENT_FAILED: usize = 6;
/// Place of `merged` there.
const MERGED: usize = 7;

impl Life<'_> {
    /// The customer thinks about leaving.
    pub(super) fn decide(&mut self, at: At, sub: usize, non_renewal: bool) {
        let s = &self.subs[sub];
        if s.ended.is_some() || s.paused || s.requested.is_some() || at >= s.period.1 {
            return;
        }
        if self.dice.chance(self.cancel_chance(at, sub, non_renewal)) {
            self.request_cancel(at, sub);
        } else if self.dice.chance(0.004) {
            self.footprint.visits.push((at, CANCEL_PAGE));
        }
    }

    /// The chance to cancel now, given what lies behind.
    fn cancel_chance(&self, at: At, sub: usize, non_renewal: bool) -> f64 {
        let s = &self.subs[sub];
        let recent = |when: Option<At>, days: i64| when.is_some_and(|w| at.since(w) < days * DAY);
        let mut factor = CHANNELS[self.who.channel].2;
        if recent(self.last_failure, FAILURE_EFFECT.1) {
            factor *= FAILURE_EFFECT.0;
        }
        if recent(s.discount_ended, DISCOUNT_END_EFFECT.1) {
            factor *= DISCOUNT_END_EFFECT.0;
        }
        let (_, month, day) = at.civil();
        if matches!((month, day), (11, 20..) | (12, _) | (1, ..=7)) {
            factor *= 1.2;
        }
        let base = match (s.annual, non_renewal) {
            (false, _) => s.hazard,
            // The customer's own hazard, in place of the plan's mean, spreads the yearly chance.
            (true, true) => {
                ANNUAL_NON_RENEWAL[(s.periods as usize).min(2)]
                    * (0.6 + 0.4 * s.hazard / 0.04).min(2.5)
            }
            (true, false) => return 1.0,
        };
        (base * factor).min(0.9)
    }

    fn request_cancel(&mut self, at: At, sub: usize) {
        if self.dice.chance(0.4) {
            let days = self.dice.between(1.0, 12.0);
            let from = self.subs[sub].activated.unwrap_or(at);
            self.footprint
                .visits
                .push((at.plus_days(-days).max(from), CANCEL_PAGE));
        }
        self.footprint.visits.push((at.plus(-90), CANCEL_PAGE));
        self.footprint.requests.push((at, None));
        let at_once = !self.subs[sub].annual && self.dice.chance(CANCEL_AT_ONCE);
        self.subs[sub].requested = Some(at);
        self.update_sub(at, sub, |row| {
            row.cancel_requested_at = Some(at);
            row.cancel_at_period_end = !at_once;
        });
        self.tell(at, sub, "cancel_requested");
        let reason = self.draw_reason();
        self.churn_event(at, sub, "cancel_requested", (vocab::CHURN_KINDS[0], reason));
        if at_once {
            self.end(at, sub, "customer_canceled");
        } else if self.dice.chance(CANCEL_WITHDRAWN) {
            let left = self.subs[sub].period.1.since(at) as f64 / DAY as f64;
            let days = self.dice.between(0.1, 0.9) * left;
            self.plan(at.plus_days(days), Event::Withdraw { sub });
        }
    }

    fn draw_reason(&mut self) -> &'static str {
        vocab::CHURN_REASONS[self.dice.pick(&[0.30, 0.18, 0.22, 0.14, 0.07, 0.09])]
    }

    pub(super) fn withdraw(&mut self, at: At, sub: usize) {
        if !self.lives(sub) || self.subs[sub].requested.take().is_none() {
            return;
        }
        if let Some(request) = self.footprint.requests.last_mut() {
            request.1 = Some(at);
        }
        self.update_sub(at, sub, |row| {
            row.cancel_requested_at = None;
            row.cancel_at_period_end = false;
        });
        self.tell(at, sub, "cancel_withdrawn");
        let reason = self.last_reason();
        self.churn_event(at, sub, "cancel_withdrawn", (vocab::CHURN_KINDS[0], reason));
    }

    /// The reason given with the last request.
    fn last_reason(&self) -> &'static str {
        let last = self.logs.churn.len().checked_sub(1);
        last.map_or(vocab::CHURN_REASONS[0], |place| {
            self.logs.churn.row(place).reason
        })
    }

    fn churn_event(
        &mut self,
        at: At,
        sub: usize,
        event: &'static str,
        why: (&'static str, &'static str),
    ) {
        self.logs.churn.add(ChurnRow {
            event_id: self.id("ce", self.logs.churn.len()),
            customer_id: self.customer_id(),
            subscription_id: self.sub_id(sub),
            event_type: event,
            kind: why.0,
            reason: why.1,
            occurred_at: at,
            received_at: at.plus(2),
        });
    }

    /// The subscription ends; what is unpaid is given up.
    pub(super) fn end(&mut self, at: At, sub: usize, reason: &'static str) {
        self.subs[sub].ended = Some(at);
        self.update_sub(at, sub, |row| {
            row.status = "canceled";
            row.ended_at = Some(at);
            row.end_reason = Some(reason);
        });
        self.tell(at, sub, "ended");
        self.deactivate(at, self.seats());
        let involuntary = reason == "payment_failed";
        let status = if involuntary { "uncollectible" } else { "void" };
        for bill in 0..self.bills.len() {
            if self.bills[bill].sub != sub || self.bills[bill].closed {
                continue;
            }
            if self.bills[bill].pending {
                self.bills[bill].close_as = Some(status);
            } else {
                self.close(at, bill, status);
            }
        }
        if self.subs[sub].activated.is_some() {
            self.churned(at, sub, reason);
        }
    }

    fn churned(&mut self, at: At, sub: usize, reason: &'static str) {
        if reason == "merged" {
            // Nobody leaves: no return, and nothing to forget.
            let why = (vocab::CHURN_KINDS[2], vocab::CHURN_REASONS[MERGED]);
            self.churn_event(at, sub, "churned", why);
            return;
        }
        let involuntary = reason == "payment_failed";
        let why = if involuntary {
            (vocab::CHURN_KINDS[1], vocab::CHURN_REASONS[PAYMENT_FAILED])
        } else {
            (vocab::CHURN_KINDS[0], self.last_reason())
        };
        self.churn_event(at, sub, "churned", why);
        let (voluntary, unwanted, median, sigma) = RETURNS;
        if self
            .dice
            .chance(if involuntary { unwanted } else { voluntary })
        {
            let days = self.dice.log_normal(median, sigma).max(3.0);
            self.plan(at.plus_days(days), Event::Return);
        } else if self.dice.chance(DELETED_SHARE) {
            let days = self.dice.between(20.0, 90.0);
            self.plan(at.plus_days(days), Event::Forget);
        }
    }

    /// The customer asks to be forgotten: its row says so, its history stays.
    pub(super) fn forget(&mut self, at: At) {
        if self.subs.iter().any(|s| s.ended.is_none()) {
            return;
        }
        self.forgotten = true;
        self.logs
            .customers
            .update(0, at, |row| row.deleted_at = Some(at));
        if let Some(method) = self.method.take() {
            self.logs
                .methods
                .update(method, at, |row| row.detached_at = Some(at));
        }
    }
}
