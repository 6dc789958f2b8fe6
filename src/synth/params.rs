//! The numbers behind the simulation, as plain constants.
//!
//! Payment figures are a published, calibrated set (see [`super::calibration`] for what they must
//! yield); the rest is judgement. Weights need not add up to one.

/// A country of customers.
#[derive(Debug)]
pub struct Country {
    /// ISO 3166.
    pub code: &'static str,
    /// Share of customers.
    pub share: f64,
    /// Currency billed in.
    pub currency: &'static str,
    /// IANA time zone of its head offices.
    pub timezone: &'static str,
    /// Hours ahead of UTC, daylight saving left out: shapes office hours only.
    pub utc_offset: i64,
    /// Tax on software, in percent.
    pub tax_percent: i64,
    /// Whether banks must ask for strong authentication.
    pub strong_authentication: bool,
    /// The bank debit that customers can choose.
    pub debit: Option<Method>,
}

const fn country(code: &'static str, share: f64, currency: &'static str) -> Country {
    Country {
        code,
        share,
        currency,
        timezone: "UTC",
        utc_offset: 0,
        tax_percent: 0,
        strong_authentication: false,
        debit: None,
    }
}

impl Country {
    const fn at(self, timezone: &'static str, utc_offset: i64) -> Self {
        Self {
            timezone,
            utc_offset,
            ..self
        }
    }

    const fn taxed(self, tax_percent: i64) -> Self {
        Self {
            tax_percent,
            ..self
        }
    }

    const fn strong(self) -> Self {
        Self {
            strong_authentication: true,
            ..self
        }
    }

    const fn debit(self, method: Method) -> Self {
        Self {
            debit: Some(method),
            ..self
        }
    }
}

/// Countries of customers.
pub const COUNTRIES: &[Country] = &[
    country("US", 46.0, "USD")
        .at("America/New_York", -5)
        .debit(Method::Ach),
    country("GB", 12.0, "GBP")
        .at("Europe/London", 0)
        .taxed(20)
        .strong(),
    country("DE", 9.0, "EUR")
        .at("Europe/Berlin", 1)
        .taxed(19)
        .strong()
        .debit(Method::Sepa),
    country("CA", 7.0, "CAD").at("America/Toronto", -5).taxed(5),
    country("FR", 6.0, "EUR")
        .at("Europe/Paris", 1)
        .taxed(20)
        .strong()
        .debit(Method::Sepa),
    country("AU", 5.0, "AUD")
        .at("Australia/Sydney", 10)
        .taxed(10),
    country("IN", 5.0, "INR")
        .at("Asia/Kolkata", 5)
        .taxed(18)
        .strong(),
    country("NL", 4.0, "EUR")
        .at("Europe/Amsterdam", 1)
        .taxed(21)
        .strong()
        .debit(Method::Sepa),
    country("JP", 3.0, "JPY").at("Asia/Tokyo", 9).taxed(10),
    country("BR", 3.0, "USD").at("America/Sao_Paulo", -3),
];

/// Local price per US cent, in the currency's minor unit.
pub const PRICE_FACTORS: &[(&str, f64)] = &[
    ("USD", 1.0),
    ("EUR", 0.92),
    ("GBP", 0.79),
    ("CAD", 1.36),
    ("AUD", 1.5),
    ("INR", 80.0),
    ("JPY", 1.5),
];

/// A plan.
#[derive(Debug)]
pub struct Plan {
    /// Its id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// List prices of a seat per month in US cents; more than one where sales bargains.
    pub units: &'static [i64],
    /// Seats at most.
    pub max_users: Option<i32>,
    /// Share of signups.
    pub mix: f64,
    /// Share of subscriptions billed by the year.
    pub annual_share: f64,
    /// Mean of the seats beyond the first.
    pub extra_seats: f64,
    /// Shapes of the monthly cancel probability (shifted beta-geometric).
    pub hazard: (f64, f64),
    /// Share that pays by bank transfer.
    pub transfer_share: f64,
}

/// Plans, by rank.
pub const PLANS: &[Plan] = &[
    Plan {
        id: "starter",
        name: "Starter",
        units: &[2_900],
        max_users: Some(5),
        mix: 55.0,
        annual_share: 0.18,
        extra_seats: 0.6,
        hazard: (1.0, 14.5),
        transfer_share: 0.01,
    },
    Plan {
        id: "growth",
        name: "Growth",
        units: &[9_900],
        max_users: Some(25),
        mix: 33.0,
        annual_share: 0.28,
        extra_seats: 1.8,
        hazard: (0.9, 23.0),
        transfer_share: 0.035,
    },
    Plan {
        id: "business",
        name: "Business",
        units: &[29_900],
        max_users: Some(100),
        mix: 10.0,
        annual_share: 0.45,
        extra_seats: 3.0,
        hazard: (0.8, 38.0),
        transfer_share: 0.13,
    },
    Plan {
        id: "enterprise",
        name: "Enterprise",
        units: &[
            120_000, 150_000, 180_000, 220_000, 270_000, 330_000, 400_000, 500_000,
        ],
        max_users: None,
        mix: 2.0,
        annual_share: 0.85,
        extra_seats: 3.0,
        hazard: (0.8, 38.0),
        transfer_share: 0.5,
    },
];

/// A way to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A credit card.
    Credit,
    /// A debit card.
    Debit,
    /// A phone's wallet.
    Wallet,
    /// US bank debit.
    Ach,
    /// European bank debit.
    Sepa,
    /// The customer transfers the money.
    Transfer,
}

impl Method {
    /// All, in the order of `vocab::METHODS`.
    pub const ALL: [Self; 6] = [
        Self::Credit,
        Self::Debit,
        Self::Wallet,
        Self::Ach,
        Self::Sepa,
        Self::Transfer,
    ];

    /// The word in `payment_methods.type`.
    pub fn word(self) -> &'static str {
        super::vocab::METHODS[self as usize]
    }

    /// Whether an attempt's outcome comes at once, from a card network.
    pub fn is_card(self) -> bool {
        matches!(self, Self::Credit | Self::Debit | Self::Wallet)
    }

    /// Mean of a customer's first-attempt failure probability, and the spread between customers
    /// (the sum of a Beta's two shapes).
    pub fn failure(self) -> (f64, f64) {
        match self {
            Self::Credit => (0.036, 30.0),
            Self::Debit => (0.075, 25.0),
            Self::Wallet => (0.030, 30.0),
            Self::Ach => (0.022, 40.0),
            Self::Sepa => (0.027, 40.0),
            Self::Transfer => (0.012, 40.0),
        }
    }

    /// Days after the first attempt on which we try again.
    pub fn retry_days(self) -> &'static [i64] {
        if self.is_card() {
            &[1, 3, 5, 7, 14]
        } else {
            &[3, 8]
        }
    }
}

/// Shares of the methods.
pub const METHOD_SHARES: [f64; 6] = [0.52, 0.22, 0.08, 0.08, 0.06, 0.04];
/// Share of bank debit where a country has it: makes 8 % of all customers pay by ACH, 6 % by SEPA.
pub const ACH_SHARE: f64 = 0.174;
/// See [`ACH_SHARE`].
pub const SEPA_SHARE: f64 = 0.316;

/// Brings the mean failure probability of [`Method::failure`] to what the published rows must
/// show: customers who fail often leave, so the survivors fail less.
pub const FAILURE_SCALE: f64 = 0.975;

/// Why a payment fails.
#[derive(Debug)]
pub struct Reason {
    /// Short name, as used by calibration.
    pub name: &'static str,
    /// Codes that state it, with weights and the network's own codes.
    pub codes: &'static [(&'static str, f64, &'static str)],
    /// Share among the first failures of its kind of method.
    pub share: f64,
    /// How often we try again at most, within [`Method::retry_days`].
    pub retries: usize,
    /// Chance that the first retry succeeds.
    pub retry: f64,
    /// Chance that the customer sees to it.
    pub fix: f64,
    /// Whether a fix brings a new payment method.
    pub replaces_method: bool,
}

/// Place of this reason in [`CARD_REASONS`].
pub const TECHNICAL: usize = 3;
/// Place of this reason in [`CARD_REASONS`].
pub const AUTHENTICATION: usize = 5;
/// Place of this reason in [`CARD_REASONS`].
pub const EXPIRED: usize = 6;

/// Reasons for cards and wallets. Bad credentials are tried once more, in vain, in case the network has
/// a newer card; after a lost card, suspected fraud or a missing authentication we do not try blindly.
pub const CARD_REASONS: &[Reason] = &[
    Reason {
        name: "funds",
        codes: &[("insufficient_funds", 1.0, "51")],
        share: 0.40,
        retries: 5,
        retry: 0.3,
        fix: 0.10,
        replaces_method: false,
    },
    Reason {
        name: "do_not_honor",
        codes: &[("do_not_honor", 1.0, "05")],
        share: 0.17,
        retries: 5,
        retry: 0.16,
        fix: 0.16,
        replaces_method: false,
    },
    Reason {
        name: "generic",
        codes: &[
            ("generic_decline", 0.80, "05"),
            ("try_again_later", 0.185, "91"),
            ("unknown", 0.015, "00"),
        ],
        share: 0.12,
        retries: 5,
        retry: 0.16,
        fix: 0.16,
        replaces_method: false,
    },
    Reason {
        name: "technical",
        codes: &[
            ("processing_error", 0.5, "96"),
            ("issuer_not_available", 0.35, "91"),
            ("reenter_transaction", 0.15, "19"),
        ],
        share: 0.05,
        retries: 5,
        retry: 0.72,
        fix: 0.05,
        replaces_method: false,
    },
    Reason {
        name: "velocity",
        codes: &[
            ("card_velocity_exceeded", 0.7, "65"),
            ("withdrawal_count_limit_exceeded", 0.3, "61"),
        ],
        share: 0.03,
        retries: 5,
        retry: 0.4,
        fix: 0.05,
        replaces_method: false,
    },
    Reason {
        name: "authentication",
        codes: &[("authentication_required", 1.0, "1A")],
        share: 0.05,
        retries: 0,
        retry: 0.0,
        fix: 0.55,
        replaces_method: false,
    },
    Reason {
        name: "expired",
        codes: &[("expired_card", 1.0, "54")],
        share: 0.10,
        retries: 1,
        retry: 0.0,
        fix: 0.52,
        replaces_method: true,
    },
    Reason {
        name: "lost",
        codes: &[
            ("lost_card", 0.45, "41"),
            ("stolen_card", 0.35, "43"),
            ("pickup_card", 0.2, "04"),
        ],
        share: 0.03,
        retries: 0,
        retry: 0.0,
        fix: 0.50,
        replaces_method: true,
    },
    Reason {
        name: "invalid",
        codes: &[
            ("incorrect_number", 0.5, "14"),
            ("invalid_account", 0.5, "14"),
        ],
        share: 0.03,
        retries: 1,
        retry: 0.0,
        fix: 0.45,
        replaces_method: true,
    },
    Reason {
        name: "fraud",
        codes: &[
            ("fraudulent", 0.8, "59"),
            ("revocation_of_authorization", 0.2, "R1"),
        ],
        share: 0.02,
        retries: 0,
        retry: 0.0,
        fix: 0.10,
        replaces_method: true,
    },
];

/// Reasons for bank debits and transfers.
pub const BANK_REASONS: &[Reason] = &[
    Reason {
        name: "funds",
        codes: &[("R01", 1.0, "R01")],
        share: 0.78,
        retries: 5,
        retry: 0.42,
        fix: 0.12,
        replaces_method: false,
    },
    Reason {
        name: "technical",
        codes: &[("processing_error", 1.0, "R61")],
        share: 0.04,
        retries: 5,
        retry: 0.72,
        fix: 0.05,
        replaces_method: false,
    },
    Reason {
        name: "invalid",
        codes: &[
            ("R02", 0.4, "R02"),
            ("R03", 0.35, "R03"),
            ("R04", 0.25, "R04"),
        ],
        share: 0.12,
        retries: 1,
        retry: 0.0,
        fix: 0.50,
        replaces_method: true,
    },
    Reason {
        name: "revoked",
        codes: &[
            ("R10", 0.4, "R10"),
            ("R07", 0.25, "R07"),
            ("R29", 0.25, "R29"),
            ("R05", 0.1, "R05"),
        ],
        share: 0.06,
        retries: 0,
        retry: 0.0,
        fix: 0.25,
        replaces_method: true,
    },
];

/// Each further retry is this much less likely to succeed.
pub const RETRY_DECAY: f64 = 0.85;
/// Days until a customer fixes a payment: median and sigma of a log-normal.
pub const FIX_DAYS: (f64, f64) = (4.0, 0.8);
/// Dunning ends this many days after the first attempt.
pub const DUNNING_DAYS: i64 = 21;
/// Chance that an unrecovered invoice ends its subscription: monthly, annual.
pub const CANCEL_IF_UNRECOVERED: (f64, f64) = (0.63, 0.90);

/// How much a failure raises the chance to cancel, and for how many days.
pub const FAILURE_EFFECT: (f64, i64) = (1.6, 60);
/// How much the end of a discount raises it, and for how many days.
pub const DISCOUNT_END_EFFECT: (f64, i64) = (1.25, 60);
/// Mean chance that an annual subscription is not renewed, by its year.
pub const ANNUAL_NON_RENEWAL: [f64; 3] = [0.22, 0.15, 0.09];
/// Monthly chance that an annual subscriber leaves in mid-term.
pub const ANNUAL_MID_TERM: f64 = 0.01 / 12.0;

/// Channels: word, share, factor on the chance to cancel, campaigns.
pub const CHANNELS: &[(&str, f64, f64, &[&str])] = &[
    ("organic", 0.38, 1.0, &[]),
    (
        "paid",
        0.27,
        1.3,
        &["search_brand", "search_generic", "retargeting"],
    ),
    ("referral", 0.13, 0.75, &[]),
    ("partner", 0.10, 1.0, &[]),
    ("outbound", 0.07, 1.0, &[]),
    ("social", 0.05, 1.0, &["video_launch", "founder_posts"]),
];

/// A promotion: code, weight, percent off, months (none: forever), duration.
pub type Promotion = (&'static str, f64, i32, Option<u32>, &'static str);
/// Promotions.
pub const PROMOTIONS: &[Promotion] = &[
    ("WELCOME20", 0.60, 20, Some(3), "repeating"),
    ("HALFOFF", 0.25, 50, Some(1), "once"),
    ("PARTNER10", 0.15, 10, None, "forever"),
];
/// Share of paid starts with a promotion.
pub const PROMOTION_SHARE: f64 = 0.18;

/// Share of signups that begin with a trial.
pub const TRIAL_SHARE: f64 = 0.25;
/// Days of a trial.
pub const TRIAL_DAYS: i64 = 14;
/// Share of trials that leave a payment method, and conversion without and with one.
pub const TRIAL_CARD: (f64, f64, f64) = (0.30, 0.19, 0.48);
/// Share of trials that come to use the product, and their odds to convert against the others'.
pub const TRIAL_ACTIVATED: (f64, f64) = (0.35, 3.0);

/// Monthly chances: a seat more, a seat less, a plan up, a plan down, a pause (monthly plans only).
pub const CHANGES: [f64; 5] = [0.04, 0.02, 0.012, 0.005, 0.004];
/// Months of a pause at most.
pub const PAUSE_MONTHS: i64 = 3;
/// Loaded sales and marketing per new paying customer in US cents, by channel as in [`CHANNELS`].
pub const CHANNEL_CAC: [f64; 6] = [21_000.0, 68_000.0, 15_000.0, 52_000.0, 198_000.0, 40_000.0];
/// Deviation of the logarithm of a day's spend.
pub const SPEND_SIGMA: f64 = 0.25;
/// Share of signups that ever pay: those without trial, and what trials convert.
pub const PAYING_SHARE: f64 = 1.0 - TRIAL_SHARE + TRIAL_SHARE * 0.277;
/// Gross margin of a month, from and to.
pub const GROSS_MARGIN: (f64, f64) = (0.78, 0.82);
/// How costs divide, as in `vocab::COST_CATEGORIES`.
pub const COST_SHARES: [f64; 4] = [0.45, 0.30, 0.15, 0.10];
/// Exchange rates: deviation of a day's logarithm, and the pull back to [`PRICE_FACTORS`].
pub const FX: (f64, f64) = (0.004, 0.01);
/// Share of cancels that end at once rather than with the period.
pub const CANCEL_AT_ONCE: f64 = 0.25;
/// Share of requests to cancel at period end that are withdrawn.
pub const CANCEL_WITHDRAWN: f64 = 0.10;
/// Share of customers who return after leaving by will and by failed payment; median days, sigma.
pub const RETURNS: (f64, f64, f64, f64) = (0.06, 0.12, 75.0, 0.6);
/// Share of customers who left that ask to be forgotten.
pub const DELETED_SHARE: f64 = 0.02;
/// Share of accounts that are our own.
pub const TEST_SHARE: f64 = 0.003;
/// Refunds: share of payments, median lag in days, sigma, share given back in full.
pub const REFUNDS: (f64, f64, f64, f64) = (0.012, 9.0, 0.8, 0.6);
/// Disputes of card and debit payments: share, mean days until opened, Gamma shape, share won, days
/// until decided from and to.
pub const DISPUTES: (f64, f64, f64, f64, (f64, f64)) = (0.0025, 35.0, 2.0, 0.40, (20.0, 60.0));
/// Phones whose clock is ahead: share, seconds at most.
pub const SKEWED_CLOCK: (f64, i64) = (0.02, 240);
/// Share of payments that are followed by a credit for bad service.
pub const GOODWILL_SHARE: f64 = 0.006;

/// Seats follow a negative binomial of this size.
pub const SEATS_R: f64 = 0.7;

/// Signups: dispersion of a day, by weekday from Monday, by month from January.
pub const SIGNUP_DISPERSION: f64 = 8.0;
/// See [`SIGNUP_DISPERSION`].
pub const SIGNUP_WEEKDAY: [f64; 7] = [1.1, 1.2, 1.15, 1.1, 0.95, 0.55, 0.45];
/// See [`SIGNUP_DISPERSION`].
pub const SIGNUP_MONTH: [f64; 12] = [
    1.12, 1.05, 1.08, 1.0, 0.98, 0.97, 0.93, 0.90, 1.05, 1.05, 1.0, 0.80,
];
/// Monthly growth of signups at the start, what it comes down to, and months to get most of the way.
pub const SIGNUP_GROWTH: (f64, f64, f64) = (0.035, 0.015, 12.0);

/// A user's chance to be active on a weekday: Beta shapes for owners and for others.
pub const ACTIVE_OWNER: (f64, f64) = (1.0, 2.2);
/// See [`ACTIVE_OWNER`].
pub const ACTIVE_USER: (f64, f64) = (0.5, 2.0);
/// Factor on a weekend.
pub const WEEKEND: f64 = 0.25;
/// Rows per active day beyond the first: mean and size of a negative binomial.
pub const EVENTS_PER_DAY: (f64, f64) = (0.9, 0.6);
/// Actions per row beyond the first: mean of a geometric.
pub const ACTIONS_PER_EVENT: f64 = 4.0;
/// Exponent of the features' popularity.
pub const FEATURE_ZIPF: f64 = 1.1;
/// Share of customers leaving by will whose use falls before, weekly rate, weeks from and to.
pub const DECLINE: (f64, f64, f64, f64) = (0.70, 0.25, 6.0, 9.0);
/// Yearly chance that use falls for five weeks and recovers.
pub const FALSE_ALARM: f64 = 0.08;

/// An issuer outage: when (share of the planned history), days, factor on technical failures.
pub const OUTAGE: (f64, i64, f64) = (0.60, 2, 8.0);
/// A bad release for one plan: when, days, factor on authentication failures, place of the plan.
pub const BAD_DEPLOY: (f64, i64, f64, usize) = (0.80, 21, 5.0, 1);
/// Factor on expired cards in January.
pub const JANUARY_EXPIRY: f64 = 1.8;
/// Our own payment gateway fails: when, days, factor on technical failures.
pub const GATEWAY_FAILURE: (f64, i64, f64) = (0.45, 1, 250.0);
/// The product is down on a Wednesday: when, days, factor on users' chance to be active.
pub const PRODUCT_OUTAGE: (f64, i64, f64) = (0.70, 1, 0.1);
/// Wrong amounts are charged and given back within a day: when, days, share of that day's payments.
pub const BILLING_MISTAKE: (f64, i64, f64) = (0.35, 1, 0.4);
