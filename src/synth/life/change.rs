//! Months and periods of a paid subscription, and the changes a customer makes to it.

use crate::synth::params::{ANNUAL_MID_TERM, CHANGES, PAUSE_MONTHS, PLANS};
use crate::synth::profile::draw_tier;
use crate::synth::time::{At, DAY};

use super::invoice::Draft;
use super::{Change, Event, Life};

impl Life<'_> {
    /// Plans what the customer will do in the month that begins.
    pub(super) fn begin_month(&mut self, at: At, sub: usize) {
        if !self.lives(sub) {
            return;
        }
        self.refresh_card(at);
        let month = self.subs[sub].months;
        self.subs[sub].months += 1;
        if let Some(start) = self.subs[sub].activated {
            self.plan(start.plus_months(month + 1), Event::Month { sub });
        }
        if self.subs[sub].paused {
            return;
        }
        let changes = [
            Change::SeatUp,
            Change::SeatDown,
            Change::Upgrade,
            Change::Downgrade,
            Change::Pause,
        ];
        for (change, chance) in changes.into_iter().zip(CHANGES) {
            if self.dice.chance(chance) {
                let days = self.dice.between(2.0, 26.0);
                self.plan(at.plus_days(days), Event::Change { sub, change });
            }
        }
        let day = self.dice.between(1.5, 27.0);
        if !self.subs[sub].annual {
            self.plan(
                at.plus_days(day),
                Event::Decide {
                    sub,
                    non_renewal: false,
                },
            );
        } else if month % 12 == 10 || month % 12 == 11 {
            // Renewal is thought over in one of the last two months.
            if (month % 12 == 10) == (self.subs[sub].hazard.to_bits() & 1 == 0) {
                self.plan(
                    at.plus_days(day),
                    Event::Decide {
                        sub,
                        non_renewal: true,
                    },
                );
            }
        } else if self.dice.chance(ANNUAL_MID_TERM) {
            self.plan(
                at.plus_days(day),
                Event::Decide {
                    sub,
                    non_renewal: false,
                },
            );
        }
    }

    /// The card network tells us the new date of a card that runs out.
    fn refresh_card(&mut self, at: At) {
        let Some(place) = self.method else { return };
        let (year, month, _) = at.civil();
        let card = self.logs.methods.row(place);
        let (Some(exp_year), Some(exp_month)) = (card.exp_year, card.exp_month) else {
            return;
        };
        if (exp_year, exp_month) <= (year, month as i32) {
            self.logs.methods.update(place, at, |row| {
                row.exp_year = Some(exp_year + 3);
                row.updated_by = "card_updater";
            });
        }
    }

    pub(super) fn end_period(&mut self, at: At, sub: usize) {
        if !self.lives(sub) {
            return;
        }
        if self.subs[sub].requested.is_some() {
            let reason = if self.subs[sub].annual {
                "not_renewed"
            } else {
                "customer_canceled"
            };
            self.end(at, sub, reason);
            return;
        }
        if self.moves_away(at, sub) {
            return;
        }
        if let Some(months) = self.subs[sub].pending_pause.take()
            && self.is_clear(sub)
        {
            self.pause(at, sub, months);
            return;
        }
        self.begin_period(at, sub, "renewed");
    }

    /// Whether nothing of the subscription is being collected.
    pub(super) fn is_clear(&self, sub: usize) -> bool {
        self.subs[sub].failing == 0 && !self.bills.iter().any(|b| b.sub == sub && !b.closed)
    }

    /// No service and no invoices for some whole months; the anchor stays.
    fn pause(&mut self, at: At, sub: usize, months: u32) {
        let s = &mut self.subs[sub];
        s.paused = true;
        let start = s.activated.unwrap_or(at);
        let back = start.plus_months(s.periods + 1 + months);
        s.periods += months;
        s.period = (at, back);
        self.update_sub(at, sub, |row| {
            row.status = "paused";
            row.period_start = at;
            row.period_end = back;
        });
        self.tell(at, sub, "paused");
        self.deactivate(at, self.seats());
        self.plan(back, Event::Resume { sub });
    }

    pub(super) fn resume(&mut self, at: At, sub: usize) {
        if !self.lives(sub) {
            return;
        }
        self.subs[sub].paused = false;
        self.update_sub(at, sub, |row| row.status = "active");
        let seats = self.subs[sub].quantity as usize;
        self.begin_period(at, sub, "resumed");
        self.join(at, sub, 0);
        self.invite(at, sub, 1, seats);
    }

    fn begin_period(&mut self, at: At, sub: usize, event: &'static str) {
        let s = &mut self.subs[sub];
        s.periods += 1;
        let months = (s.periods + 1) * if s.annual { 12 } else { 1 };
        let end = s.activated.map_or(at, |start| start.plus_months(months));
        s.period = (at, end);
        self.update_sub(at, sub, |row| {
            row.period_start = at;
            row.period_end = end;
        });
        if event == "resumed" {
            self.tell(at, sub, event);
            self.apply_pending(at, sub);
        } else {
            self.apply_pending(at, sub);
            self.tell(at, sub, event);
        }
        self.bill_period(at, sub, "subscription_cycle");
        self.plan(end, Event::PeriodEnd { sub });
    }

    /// What waited for the period's end: the discount's end, fewer seats, a smaller plan.
    fn apply_pending(&mut self, at: At, sub: usize) {
        if self.subs[sub]
            .discount
            .is_some_and(|d| d.end.is_some_and(|end| end <= at))
        {
            self.subs[sub].discount = None;
            self.subs[sub].discount_ended = Some(at);
            self.tell(at, sub, "discount_expired");
        }
        if let Some(plan) = self.subs[sub].pending_plan.take() {
            self.switch_plan(at, sub, plan);
            self.tell(at, sub, "downgraded");
        }
        if let Some(quantity) = self.subs[sub].pending_quantity.take() {
            self.set_quantity(at, sub, quantity);
        }
    }

    fn switch_plan(&mut self, at: At, sub: usize, plan: usize) {
        self.subs[sub].plan = plan;
        let price_id = self.price_id(sub);
        self.update_sub(at, sub, |row| row.price_id = price_id);
    }

    fn set_quantity(&mut self, at: At, sub: usize, quantity: i32) {
        let before = std::mem::replace(&mut self.subs[sub].quantity, quantity);
        self.update_sub(at, sub, |row| row.quantity = quantity);
        self.tell(at, sub, "quantity_changed");
        if quantity > before {
            self.invite(at, sub, before as usize, quantity as usize);
        } else {
            self.deactivate(at, self.seats());
        }
    }

    pub(super) fn change(&mut self, at: At, sub: usize, change: Change) {
        let s = &self.subs[sub];
        let settled = s.failing == 0 && s.requested.is_none() && s.ended.is_none();
        let room = s.period.1.since(at) > 2 * DAY && at > s.period.0;
        let waiting = s.pending_plan.is_some() || s.pending_quantity.is_some();
        if !settled || !room || waiting || s.paused || s.pending_pause.is_some() {
            return;
        }
        match change {
            Change::SeatUp => self.add_seats(at, sub),
            Change::SeatDown if s.quantity > 1 => {
                self.subs[sub].pending_quantity = Some(s.quantity - 1)
            }
            Change::SeatDown => {}
            Change::Upgrade => self.upgrade(at, sub),
            Change::Downgrade => self.downgrade(at, sub),
            Change::Pause if s.annual => {}
            Change::Pause => {
                let months = self.dice.whole(1, PAUSE_MONTHS + 1) as u32;
                self.subs[sub].pending_pause = Some(months);
            }
        }
    }

    fn add_seats(&mut self, at: At, sub: usize) {
        let before = self.subs[sub].quantity;
        let most = PLANS[self.subs[sub].plan].max_users.unwrap_or(i32::MAX);
        let after = (before + 1 + self.dice.poisson(0.4) as i32).min(most);
        if after == before {
            return;
        }
        self.set_quantity(at, sub, after);
        let line = self.prorated(at, sub, after - before, 1);
        self.bill_change(at, sub, vec![line]);
    }

    fn upgrade(&mut self, at: At, sub: usize) {
        let s = &self.subs[sub];
        let (plan, quantity) = (s.plan + 1, s.quantity);
        if plan >= PLANS.len() {
            return;
        }
        let unused = self.prorated(at, sub, quantity, -1);
        self.subs[sub].tier = draw_tier(&mut self.dice);
        self.switch_plan(at, sub, plan);
        self.tell(at, sub, "upgraded");
        let rest = self.prorated(at, sub, quantity, 1);
        self.bill_change(at, sub, vec![unused, rest]);
        self.may_switch_again(at, sub);
    }

    /// Monthly plans step down with the period; annual ones at once, for credit.
    fn downgrade(&mut self, at: At, sub: usize) {
        let s = &self.subs[sub];
        let Some(plan) = s.plan.checked_sub(1) else {
            return;
        };
        if s.quantity > PLANS[plan].max_users.unwrap_or(i32::MAX) {
            return;
        }
        if !s.annual {
            self.subs[sub].pending_plan = Some(plan);
            return;
        }
        let paid = s
            .period_bill
            .filter(|b| self.logs.invoices.row(*b).paid_at.is_some());
        let Some(bill) = paid else { return };
        let quantity = s.quantity;
        let unused = self.prorated(at, sub, quantity, -1);
        self.switch_plan(at, sub, plan);
        self.tell(at, sub, "downgraded");
        let rest = self.prorated(at, sub, quantity, 1);
        let back: i64 = [unused, rest]
            .iter()
            .map(|d| self.priced(sub, d).net())
            .sum();
        let most = self.logs.invoices.row(bill).amount_paid;
        self.give_credit(at, bill, (-back).min(most), "downgrade");
    }

    /// A line for the rest of the period at the present price.
    fn prorated(&self, at: At, sub: usize, quantity: i32, sign: i64) -> Draft {
        let (start, end) = self.subs[sub].period;
        let full = i128::from(self.unit(sub)) * i128::from(quantity);
        let (left, whole) = (i128::from(end.since(at)), i128::from(end.since(start)));
        // Half up, exactly: an annual enterprise amount times seconds is beyond 64 bits.
        let amount = (2 * full * left + whole) / (2 * whole);
        Draft {
            price_id: self.price_id(sub),
            quantity,
            amount: sign * amount as i64,
            period: (at, end),
            is_proration: true,
        }
    }
}
