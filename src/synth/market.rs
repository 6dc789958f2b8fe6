//! What the company spends and what currencies are worth: rows that belong to no customer.

use super::params::{
    CHANNEL_CAC, CHANNELS, COST_SHARES, FX, GROSS_MARGIN, PAYING_SHARE, PRICE_FACTORS, SPEND_SIGMA,
};
use super::random::{Dice, Stream};
use super::rows::{CostRow, RateRow, SpendRow};
use super::time::{At, DAY, HOUR};
use super::vocab::COST_CATEGORIES;
use super::world::World;

/// Parts of the market's streams, beside those of the channels.
const COSTS: u64 = 100;
const RATES: u64 = 101;

fn date(at: At) -> String {
    at.to_string()[..10].to_owned()
}

/// What was spent on each channel, day by day, as the advertisers tell the next morning.
pub fn spend(world: &World, until: At) -> Vec<SpendRow> {
    let (start, seed) = (world.config.start, world.config.seed);
    let mut out = Vec::new();
    for (day, signups) in (0..).zip(world.expected_signups(until)) {
        let spent_on = start.plus(day * DAY);
        let updated_at = spent_on.plus(DAY + 6 * HOUR);
        for (place, (channel, share, ..)) in CHANNELS.iter().enumerate() {
            let mut dice = Dice::new(seed, Stream::Market, day as u64, place as u64);
            let customers = signups * share * PAYING_SHARE;
            let amount = dice.log_normal(CHANNEL_CAC[place] * customers, SPEND_SIGMA) as i64;
            out.push(SpendRow {
                spend_id: format!("sp_{}_{channel}", date(spent_on)).into(),
                spent_on,
                channel,
                currency: "USD",
                amount,
                updated_at,
            });
        }
    }
    out
}

/// Market rates: they wander around the rates that prices were made with.
pub fn rates(world: &World, until: At) -> Vec<RateRow> {
    let days = until.since(world.config.start) / DAY;
    let mut out = Vec::new();
    for (place, (currency, factor)) in PRICE_FACTORS.iter().enumerate() {
        if *currency == "USD" {
            continue;
        }
        let mut dice = Dice::new(world.config.seed, Stream::Market, place as u64, RATES);
        // Yen have no minor unit: their factor is yen per cent.
        let per_unit = if *currency == "JPY" {
            0.01 / factor
        } else {
            1.0 / factor
        };
        let mut off = 0.0;
        for day in 0..=days {
            off = off * (1.0 - FX.1) + FX.0 * dice.normal();
            let rate_date = world.config.start.plus(day * DAY);
            out.push(RateRow {
                rate_id: format!("fx_{}_{}", date(rate_date), currency.to_lowercase()).into(),
                rate_date,
                currency,
                usd_per_unit: (per_unit * off.exp() * 1e8).round() / 1e8,
                updated_at: rate_date.plus(17 * HOUR),
            });
        }
    }
    out
}

/// What it cost to serve each month that is over, given the worth of its service in US cents by
/// month from the start; months after the last of `served` were worth nothing.
pub fn costs(world: &World, served: &[i64], until: At) -> Vec<CostRow> {
    let mut out = Vec::new();
    let is_over = |month: &u32| world.config.start.plus_months(month + 1) <= until;
    for month in (0..).take_while(is_over) {
        let cents = served.get(month as usize).unwrap_or(&0);
        let mut dice = Dice::new(world.config.seed, Stream::Market, month.into(), COSTS);
        let cost = *cents as f64 * (1.0 - dice.between(GROSS_MARGIN.0, GROSS_MARGIN.1));
        let month_start = world.config.start.plus_months(month);
        let updated_at = world
            .config
            .start
            .plus_months(month + 1)
            .plus(4 * DAY + 6 * HOUR);
        for (category, share) in COST_CATEGORIES.iter().zip(COST_SHARES) {
            out.push(CostRow {
                cost_id: format!("co_{}_{category}", &date(month_start)[..7]).into(),
                month_start,
                category,
                currency: "USD",
                amount: (cost * share) as i64,
                updated_at,
            });
        }
    }
    out
}
