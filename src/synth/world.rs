//! What all customers share: prices, planted incidents, and the instants of signups.

use std::sync::Arc;

use super::config::Config;
use super::params::{
    AUTHENTICATION, BAD_DEPLOY, BILLING_MISTAKE, EXPIRED, GATEWAY_FAILURE, JANUARY_EXPIRY, OUTAGE,
    PLANS, PRICE_FACTORS, PRODUCT_OUTAGE, SIGNUP_DISPERSION, SIGNUP_GROWTH, SIGNUP_MONTH,
    SIGNUP_WEEKDAY, TECHNICAL,
};
use super::random::{Dice, Stream};
use super::rows::{PlanRow, PriceRow};
use super::time::{At, DAY, weekday};

/// A list price.
#[derive(Clone, Debug)]
pub struct Price {
    /// Its id, for example `growth_eur_month`.
    pub id: Arc<str>,
    /// Place of its plan.
    pub plan: usize,
    /// Place among the plan's list prices.
    pub tier: usize,
    /// ISO 4217.
    pub currency: &'static str,
    /// Billed by the year.
    pub annual: bool,
    /// One seat for one period, in minor units.
    pub unit: i64,
}

/// What all customers share.
#[derive(Debug)]
pub struct World {
    /// The settings.
    pub config: Config,
    prices: Vec<Price>,
    /// Planted incidents, those that are still to come included.
    pub incidents: Incidents,
}

/// When each planted incident begins and ends; the expiry wave comes every January.
#[derive(Clone, Copy, Debug)]
#[allow(
    missing_docs,
    reason = "each field is the incident of its name, see `params`"
)]
pub struct Incidents {
    pub outage: (At, At),
    pub bad_deploy: (At, At),
    pub gateway_failure: (At, At),
    pub product_outage: (At, At),
    pub billing_mistake: (At, At),
}

impl Incidents {
    fn of(config: &Config) -> Self {
        let span = config.end().since(config.start) as f64;
        let planted = |share: f64, days: i64| {
            let from = At(config.start.0 + (span * share) as i64 / DAY * DAY);
            (from, from.plus(days * DAY))
        };
        let (from, to) = planted(PRODUCT_OUTAGE.0, PRODUCT_OUTAGE.1);
        // On a weekend nobody would notice.
        let to_wednesday = (2 - weekday(from.day()) as i64).rem_euclid(7) * DAY;
        Self {
            outage: planted(OUTAGE.0, OUTAGE.1),
            bad_deploy: planted(BAD_DEPLOY.0, BAD_DEPLOY.1),
            gateway_failure: planted(GATEWAY_FAILURE.0, GATEWAY_FAILURE.1),
            product_outage: (from.plus(to_wednesday), to.plus(to_wednesday)),
            billing_mistake: planted(BILLING_MISTAKE.0, BILLING_MISTAKE.1),
        }
    }
}

fn within(at: At, (from, to): (At, At)) -> bool {
    at >= from && at < to
}

impl World {
    /// The world of a config.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            prices: price_list(),
            incidents: Incidents::of(&config),
        }
    }

    /// The price of a plan. `tier` is cut to what the plan has.
    pub fn price(&self, plan: usize, tier: usize, currency: &str, annual: bool) -> &Price {
        let tier = tier.min(PLANS[plan].units.len() - 1);
        self.prices
            .iter()
            .find(|p| {
                p.plan == plan && p.tier == tier && p.currency == currency && p.annual == annual
            })
            .expect("the price list holds every plan in every currency")
    }

    /// How planted incidents multiply the card failures of one reason at an instant.
    pub fn incident_factor(&self, reason: usize, plan: usize, at: At) -> f64 {
        let planted = &self.incidents;
        match reason {
            TECHNICAL if within(at, planted.outage) => OUTAGE.2,
            TECHNICAL if within(at, planted.gateway_failure) => GATEWAY_FAILURE.2,
            AUTHENTICATION if plan == BAD_DEPLOY.3 && within(at, planted.bad_deploy) => {
                BAD_DEPLOY.2
            }
            EXPIRED if at.civil().1 == 1 => JANUARY_EXPIRY,
            _ => 1.0,
        }
    }

    /// The share of an instant's payments that were a mistake of ours and are given back.
    pub fn mistaken_share(&self, at: At) -> f64 {
        if within(at, self.incidents.billing_mistake) {
            BILLING_MISTAKE.2
        } else {
            0.0
        }
    }

    /// The factor on every user's chance to be active on a day.
    pub fn use_factor(&self, day: i64) -> f64 {
        if within(At(day * DAY), self.incidents.product_outage) {
            PRODUCT_OUTAGE.2
        } else {
            1.0
        }
    }

    /// The rows of `plans`.
    pub fn plan_rows(&self) -> impl Iterator<Item = PlanRow> {
        let updated_at = self.config.start;
        PLANS.iter().zip(1..).map(move |(plan, tier_rank)| PlanRow {
            plan_id: plan.id,
            name: plan.name,
            tier_rank,
            max_users: plan.max_users,
            updated_at,
        })
    }

    /// The rows of `prices`.
    pub fn price_rows(&self) -> impl Iterator<Item = PriceRow> {
        let start = self.config.start;
        self.prices.iter().map(move |price| PriceRow {
            price_id: price.id.clone(),
            plan_id: PLANS[price.plan].id,
            currency: price.currency,
            interval: if price.annual { "year" } else { "month" },
            interval_count: 1,
            unit_minor: price.unit,
            valid_from: start,
            valid_to: None,
            updated_at: start,
        })
    }

    /// When customers sign up, in order, up to an instant. The first `n` are the same for every
    /// later instant, so a customer's number is its place here.
    pub fn signups(&self, until: At) -> Vec<At> {
        let config = &self.config;
        let days = config.end().since(config.start) / DAY;
        let weights: Vec<f64> = (0..days).map(|day| self.signup_weight(day)).collect();
        let total: f64 = weights.iter().sum();
        let mut out = planned(config, &weights, total);
        let per_weight = f64::from(config.customers) / total;
        let last_day = until.since(config.start).div_euclid(DAY);
        for day in days..=last_day {
            out.extend(self.unplanned(day, per_weight));
        }
        out.truncate(out.partition_point(|at| *at <= until));
        out
    }

    /// Signups of a day after the planned months.
    fn unplanned(&self, day: i64, per_weight: f64) -> Vec<At> {
        let mean = self.signup_weight(day) * per_weight;
        let mut dice = Dice::new(self.config.seed, Stream::Day, day as u64, 1);
        let start = self.config.start.plus(day * DAY);
        let mut out: Vec<At> = (0..dice.poisson(mean))
            .map(|_| start.plus(busy_second(dice.unit())))
            .collect();
        out.sort_unstable();
        out
    }

    /// How many signups each day is expected to bring, from the start to the day of an instant.
    pub fn expected_signups(&self, until: At) -> Vec<f64> {
        let config = &self.config;
        let planned = config.end().since(config.start) / DAY;
        let total: f64 = (0..planned).map(|day| self.signup_weight(day)).sum();
        let per_weight = f64::from(config.customers) / total;
        let days = until.since(config.start) / DAY;
        (0..=days)
            .map(|day| self.signup_weight(day) * per_weight)
            .collect()
    }

    fn signup_weight(&self, day: i64) -> f64 {
        let at = self.config.start.plus(day * DAY);
        let months = day as f64 / 30.4375;
        let (first, last, fade) = SIGNUP_GROWTH;
        let growth = last * months + (first - last) * fade * (1.0 - (-months / fade).exp());
        let mut dice = Dice::new(self.config.seed, Stream::Day, day as u64, 0);
        growth.exp()
            * SIGNUP_WEEKDAY[weekday(at.day())]
            * SIGNUP_MONTH[at.civil().1 as usize - 1]
            * dice.gamma_around_one(SIGNUP_DISPERSION)
    }
}

/// The planned signups: as many as asked for, spread over the days by weight. Given their sum,
/// Poisson counts are multinomial, so this is the same as drawing each day's count.
fn planned(config: &Config, weights: &[f64], total: f64) -> Vec<At> {
    let mut dice = Dice::new(config.seed, Stream::Signups, 0, 0);
    let mut marks: Vec<f64> = (0..config.customers).map(|_| dice.unit() * total).collect();
    marks.sort_unstable_by(f64::total_cmp);
    let (mut day, mut before) = (0, 0.0);
    marks
        .into_iter()
        .map(|mark| {
            while day + 1 < weights.len() && mark >= before + weights[day] {
                before += weights[day];
                day += 1;
            }
            let share = ((mark - before) / weights[day]).clamp(0.0, 0.999_999);
            config.start.plus(day as i64 * DAY + busy_second(share))
        })
        .collect()
}

/// A second of the day for a share of the day's signups: few at night, most in office hours.
fn busy_second(share: f64) -> i64 {
    let hour = if share < 0.12 {
        share / 0.12 * 6.0
    } else if share < 0.88 {
        6.0 + (share - 0.12) / 0.76 * 14.0
    } else {
        20.0 + (share - 0.88) / 0.12 * 4.0
    };
    ((hour * 3_600.0) as i64).min(DAY - 1)
}

fn price_list() -> Vec<Price> {
    let mut out = Vec::new();
    for (plan, terms) in PLANS.iter().enumerate() {
        for (tier, cents) in terms.units.iter().enumerate() {
            for &(currency, factor) in PRICE_FACTORS {
                for annual in [false, true] {
                    out.push(price(plan, tier, *cents, (currency, factor), annual));
                }
            }
        }
    }
    out
}

fn price(plan: usize, tier: usize, cents: i64, local: (&'static str, f64), annual: bool) -> Price {
    let (currency, factor) = local;
    let month = (cents as f64 * factor / 100.0).round() as i64 * 100;
    let bargained = if PLANS[plan].units.len() > 1 {
        format!("_{}", cents / 100)
    } else {
        String::new()
    };
    let interval = if annual { "year" } else { "month" };
    Price {
        id: format!(
            "{}{bargained}_{}_{interval}",
            PLANS[plan].id,
            currency.to_lowercase()
        )
        .into(),
        plan,
        tier,
        currency,
        annual,
        // Two months are free on annual plans.
        unit: if annual { month * 10 } else { month },
    }
}
