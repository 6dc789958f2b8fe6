//! Who a customer is: everything drawn once, at signup, partly never seen in the rows.

use super::params::{
    ACH_SHARE, ACTIVE_OWNER, BANK_REASONS, CARD_REASONS, CHANNELS, COUNTRIES, Country,
    FAILURE_SCALE, METHOD_SHARES, Method, PLANS, Reason, SEATS_R, SEPA_SHARE, TEST_SHARE,
};
use super::random::{Dice, Stream};
use super::vocab;

/// A customer's lasting traits.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its number, from 1.
    pub number: u32,
    /// Where it is.
    pub country: &'static Country,
    /// Place of its channel.
    pub channel: usize,
    /// Place of its first plan.
    pub plan: usize,
    /// Place among the list prices, where a plan has several.
    pub tier: usize,
    /// Billed by the year.
    pub annual: bool,
    /// Seats at the start.
    pub seats: i32,
    /// How it pays.
    pub method: Method,
    /// Latent: the chance that a first attempt fails.
    pub failure: f64,
    /// One of our own accounts.
    pub is_test: bool,
}

impl Profile {
    /// The traits of a customer.
    pub fn draw(seed: u64, number: u32) -> Self {
        let dice = &mut Dice::new(seed, Stream::Profile, number.into(), 0);
        let shares: Vec<f64> = COUNTRIES.iter().map(|c| c.share).collect();
        let country = &COUNTRIES[dice.pick(&shares)];
        let shares: Vec<f64> = CHANNELS.iter().map(|c| c.1).collect();
        let channel = dice.pick(&shares);
        let shares: Vec<f64> = PLANS.iter().map(|p| p.mix).collect();
        let plan = dice.pick(&shares);
        let annual = dice.chance(PLANS[plan].annual_share);
        let method = draw_method(dice, country, plan);
        let (mean, k) = method.failure();
        Self {
            number,
            country,
            channel,
            plan,
            tier: draw_tier(dice),
            annual,
            seats: draw_seats(dice, plan),
            method,
            failure: dice.beta(mean * FAILURE_SCALE, k),
            is_test: dice.chance(TEST_SHARE),
        }
    }

    /// The reasons for which its way of paying fails.
    pub fn reasons(&self) -> &'static [Reason] {
        if self.method.is_card() {
            CARD_REASONS
        } else {
            BANK_REASONS
        }
    }
}

/// A place among the list prices of a plan that bargains; small deals are the most frequent.
pub fn draw_tier(dice: &mut Dice) -> usize {
    let above = (0.5 * dice.normal().abs()).exp();
    let prices = PLANS[PLANS.len() - 1].units;
    let wanted = prices[0] as f64 * above;
    prices
        .iter()
        .rposition(|p| *p as f64 <= wanted)
        .unwrap_or(0)
}

fn draw_seats(dice: &mut Dice, plan: usize) -> i32 {
    let seats = 1 + dice.neg_binomial(PLANS[plan].extra_seats, SEATS_R) as i32;
    seats.min(PLANS[plan].max_users.unwrap_or(i32::MAX))
}

fn draw_method(dice: &mut Dice, country: &Country, plan: usize) -> Method {
    if dice.chance(PLANS[plan].transfer_share) {
        return Method::Transfer;
    }
    let debit_share = match country.debit {
        Some(Method::Ach) => ACH_SHARE,
        Some(_) => SEPA_SHARE,
        None => 0.0,
    };
    match country.debit {
        Some(method) if dice.chance(debit_share) => method,
        _ => Method::ALL[dice.pick(&METHOD_SHARES[..3])],
    }
}

/// A made-up company: name, industry, size band. Apart from [`Profile`], as only rows need it.
pub fn company(seed: u64, number: u32, plan: usize) -> (String, &'static str, &'static str) {
    let dice = &mut Dice::new(seed, Stream::Profile, number.into(), 1);
    let name = format!(
        "{} {} {}",
        dice.any(FIRST),
        dice.any(SECOND),
        dice.any(FORM)
    );
    let sizes: &[f64] = match plan {
        0 => &[0.62, 0.27, 0.08, 0.025, 0.005],
        1 => &[0.25, 0.45, 0.22, 0.07, 0.01],
        2 => &[0.05, 0.25, 0.42, 0.22, 0.06],
        _ => &[0.0, 0.03, 0.22, 0.45, 0.30],
    };
    let industry = dice.pick(&[0.28, 0.14, 0.13, 0.10, 0.10, 0.09, 0.09, 0.07]);
    (
        name,
        vocab::INDUSTRIES[industry],
        vocab::COMPANY_SIZES[dice.pick(sizes)],
    )
}

/// A user's platform and weekday activity: the same however long the user stays.
pub fn user_habits(dice: &mut Dice, owner: bool) -> (&'static str, f64) {
    let platform = vocab::PLATFORMS[dice.pick(&[0.62, 0.18, 0.12, 0.08])];
    let (a, b) = if owner {
        ACTIVE_OWNER
    } else {
        super::params::ACTIVE_USER
    };
    (platform, dice.beta_shapes(a, b))
}

const FIRST: &[&str] = &[
    "Amber", "Northern", "Blue", "Silver", "Quiet", "Rapid", "Golden", "Harbor", "Cedar", "Summit",
    "Bright", "Iron", "Coral", "Maple", "Atlas", "Vertex", "Polar", "Lunar", "Civic", "Prime",
];
const SECOND: &[&str] = &[
    "River", "Works", "Peak", "Bridge", "Forge", "Field", "Lane", "Signal", "Stone", "Harvest",
    "Pixel", "Orchard", "Compass", "Anchor", "Ledger", "Canvas", "Mill", "Grove", "Beacon", "Mesa",
];
const FORM: &[&str] = &[
    "Ltd", "Inc", "Group", "Labs", "Partners", "Studio", "Systems", "Co",
];
