//! The answers: planted effects, incidents, and what both amount to in a very large company.
//!
//! Rows for the schema `truth`. Nothing here is drawn: it is read off [`super::params`], and
//! [`POPULATION`] is what the simulation itself showed once, on 80,000 customers.

use std::sync::Arc;

use super::params::{
    BAD_DEPLOY, BANK_REASONS, BILLING_MISTAKE, CANCEL_IF_UNRECOVERED, CARD_REASONS, CHANNELS,
    DECLINE, DISCOUNT_END_EFFECT, FAILURE_EFFECT, FAILURE_SCALE, GATEWAY_FAILURE, JANUARY_EXPIRY,
    Method, OUTAGE, PLANS, PRODUCT_OUTAGE, REFUNDS, Reason, TRIAL_CARD,
};
use super::rows::{EffectRow, IncidentRow, PopulationRow};
use super::time::At;
use super::world::World;

/// The unit of a factor on the chance of something in a month.
const RATIO: &str = "hazard_ratio";
/// The unit of a chance.
const CHANCE: &str = "probability";

/// The planted effects.
pub fn effects(known_at: At) -> Vec<EffectRow> {
    let mut out = Vec::new();
    let mut add = |effect, segment: &str, unit, value, lasts: Option<i64>, meaning| {
        out.push(EffectRow {
            effect_id: format!("{effect}:{segment}").into(),
            effect,
            segment: segment.into(),
            unit,
            value,
            lasts_days: lasts.map(|days| days as i32),
            meaning,
            updated_at: known_at,
        });
    };
    let (value, days) = FAILURE_EFFECT;
    let meaning = "after a failed payment a customer is likelier to ask to cancel";
    add(
        "cancel_after_failure",
        "all",
        RATIO,
        value,
        Some(days),
        meaning,
    );
    let (value, days) = DISCOUNT_END_EFFECT;
    let meaning = "after its discount ended a customer is likelier to ask to cancel";
    add(
        "cancel_after_discount_end",
        "all",
        RATIO,
        value,
        Some(days),
        meaning,
    );
    for (channel, _, value, _) in CHANNELS {
        let meaning = "customers of a channel ask to cancel more or less often";
        add("cancel_by_channel", channel, RATIO, *value, None, meaning);
    }
    for method in Method::ALL {
        let meaning = "mean chance that a first attempt fails, before incidents";
        let value = method.failure().0 * FAILURE_SCALE;
        add("first_failure", method.word(), CHANCE, value, None, meaning);
    }
    for (rail, reason) in reasons() {
        let segment = format!("{rail}/{}", reason.name);
        let meaning = "a first attempt that fails, fails for this reason";
        add(
            "failure_reason",
            &segment,
            CHANCE,
            reason.share,
            None,
            meaning,
        );
        let meaning = "the first retry succeeds";
        add(
            "retry_success",
            &segment,
            CHANCE,
            reason.retry,
            None,
            meaning,
        );
        let meaning = "the customer sees to it itself, if it has not been paid before";
        add("customer_fix", &segment, CHANCE, reason.fix, None, meaning);
    }
    let (monthly, annual) = CANCEL_IF_UNRECOVERED;
    for (interval, value) in [("month", monthly), ("year", annual)] {
        let meaning = "an unrecovered invoice ends its subscription";
        add(
            "cancel_if_unrecovered",
            interval,
            CHANCE,
            value,
            None,
            meaning,
        );
    }
    let meaning = "use falls in the weeks before a customer asks to cancel";
    add(
        "use_falls_before_cancel",
        "all",
        CHANCE,
        DECLINE.0,
        None,
        meaning,
    );
    let meaning = "a payment is given back";
    add("refund", "all", CHANCE, REFUNDS.0, None, meaning);
    let (_, bare, card) = TRIAL_CARD;
    for (segment, value) in [("without_card", bare), ("with_card", card)] {
        let meaning = "a trial becomes a paid subscription";
        add("trial_conversion", segment, CHANCE, value, None, meaning);
    }
    out
}

fn reasons() -> impl Iterator<Item = (&'static str, &'static Reason)> {
    let cards = CARD_REASONS.iter().map(|reason| ("card", reason));
    cards.chain(BANK_REASONS.iter().map(|reason| ("bank", reason)))
}

/// The planted incidents of the planned months.
pub fn incidents(world: &World) -> Vec<IncidentRow> {
    let planted = &world.incidents;
    let known_at = world.config.start;
    let row =
        |kind, (metric, cut_value), (starts_at, ends_at): (At, At), factor, meaning| IncidentRow {
            incident_id: format!("{kind}:{}", &starts_at.to_string()[..10]).into(),
            kind,
            metric,
            cut_value,
            starts_at,
            ends_at,
            factor,
            meaning,
            updated_at: known_at,
        };
    let technical = ("first_failures", "technical");
    let mut out = vec![
        row(
            "issuer_outage",
            technical,
            planted.outage,
            OUTAGE.2,
            "card issuers do not answer",
        ),
        row(
            "gateway_failure",
            technical,
            planted.gateway_failure,
            GATEWAY_FAILURE.2,
            "our gateway fails almost half of all card payments",
        ),
        row(
            "bad_deploy",
            ("first_failures_by_plan", "growth / authentication"),
            planted.bad_deploy,
            BAD_DEPLOY.2,
            "a release breaks strong authentication on one plan",
        ),
        row(
            "product_outage",
            ("active_users", "ALL"),
            planted.product_outage,
            PRODUCT_OUTAGE.2,
            "the product is down for a day",
        ),
        row(
            "billing_mistake",
            ("refunds", "ALL"),
            planted.billing_mistake,
            1.0 + BILLING_MISTAKE.2 / REFUNDS.0,
            "wrong amounts are charged and given back within days",
        ),
    ];
    debug_assert_eq!(PLANS[BAD_DEPLOY.3].id, "growth");
    let mut january = world.config.start;
    while january < world.config.end() {
        if january.civil().1 == 1 {
            out.push(row(
                "january_expiry",
                ("first_failures", "credential"),
                (january, january.plus_months(1)),
                JANUARY_EXPIRY,
                "many cards end with the year",
            ));
        }
        january = january.plus_months(1);
    }
    out
}

/// A figure of a very large company: what it is, of whom, after how many days, and its value.
pub type Figure = (&'static str, &'static str, i32, f64);

/// What the planted numbers amount to.
pub const POPULATION: &[Figure] = &[
    ("survival", "all/ALL", 31, 0.94554),
    ("survival", "all/ALL", 92, 0.86276),
    ("survival", "all/ALL", 183, 0.77111),
    ("survival", "all/ALL", 366, 0.58293),
    ("survival", "all/ALL", 457, 0.53750),
    ("survival", "all/ALL", 548, 0.49717),
    ("survival", "channel/organic", 31, 0.94700),
    ("survival", "channel/organic", 92, 0.86633),
    ("survival", "channel/organic", 183, 0.77496),
    ("survival", "channel/organic", 366, 0.59360),
    ("survival", "channel/organic", 457, 0.54933),
    ("survival", "channel/organic", 548, 0.51103),
    ("survival", "channel/outbound", 31, 0.95048),
    ("survival", "channel/outbound", 92, 0.87142),
    ("survival", "channel/outbound", 183, 0.78433),
    ("survival", "channel/outbound", 366, 0.58973),
    ("survival", "channel/outbound", 457, 0.54454),
    ("survival", "channel/outbound", 548, 0.49685),
    ("survival", "channel/paid", 31, 0.93746),
    ("survival", "channel/paid", 92, 0.84507),
    ("survival", "channel/paid", 183, 0.74489),
    ("survival", "channel/paid", 366, 0.53315),
    ("survival", "channel/paid", 457, 0.48571),
    ("survival", "channel/paid", 548, 0.44254),
    ("survival", "channel/partner", 31, 0.94320),
    ("survival", "channel/partner", 92, 0.85769),
    ("survival", "channel/partner", 183, 0.77144),
    ("survival", "channel/partner", 366, 0.58298),
    ("survival", "channel/partner", 457, 0.53817),
    ("survival", "channel/partner", 548, 0.49847),
    ("survival", "channel/referral", 31, 0.95624),
    ("survival", "channel/referral", 92, 0.88857),
    ("survival", "channel/referral", 183, 0.80736),
    ("survival", "channel/referral", 366, 0.65374),
    ("survival", "channel/referral", 457, 0.60953),
    ("survival", "channel/referral", 548, 0.56777),
    ("survival", "channel/social", 31, 0.94780),
    ("survival", "channel/social", 92, 0.86124),
    ("survival", "channel/social", 183, 0.76865),
    ("survival", "channel/social", 366, 0.57637),
    ("survival", "channel/social", 457, 0.52817),
    ("survival", "channel/social", 548, 0.50171),
    ("survival", "interval/month", 31, 0.93131),
    ("survival", "interval/month", 92, 0.82029),
    ("survival", "interval/month", 183, 0.69742),
    ("survival", "interval/month", 366, 0.51836),
    ("survival", "interval/month", 457, 0.46088),
    ("survival", "interval/month", 548, 0.40692),
    ("survival", "interval/year", 31, 0.98673),
    ("survival", "interval/year", 92, 0.98554),
    ("survival", "interval/year", 183, 0.98342),
    ("survival", "interval/year", 366, 0.76848),
    ("survival", "interval/year", 457, 0.75800),
    ("survival", "interval/year", 548, 0.75648),
    ("survival", "plan/business", 31, 0.97477),
    ("survival", "plan/business", 92, 0.94229),
    ("survival", "plan/business", 183, 0.90252),
    ("survival", "plan/business", 366, 0.74877),
    ("survival", "plan/business", 457, 0.71982),
    ("survival", "plan/business", 548, 0.68926),
    ("survival", "plan/enterprise", 31, 0.98335),
    ("survival", "plan/enterprise", 92, 0.97390),
    ("survival", "plan/enterprise", 183, 0.96612),
    ("survival", "plan/enterprise", 366, 0.80820),
    ("survival", "plan/enterprise", 457, 0.79717),
    ("survival", "plan/enterprise", 548, 0.78743),
    ("survival", "plan/growth", 31, 0.95773),
    ("survival", "plan/growth", 92, 0.89229),
    ("survival", "plan/growth", 183, 0.81164),
    ("survival", "plan/growth", 366, 0.63489),
    ("survival", "plan/growth", 457, 0.58878),
    ("survival", "plan/growth", 548, 0.55107),
    ("survival", "plan/starter", 31, 0.93151),
    ("survival", "plan/starter", 92, 0.82642),
    ("survival", "plan/starter", 183, 0.71552),
    ("survival", "plan/starter", 366, 0.51312),
    ("survival", "plan/starter", 457, 0.46383),
    ("survival", "plan/starter", 548, 0.41894),
    ("relative_risk", "voluntary", 30, 1.60349),
    ("relative_risk", "voluntary", 60, 1.33430),
    ("relative_risk", "voluntary", 90, 1.20705),
    ("relative_risk", "total", 30, 10.77952),
    ("relative_risk", "total", 60, 4.79435),
    ("relative_risk", "total", 90, 3.33376),
];

/// The rows of `population`.
pub fn population(known_at: At) -> Vec<PopulationRow> {
    let row = |(figure, segment, at_days, value): &Figure| {
        let figure_id: Arc<str> = format!("{figure}:{segment}:{at_days}").into();
        PopulationRow {
            figure_id,
            figure,
            segment,
            at_days: *at_days,
            value: *value,
            updated_at: known_at,
        }
    };
    POPULATION.iter().map(row).collect()
}
