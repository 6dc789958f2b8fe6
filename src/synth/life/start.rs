//! How it begins: signup, users, trial, the first paid period, and coming back.

use crate::synth::id::Id;
use crate::synth::params::{
    CHANNELS, Method, PLANS, PROMOTION_SHARE, PROMOTIONS, TRIAL_ACTIVATED, TRIAL_CARD, TRIAL_DAYS,
    TRIAL_SHARE,
};
use crate::synth::profile::{company, user_habits};
use crate::synth::random::{Dice, Stream};
use crate::synth::rows::{
    CustomerRow, CustomerTraitRow, DiscountRow, MethodRow, SubscriptionRow, SubscriptionTraitRow,
    UserRow,
};
use crate::synth::time::{At, DAY};
use crate::synth::vocab;

use super::merge::Terms;
use super::{Discount, Event, Life, Sub, UserSpan};

impl Life<'_> {
    pub(super) fn sign_up(&mut self, at: At) {
        self.add_customer(at);
        if self.dice.chance(TRIAL_SHARE) {
            self.start_trial(at);
        } else {
            self.begin_or_wait(at);
        }
        self.add_traits(at);
    }

    fn add_customer(&mut self, at: At) {
        let who = &self.who;
        let (name, industry, size) = company(self.world.config.seed, who.number, who.plan);
        let (channel, _, _, campaigns) = CHANNELS[who.channel];
        let campaign = (!campaigns.is_empty()).then(|| self.dice.any(campaigns));
        self.logs.customers.add(CustomerRow {
            customer_id: self.customer_id(),
            company_name: name.into(),
            industry,
            company_size: size,
            country: self.who.country.code,
            currency: self.currency,
            timezone: self.who.country.timezone,
            channel,
            campaign,
            signup_at: at,
            is_test: self.who.is_test,
            updated_at: at,
            deleted_at: None,
        });
    }

    /// What tests may know of the customer.
    fn add_traits(&mut self, at: At) {
        self.logs.customer_traits.add(CustomerTraitRow {
            customer_id: self.customer_id(),
            first_failure_chance: self.who.failure,
            channel_factor: CHANNELS[self.who.channel].2,
            trial_came_alive: self.footprint.trial.map(|trial| trial.2),
            created_at: at,
        });
    }

    fn start_trial(&mut self, at: At) {
        let end = at.plus(TRIAL_DAYS * DAY);
        if self.dice.chance(TRIAL_CARD.0) {
            self.attach_method(at, self.who.method);
        }
        let alive = self.dice.chance(TRIAL_ACTIVATED.0);
        self.footprint.trial = Some((at, end, alive));
        let sub = self.subscribe(at, at, Some(end));
        self.join(at, sub, 0);
        self.tell(at, sub, "trial_started");
        self.plan(end, Event::TrialEnd { sub });
    }

    /// Makes a subscription, in trial or about to be activated.
    pub(super) fn subscribe(&mut self, at: At, began: At, trial_end: Option<At>) -> usize {
        if trial_end.is_none() {
            self.attach_method(at, self.who.method);
        }
        let terms = Terms {
            plan: self.who.plan,
            tier: self.who.tier,
            annual: self.who.annual,
            quantity: self.who.seats,
        };
        let sub = self.open(at, began, trial_end, terms);
        // The team joins over the first weeks; a trial is tried by its owner and one colleague.
        let seats = if trial_end.is_some() {
            self.who.seats.min(2)
        } else {
            self.who.seats
        };
        self.invite(at, sub, 1, seats as usize);
        sub
    }

    /// The rows of a subscription, with the payment method that there is.
    pub(super) fn open(&mut self, at: At, began: At, trial_end: Option<At>, terms: Terms) -> usize {
        let (a, b) = PLANS[terms.plan].hazard;
        let sub = self.subs.len();
        let end = trial_end.unwrap_or_else(|| began.plus_months(if terms.annual { 12 } else { 1 }));
        self.subs.push(Sub {
            plan: terms.plan,
            tier: terms.tier,
            annual: terms.annual,
            quantity: terms.quantity,
            pending_quantity: None,
            pending_plan: None,
            pending_pause: None,
            paused: false,
            discount: None,
            discount_ended: None,
            activated: None,
            months: 0,
            periods: 0,
            period: (began, end),
            requested: None,
            ended: None,
            failing: 0,
            hazard: self.dice.beta_shapes(a, b),
            period_bill: None,
        });
        self.logs.subscription_traits.add(SubscriptionTraitRow {
            subscription_id: self.sub_id(sub),
            customer_id: self.customer_id(),
            monthly_cancel_chance: self.subs[sub].hazard,
            created_at: at,
        });
        self.logs.subscriptions.add(SubscriptionRow {
            subscription_id: self.sub_id(sub),
            customer_id: self.customer_id(),
            status: if trial_end.is_some() {
                "trialing"
            } else {
                "active"
            },
            price_id: self.price_id(sub),
            quantity: terms.quantity,
            currency: self.currency,
            started_at: began,
            trial_start: trial_end.map(|_| at),
            trial_end,
            activated_at: None,
            period_start: began,
            period_end: end,
            cancel_requested_at: None,
            cancel_at_period_end: false,
            ended_at: None,
            end_reason: None,
            payment_method_id: self.method.map(|m| self.id("pm", m)),
            updated_at: at,
        });
        sub
    }

    /// Lets users of seats `from..to` join within three weeks.
    pub(super) fn invite(&mut self, at: At, sub: usize, from: usize, to: usize) {
        for seat in from..to {
            let days = self.dice.between(0.01, 21.0);
            self.plan(at.plus_days(days), Event::Join { sub, seat });
        }
    }

    /// A user takes a seat. Users keep their seat's number when the customer comes back.
    pub(super) fn join(&mut self, at: At, sub: usize, seat: usize) {
        let user = seat as u32 + 1;
        let living = self.subs.iter().filter(|s| s.ended.is_none());
        let full = seat as i32 >= living.map(|s| s.quantity).sum();
        if !self.lives(sub) || full || self.active.iter().any(|(u, _)| *u == user) {
            return;
        }
        if let Some(place) = self.user_place(user) {
            self.logs
                .users
                .update(place, at, |row| row.deactivated_at = None);
        } else {
            let mut dice = Dice::new(
                self.world.config.seed,
                Stream::Usage,
                self.who.number.into(),
                user.into(),
            );
            let (platform, _) = user_habits(&mut dice, seat == 0);
            let role = match seat {
                0 => "owner",
                n if n % 5 == 1 => "admin",
                _ => "member",
            };
            self.logs.users.add(UserRow {
                user_id: Id::nth("us", self.who.number, user),
                customer_id: self.customer_id(),
                role,
                platform,
                created_at: at,
                deactivated_at: None,
                updated_at: at,
            });
            self.user_rows.push(user);
        }
        self.active.push((user, self.footprint.spans.len()));
        self.footprint.spans.push(UserSpan {
            user,
            from: at,
            to: None,
        });
    }

    pub(super) fn user_place(&self, user: u32) -> Option<usize> {
        self.user_rows.iter().position(|u| *u == user)
    }

    /// Takes seats from the last users until `keep` are left.
    pub(super) fn deactivate(&mut self, at: At, keep: usize) {
        let mut kept = Vec::new();
        for (user, span) in std::mem::take(&mut self.active) {
            if (user as usize) <= keep {
                kept.push((user, span));
                continue;
            }
            self.footprint.spans[span].to = Some(at);
            if let Some(place) = self.user_place(user) {
                self.logs
                    .users
                    .update(place, at, |row| row.deactivated_at = Some(at));
            }
        }
        self.active = kept;
    }

    pub(super) fn end_trial(&mut self, at: At, sub: usize) {
        let (_, with_card, bare) = (TRIAL_CARD.0, TRIAL_CARD.2, TRIAL_CARD.1);
        let mean = if self.method.is_some() {
            with_card
        } else {
            bare
        };
        let alive = self.footprint.trial.is_some_and(|t| t.2);
        if self.dice.chance(conversion(mean, alive)) {
            if self.method.is_none() {
                self.attach_method(at, self.who.method);
            }
            self.activate(at, at, sub);
        } else {
            let reason = if self.method.is_some() {
                "trial_canceled"
            } else {
                "trial_expired"
            };
            self.end(at, sub, reason);
        }
    }

    /// The first paid period begins, or one that began earlier is entered.
    pub(super) fn activate(&mut self, at: At, began: At, sub: usize) {
        let was_trial = self.logs.subscriptions.row(sub).trial_end.is_some();
        let end = began.plus_months(if self.subs[sub].annual { 12 } else { 1 });
        let method = self.method.map(|m| self.id("pm", m));
        self.subs[sub].activated = Some(began);
        self.subs[sub].period = (began, end);
        self.update_sub(at, sub, |row| {
            row.status = "active";
            row.activated_at = Some(began);
            row.period_start = began;
            row.period_end = end;
            row.payment_method_id = method;
        });
        self.tell_of(
            at,
            began,
            sub,
            if was_trial {
                "trial_converted"
            } else {
                "started"
            },
        );
        if sub == 0 && self.dice.chance(PROMOTION_SHARE) {
            self.give_discount(at, began, sub);
        }
        if was_trial {
            self.invite(at, sub, 1, self.who.seats as usize);
        }
        self.bill_period(at, sub, "subscription_create");
        self.plan(end, Event::PeriodEnd { sub });
        self.begin_month(at, sub);
    }

    fn give_discount(&mut self, at: At, began: At, sub: usize) {
        let weights: Vec<f64> = PROMOTIONS.iter().map(|p| p.1).collect();
        let drawn = PROMOTIONS[self.dice.pick(&weights)];
        let (promo_code, _, percent, months, duration) = self.promotion(sub, drawn);
        let id = self.id("di", self.logs.discounts.len());
        let end = months.map(|n| began.plus_months(n));
        self.subs[sub].discount = Some(Discount {
            id,
            percent: percent.into(),
            end,
        });
        self.logs.discounts.add(DiscountRow {
            discount_id: id,
            subscription_id: self.sub_id(sub),
            customer_id: self.customer_id(),
            promo_code,
            percent_off: Some(percent),
            amount_off: None,
            currency: self.currency,
            duration,
            start_at: began,
            end_at: end,
            created_at: at,
        });
        self.tell_of(at, began, sub, "discount_applied");
    }

    /// A new payment method takes the place of the present one.
    pub(super) fn attach_method(&mut self, at: At, method: Method) {
        if let Some(old) = self.method {
            self.logs
                .methods
                .update(old, at, |row| row.detached_at = Some(at));
        }
        let brand = match method {
            Method::Credit => {
                Some(["visa", "mastercard", "amex"][self.dice.pick(&[0.5, 0.33, 0.17])])
            }
            Method::Debit => Some(["visa", "mastercard"][self.dice.pick(&[0.6, 0.4])]),
            Method::Wallet => Some(["apple_pay", "google_pay"][self.dice.pick(&[0.65, 0.35])]),
            _ => None,
        };
        let expiry = method
            .is_card()
            .then(|| at.plus_months(self.dice.whole(6, 48) as u32).civil());
        let place = self.logs.methods.add(MethodRow {
            payment_method_id: self.id("pm", self.logs.methods.len()),
            customer_id: self.customer_id(),
            kind: method.word(),
            brand,
            issuer_country: self.who.country.code,
            exp_month: expiry.map(|e| e.1 as i32),
            exp_year: expiry.map(|e| e.0),
            attached_at: at,
            detached_at: None,
            updated_by: vocab::UPDATED_BY[0],
            updated_at: at,
        });
        self.method = Some(place);
    }

    /// A customer who left subscribes anew.
    pub(super) fn come_back(&mut self, at: At) {
        if self.forgotten || self.subs.iter().any(|s| s.ended.is_none()) {
            return;
        }
        self.may_switch_currency(at);
        self.enter(at, at);
    }
}

/// The chance to convert of a trial that came alive or did not, so that both together convert at
/// `mean` and the odds of one are the given multiple of the other's.
fn conversion(mean: f64, alive: bool) -> f64 {
    let (share, ratio) = TRIAL_ACTIVATED;
    let (mut low, mut high) = (0.0, mean);
    for _ in 0..40 {
        let p = (low + high) / 2.0;
        if share * raised(p, ratio) + (1.0 - share) * p < mean {
            low = p;
        } else {
            high = p;
        }
    }
    if alive { raised(low, ratio) } else { low }
}

fn raised(p: f64, odds_ratio: f64) -> f64 {
    let odds = p / (1.0 - p) * odds_ratio;
    odds / (1.0 + odds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_convert_at_the_mean_and_three_times_the_odds() {
        let (bare, alive) = (conversion(0.19, false), conversion(0.19, true));
        assert!((0.65 * bare + 0.35 * alive - 0.19).abs() < 1e-9);
        assert!((alive / (1.0 - alive) / (bare / (1.0 - bare)) - 3.0).abs() < 1e-6);
    }
}
