//! The rows of the raw tables as types, and how each writes its fields in the schema's order.

use std::sync::Arc;

use super::id::Id;
use super::schema::{self, Table};
use super::time::At;

/// Takes a row's fields one by one, in column order.
pub trait Fields {
    /// An id.
    fn id(&mut self, value: Id);
    /// Text.
    fn text(&mut self, value: &str);
    /// An `integer`.
    fn int4(&mut self, value: i32);
    /// A `bigint`.
    fn int8(&mut self, value: i64);
    /// A `double precision`.
    fn float8(&mut self, value: f64);
    /// A `boolean`.
    fn bool(&mut self, value: bool);
    /// The `date` of an instant.
    fn date(&mut self, value: At);
    /// A `timestamptz`.
    fn at(&mut self, value: At);
    /// A `jsonb`, as JSON text.
    fn json(&mut self, value: &str);
    /// A null.
    fn null(&mut self);
}

/// A row of one raw table.
pub trait Row {
    /// The table's place in [`schema::TABLES`].
    const TABLE: usize;

    /// When this version of the row came to be: the value of the table's cursor column.
    fn cursor(&self) -> At;

    /// Hands over every field, in the order of the table's columns.
    fn write(&self, fields: &mut impl Fields);
}

/// A row that has later versions.
pub trait Mutable: Row + Clone {
    /// Sets `updated_at`.
    fn touch(&mut self, at: At);
}

/// The place of a table in [`schema::TABLES`], found while compiling.
const fn place(name: &str) -> usize {
    let mut i = 0;
    while i < schema::TABLES.len() {
        let candidate: &Table = &schema::TABLES[i];
        if same(candidate.name.as_bytes(), name.as_bytes()) {
            return i;
        }
        i += 1;
    }
    panic!("no such raw table")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

macro_rules! kind {
    (id) => { Id };
    (word) => { &'static str };
    (text) => { Arc<str> };
    (int4) => { i32 };
    (int8) => { i64 };
    (float8) => { f64 };
    (bool) => { bool };
    (date) => { At };
    (at) => { At };
    (json) => { &'static str };
}

macro_rules! put {
    ($f:ident, word, $v:expr) => {
        $f.text($v)
    };
    ($f:ident, text, $v:expr) => {
        $f.text(&$v)
    };
    ($f:ident, $kind:ident, $v:expr) => {
        $f.$kind($v)
    };
}

macro_rules! field {
    ($f:ident, $self:ident, $name:ident, $kind:ident) => {
        put!($f, $kind, $self.$name)
    };
    ($f:ident, $self:ident, $name:ident, $kind:ident null) => {
        match $self.$name {
            Some(v) => put!($f, $kind, v),
            None => $f.null(),
        }
    };
}

macro_rules! ty {
    ($kind:ident) => { kind!($kind) };
    ($kind:ident null) => { Option<kind!($kind)> };
}

macro_rules! row {
    ($(#[$doc:meta])* $row:ident, $table:literal, $cursor:ident, { $($name:ident: $($kind:ident)+,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "the schema describes each column")]
        pub struct $row { $(pub $name: ty!($($kind)+),)+ }

        impl Row for $row {
            const TABLE: usize = place($table);

            fn cursor(&self) -> At {
                self.$cursor
            }

            fn write(&self, fields: &mut impl Fields) {
                $(field!(fields, self, $name, $($kind)+);)+
            }
        }
    };
}

macro_rules! mutable {
    ($($row:ident),+) => { $(impl Mutable for $row {
        fn touch(&mut self, at: At) {
            self.updated_at = at;
        }
    })+ };
}

row!(/// A row of `plans`.
PlanRow, "plans", updated_at, {
    plan_id: word, name: word, tier_rank: int4, max_users: int4 null, updated_at: at,
});

row!(/// A row of `prices`.
PriceRow, "prices", updated_at, {
    price_id: text, plan_id: word, currency: word, interval: word, interval_count: int4,
    unit_minor: int8, valid_from: at, valid_to: at null, updated_at: at,
});

row!(/// A row of `customers`.
CustomerRow, "customers", updated_at, {
    customer_id: id, company_name: text, industry: word, company_size: word, country: word,
    currency: word, timezone: word, channel: word, campaign: word null, signup_at: at,
    is_test: bool, updated_at: at, deleted_at: at null,
});

row!(/// A row of `users`.
UserRow, "users", updated_at, {
    user_id: id, customer_id: id, role: word, platform: word, created_at: at,
    deactivated_at: at null, updated_at: at,
});

row!(/// A row of `payment_methods`.
MethodRow, "payment_methods", updated_at, {
    payment_method_id: id, customer_id: id, kind: word, brand: word null, issuer_country: word,
    exp_month: int4 null, exp_year: int4 null, attached_at: at, detached_at: at null,
    updated_by: word, updated_at: at,
});

row!(/// A row of `subscriptions`.
SubscriptionRow, "subscriptions", updated_at, {
    subscription_id: id, customer_id: id, status: word, price_id: text, quantity: int4,
    currency: word, started_at: at, trial_start: at null, trial_end: at null,
    activated_at: at null, period_start: at, period_end: at, cancel_requested_at: at null,
    cancel_at_period_end: bool, ended_at: at null, end_reason: word null,
    payment_method_id: id null, updated_at: at,
});

row!(/// A row of `subscription_events`.
SubscriptionEventRow, "subscription_events", received_at, {
    event_id: id, subscription_id: id, customer_id: id, kind: word, effective_at: at,
    price_id: text, quantity: int4, discount_id: id null, received_at: at,
});

row!(/// A row of `discounts`.
DiscountRow, "discounts", created_at, {
    discount_id: id, subscription_id: id, customer_id: id, promo_code: word,
    percent_off: int4 null, amount_off: int8 null, currency: word, duration: word,
    start_at: at, end_at: at null, created_at: at,
});

row!(/// A row of `invoices`.
InvoiceRow, "invoices", updated_at, {
    invoice_id: id, subscription_id: id, customer_id: id, currency: word, status: word,
    billing_reason: word, collection_method: word, subtotal: int8, discount: int8, tax: int8,
    total: int8, credit_applied: int8, amount_due: int8, amount_paid: int8, period_start: at,
    period_end: at, created_at: at, finalized_at: at null, due_at: at, paid_at: at null,
    voided_at: at null, uncollectible_at: at null, updated_at: at,
});

row!(/// A row of `invoice_lines`.
LineRow, "invoice_lines", created_at, {
    line_id: id, invoice_id: id, subscription_id: id, price_id: text, kind: word,
    quantity: int4, currency: word, amount: int8, discount: int8, tax: int8, period_start: at,
    period_end: at, is_proration: bool, created_at: at,
});

row!(/// A row of `payment_attempts`.
AttemptRow, "payment_attempts", updated_at, {
    attempt_id: id, invoice_id: id, customer_id: id, payment_method_id: id,
    attempt_number: int4, initiator: word, attempted_at: at, currency: word, amount: int8,
    outcome: word, settled_at: at null, decline_code: word null, network_code: word null,
    updated_at: at,
});

row!(/// A row of `refunds`.
RefundRow, "refunds", updated_at, {
    refund_id: id, attempt_id: id, invoice_id: id, customer_id: id, currency: word,
    amount: int8, reason: word, status: word, created_at: at, succeeded_at: at null,
    updated_at: at,
});

row!(/// A row of `credit_notes`.
CreditNoteRow, "credit_notes", updated_at, {
    credit_note_id: id, invoice_id: id, customer_id: id, currency: word, amount: int8,
    reason: word, status: word, issued_at: at, updated_at: at,
});

row!(/// A row of `dunning_events`.
DunningRow, "dunning_events", updated_at, {
    dunning_event_id: id, invoice_id: id, customer_id: id, kind: word, step: int4, sent_at: at,
    opened_at: at null, clicked_at: at null, updated_at: at,
});

row!(/// A row of `churn_events`.
ChurnRow, "churn_events", received_at, {
    event_id: id, customer_id: id, subscription_id: id, event_type: word, kind: word,
    reason: word, occurred_at: at, received_at: at,
});

row!(/// A row of `product_events`.
ProductEventRow, "product_events", received_at, {
    event_id: id, user_id: id, customer_id: id, session_id: id, name: word, feature: word,
    actions: int4, platform: word, country: word, occurred_at: at, received_at: at,
    props: json null,
});

row!(/// A row of `disputes`.
DisputeRow, "disputes", updated_at, {
    dispute_id: id, attempt_id: id, invoice_id: id, customer_id: id, currency: word,
    amount: int8, reason: word, status: word, opened_at: at, resolved_at: at null,
    updated_at: at,
});

row!(/// A row of `sessions`.
SessionRow, "sessions", received_at, {
    session_id: id, user_id: id, customer_id: id, platform: word, country: word,
    started_at: at, ended_at: at, events: int4, received_at: at,
});

row!(/// A row of `marketing_spend`.
SpendRow, "marketing_spend", updated_at, {
    spend_id: text, spent_on: date, channel: word, currency: word, amount: int8, updated_at: at,
});

row!(/// A row of `cogs`.
CostRow, "cogs", updated_at, {
    cost_id: text, month_start: date, category: word, currency: word, amount: int8,
    updated_at: at,
});

row!(/// A row of `fx_rates`.
RateRow, "fx_rates", updated_at, {
    rate_id: text, rate_date: date, currency: word, usd_per_unit: float8, updated_at: at,
});

row!(/// A row of `effects`.
EffectRow, "effects", updated_at, {
    effect_id: text, effect: word, segment: text, unit: word, value: float8,
    lasts_days: int4 null, meaning: word, updated_at: at,
});

row!(/// A row of `incidents`.
IncidentRow, "incidents", updated_at, {
    incident_id: text, kind: word, metric: word, cut_value: word, starts_at: at, ends_at: at,
    factor: float8, meaning: word, updated_at: at,
});

row!(/// A row of `population`.
PopulationRow, "population", updated_at, {
    figure_id: text, figure: word, segment: word, at_days: int4, value: float8, updated_at: at,
});

row!(/// A row of `customer_traits`.
CustomerTraitRow, "customer_traits", created_at, {
    customer_id: id, first_failure_chance: float8, channel_factor: float8,
    trial_came_alive: bool null, created_at: at,
});

row!(/// A row of `subscription_traits`.
SubscriptionTraitRow, "subscription_traits", created_at, {
    subscription_id: id, customer_id: id, monthly_cancel_chance: float8, created_at: at,
});

row!(/// A row of `injected_defects`.
DefectRow, "injected_defects", updated_at, {
    defect_id: text, raw_table: word, record_id: text, kind: word, fate: word,
    updated_at: at,
});

mutable!(
    CustomerRow,
    UserRow,
    MethodRow,
    SubscriptionRow,
    InvoiceRow,
    AttemptRow,
    RefundRow,
    CreditNoteRow,
    DunningRow,
    DisputeRow
);
