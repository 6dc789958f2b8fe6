//! The closed word lists of the raw tables: every value that a status, kind or code can take.
//!
//! The schema, the simulation and the documents all read these lists, so they cannot drift apart.

/// Plans, by rank.
pub const PLANS: &[&str] = &["starter", "growth", "business", "enterprise"];
/// ISO 4217 codes in use. JPY has no minor unit: its amounts are whole yen.
pub const CURRENCIES: &[&str] = &["USD", "EUR", "GBP", "CAD", "AUD", "INR", "JPY"];
/// ISO 3166 codes of customers' countries.
pub const COUNTRIES: &[&str] = &["US", "GB", "DE", "CA", "FR", "AU", "IN", "NL", "JP", "BR"];
/// Acquisition channels.
pub const CHANNELS: &[&str] = &[
    "organic", "paid", "referral", "partner", "outbound", "social",
];
/// Customers' industries.
pub const INDUSTRIES: &[&str] = &[
    "software",
    "retail",
    "finance",
    "healthcare",
    "manufacturing",
    "education",
    "media",
    "logistics",
];
/// Customers' head counts, as bands.
pub const COMPANY_SIZES: &[&str] = &["1-10", "11-50", "51-200", "201-1000", "1000+"];
/// Users' roles; each customer has one owner.
pub const ROLES: &[&str] = &["owner", "admin", "member"];
/// Where users work and product events come from.
pub const PLATFORMS: &[&str] = &["web", "desktop", "ios", "android"];
/// Billing intervals.
pub const INTERVALS: &[&str] = &["month", "year"];
/// Subscription states.
pub const SUBSCRIPTION_STATUSES: &[&str] =
    &["trialing", "active", "past_due", "paused", "canceled"];
/// Why a subscription ended. `payment_failed` is involuntary churn; the two trial reasons
/// are no churn, as nothing was ever paid.
pub const END_REASONS: &[&str] = &[
    "customer_canceled",
    "not_renewed",
    "payment_failed",
    "trial_expired",
    "trial_canceled",
    "merged",
];
/// Kinds of subscription events; each row carries price, quantity and discount in force after it.
pub const SUBSCRIPTION_EVENTS: &[&str] = &[
    "trial_started",
    "started",
    "trial_converted",
    "renewed",
    "upgraded",
    "downgraded",
    "quantity_changed",
    "discount_applied",
    "discount_expired",
    "past_due",
    "recovered",
    "cancel_requested",
    "cancel_withdrawn",
    "paused",
    "resumed",
    "ended",
];
/// How long a discount lasts.
pub const DISCOUNT_DURATIONS: &[&str] = &["once", "repeating", "forever"];
/// Promotion codes.
pub const PROMO_CODES: &[&str] = &["WELCOME20", "HALFOFF", "PARTNER10", "FIRSTFREE"];
/// Invoice states.
pub const INVOICE_STATUSES: &[&str] = &["draft", "open", "paid", "void", "uncollectible"];
/// Why an invoice was made.
pub const BILLING_REASONS: &[&str] = &[
    "subscription_create",
    "subscription_cycle",
    "subscription_update",
];
/// Whether we charge or the customer transfers.
pub const COLLECTION_METHODS: &[&str] = &["charge_automatically", "send_invoice"];
/// Kinds of invoice lines.
pub const LINE_TYPES: &[&str] = &["subscription", "proration"];
/// Payment methods.
pub const METHODS: &[&str] = &[
    "credit_card",
    "debit_card",
    "wallet",
    "ach_debit",
    "sepa_debit",
    "bank_transfer",
];
/// Card and wallet brands.
pub const BRANDS: &[&str] = &["visa", "mastercard", "amex", "apple_pay", "google_pay"];
/// Who replaced a payment method last.
pub const UPDATED_BY: &[&str] = &["customer", "card_updater"];
/// What became of an attempt; `pending` is not terminal (bank methods settle days later).
pub const OUTCOMES: &[&str] = &["pending", "succeeded", "failed"];
/// Who started an attempt.
pub const INITIATORS: &[&str] = &["schedule", "retry", "customer"];
/// Decline codes with their reason category and class.
pub const DECLINE_CODES: &[(&str, &str, &str)] = &[
    ("insufficient_funds", "funds", "soft"),
    ("card_velocity_exceeded", "funds", "soft"),
    ("withdrawal_count_limit_exceeded", "funds", "soft"),
    ("R01", "funds", "soft"),
    ("do_not_honor", "issuer_generic", "soft"),
    ("generic_decline", "issuer_generic", "soft"),
    ("try_again_later", "issuer_generic", "soft"),
    ("processing_error", "technical", "soft"),
    ("issuer_not_available", "technical", "soft"),
    ("reenter_transaction", "technical", "soft"),
    (
        "authentication_required",
        "authentication",
        "customer_action",
    ),
    ("expired_card", "credential", "hard"),
    ("incorrect_number", "credential", "hard"),
    ("invalid_account", "credential", "hard"),
    ("R02", "credential", "hard"),
    ("R03", "credential", "hard"),
    ("R04", "credential", "hard"),
    ("lost_card", "lost_stolen_fraud", "hard"),
    ("stolen_card", "lost_stolen_fraud", "hard"),
    ("pickup_card", "lost_stolen_fraud", "hard"),
    ("fraudulent", "lost_stolen_fraud", "hard"),
    ("revocation_of_authorization", "revoked", "hard"),
    ("R05", "revoked", "hard"),
    ("R07", "revoked", "hard"),
    ("R10", "revoked", "hard"),
    ("R29", "revoked", "hard"),
    ("unknown", "other", "unknown"),
];
/// The codes of [`DECLINE_CODES`] alone.
pub const DECLINE_CODE_NAMES: &[&str] = &{
    let mut names = [""; DECLINE_CODES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = DECLINE_CODES[i].0;
        i += 1;
    }
    names
};
/// Refund states.
pub const REFUND_STATUSES: &[&str] = &["pending", "succeeded"];
/// Why money was given back.
pub const REFUND_REASONS: &[&str] = &["requested_by_customer", "duplicate", "service_issue"];
/// Credit note states.
pub const CREDIT_NOTE_STATUSES: &[&str] = &["issued", "void"];
/// Why credit was given.
pub const CREDIT_NOTE_REASONS: &[&str] = &["downgrade", "service_issue", "goodwill"];
/// Dunning messages.
pub const DUNNING_KINDS: &[&str] = &["payment_failed", "reminder", "final_notice"];
/// Kinds of churn events.
pub const CHURN_EVENTS: &[&str] = &["cancel_requested", "cancel_withdrawn", "churned"];
/// Kinds of churn.
pub const CHURN_KINDS: &[&str] = &["voluntary", "involuntary", "other"];
/// Reasons given for churn; `payment_failed` goes with involuntary, `merged` with other: the subscription goes on under another customer.
pub const CHURN_REASONS: &[&str] = &[
    "too_expensive",
    "missing_features",
    "low_usage",
    "switched_competitor",
    "poor_support",
    "business_closed",
    "payment_failed",
    "merged",
];
/// Product events (name, feature), the most used first. The first twelve are core actions.
pub const PRODUCT_EVENTS: &[(&str, &str)] = &[
    ("dashboard_viewed", "dashboards"),
    ("report_run", "reports"),
    ("project_opened", "projects"),
    ("search_performed", "search"),
    ("comment_added", "collaboration"),
    ("report_exported", "exports"),
    ("project_created", "projects"),
    ("alert_configured", "alerts"),
    ("integration_synced", "integrations"),
    ("teammate_invited", "collaboration"),
    ("api_called", "api"),
    ("automation_run", "automations"),
    ("login", "account"),
    ("billing_page_viewed", "billing"),
    ("cancel_page_viewed", "billing"),
];
/// The names of [`PRODUCT_EVENTS`] alone.
pub const PRODUCT_EVENT_NAMES: &[&str] = &{
    let mut names = [""; PRODUCT_EVENTS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = PRODUCT_EVENTS[i].0;
        i += 1;
    }
    names
};
/// Product areas.
pub const FEATURES: &[&str] = &[
    "dashboards",
    "reports",
    "projects",
    "search",
    "collaboration",
    "exports",
    "alerts",
    "integrations",
    "api",
    "automations",
    "account",
    "billing",
];
/// How many of [`PRODUCT_EVENTS`] are core actions (they make a user active).
pub const CORE_ACTIONS: usize = 12;
/// Dispute states.
pub const DISPUTE_STATUSES: &[&str] = &["open", "won", "lost"];
/// Why a payment is disputed.
pub const DISPUTE_REASONS: &[&str] =
    &["fraudulent", "not_recognized", "canceled", "unsatisfactory"];
/// Costs of serving.
pub const COST_CATEGORIES: &[&str] = &["hosting", "support", "payment_fees", "third_party"];
/// Planted effects.
pub const EFFECTS: &[&str] = &[
    "cancel_after_failure",
    "cancel_after_discount_end",
    "cancel_by_channel",
    "first_failure",
    "failure_reason",
    "refund",
    "retry_success",
    "customer_fix",
    "cancel_if_unrecovered",
    "use_falls_before_cancel",
    "trial_conversion",
];
/// What an effect's value is.
pub const EFFECT_UNITS: &[&str] = &["hazard_ratio", "probability"];
/// Planted incidents.
pub const INCIDENTS: &[&str] = &[
    "issuer_outage",
    "bad_deploy",
    "january_expiry",
    "gateway_failure",
    "product_outage",
    "billing_mistake",
];
/// Figures of a very large company.
pub const POPULATION_FIGURES: &[&str] = &["survival", "relative_risk"];
/// Injected defects.
pub const DEFECTS: &[&str] = &["duplicate", "late", "orphan", "bad_currency"];
/// What staging must do with a defective row: keep one of two, take it in, or put it among the rejects.
pub const DEFECT_FATES: &[&str] = &["deduplicated", "accepted", "rejected"];
