//! The raw tables, column by column. Order matters: rows are written in it.

use super::Type::{Bool, Char2, Char3, Date, Float8, Int4, Int8, Jsonb, Text, Timestamptz};
use super::{Column, Table, Type, truth};
use crate::synth::vocab as v;

pub(super) const fn col(name: &'static str, ty: Type, comment: &'static str) -> Column {
    Column {
        name,
        ty,
        nullable: false,
        refs: None,
        values: &[],
        comment,
    }
}

impl Column {
    pub(super) const fn null(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }

    pub(super) const fn to(self, table: &'static str) -> Self {
        Self {
            refs: Some(table),
            ..self
        }
    }

    pub(super) const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }
}

pub(super) const fn customer() -> Column {
    col("customer_id", Text, "the customer").to("customers")
}

pub(super) const fn subscription() -> Column {
    col("subscription_id", Text, "the subscription").to("subscriptions")
}

const fn invoice() -> Column {
    col("invoice_id", Text, "the invoice").to("invoices")
}

const fn currency() -> Column {
    col("currency", Char3, "ISO 4217").one_of(v::CURRENCIES)
}

pub(super) const fn updated_at() -> Column {
    col("updated_at", Timestamptz, "when the row last changed")
}

const fn received_at() -> Column {
    col("received_at", Timestamptz, "when we got to know")
}

pub(super) const fn created_at() -> Column {
    col("created_at", Timestamptz, "when the row was made")
}

/// All tables, parents first; those of the truth last.
pub const TABLES: &[Table] = &[
    PLANS,
    PRICES,
    CUSTOMERS,
    USERS,
    PAYMENT_METHODS,
    SUBSCRIPTIONS,
    SUBSCRIPTION_EVENTS,
    DISCOUNTS,
    INVOICES,
    INVOICE_LINES,
    PAYMENT_ATTEMPTS,
    REFUNDS,
    CREDIT_NOTES,
    DUNNING_EVENTS,
    CHURN_EVENTS,
    PRODUCT_EVENTS,
    SESSIONS,
    DISPUTES,
    MARKETING_SPEND,
    COGS,
    FX_RATES,
    truth::EFFECTS,
    truth::INCIDENTS,
    truth::POPULATION,
    truth::CUSTOMER_TRAITS,
    truth::SUBSCRIPTION_TRAITS,
    truth::INJECTED_DEFECTS,
];

const PLANS: Table = Table {
    schema: super::RAW,
    name: "plans",
    comment: "One row per plan.",
    key: "plan_id",
    cursor: "updated_at",
    columns: &[
        col("plan_id", Text, "the plan").one_of(v::PLANS),
        col("name", Text, "for people"),
        col("tier_rank", Int4, "1 is the smallest"),
        col("max_users", Int4, "null: no limit").null(),
        updated_at(),
    ],
};

const PRICES: Table = Table {
    schema: super::RAW,
    name: "prices",
    comment: "One row per plan, currency and interval (enterprise has several list prices).",
    key: "price_id",
    cursor: "updated_at",
    columns: &[
        col("price_id", Text, "the price"),
        col("plan_id", Text, "the plan").to("plans"),
        currency(),
        col("interval", Text, "billing interval").one_of(v::INTERVALS),
        col(
            "interval_count",
            Int4,
            "intervals per period, always 1 today",
        ),
        col(
            "unit_minor",
            Int8,
            "price of one seat per period, before discount and tax",
        ),
        col("valid_from", Timestamptz, "sold from"),
        col("valid_to", Timestamptz, "sold until; null: still sold").null(),
        updated_at(),
    ],
};

const CUSTOMERS: Table = Table {
    schema: super::RAW,
    name: "customers",
    comment: "One row per company that signed up. Changes when it is deleted.",
    key: "customer_id",
    cursor: "updated_at",
    columns: &[
        col("customer_id", Text, "the customer"),
        col("company_name", Text, "made up"),
        col("industry", Text, "industry").one_of(v::INDUSTRIES),
        col("company_size", Text, "head count").one_of(v::COMPANY_SIZES),
        col("country", Char2, "ISO 3166").one_of(v::COUNTRIES),
        currency(),
        col("timezone", Text, "IANA name"),
        col("channel", Text, "acquisition channel").one_of(v::CHANNELS),
        col("campaign", Text, "paid and social only").null(),
        col("signup_at", Timestamptz, "when it signed up"),
        col(
            "is_test",
            Bool,
            "an account of our own staff; leave it out of every figure",
        ),
        updated_at(),
        col(
            "deleted_at",
            Timestamptz,
            "when it asked to be forgotten; its history stays",
        )
        .null(),
    ],
};

const USERS: Table = Table {
    schema: super::RAW,
    name: "users",
    comment: "One row per user of a customer. Changes when deactivated.",
    key: "user_id",
    cursor: "updated_at",
    columns: &[
        col("user_id", Text, "the user"),
        customer(),
        col("role", Text, "role").one_of(v::ROLES),
        col("platform", Text, "main platform").one_of(v::PLATFORMS),
        created_at(),
        col(
            "deactivated_at",
            Timestamptz,
            "seat removed or subscription ended",
        )
        .null(),
        updated_at(),
    ],
};

const PAYMENT_METHODS: Table = Table {
    schema: super::RAW,
    name: "payment_methods",
    comment: "One row per card, wallet or bank account. Changes when refreshed or detached.",
    key: "payment_method_id",
    cursor: "updated_at",
    columns: &[
        col("payment_method_id", Text, "the method"),
        customer(),
        col("type", Text, "kind").one_of(v::METHODS),
        col("brand", Text, "cards and wallets only")
            .null()
            .one_of(v::BRANDS),
        col("issuer_country", Char2, "ISO 3166").one_of(v::COUNTRIES),
        col("exp_month", Int4, "cards only").null(),
        col("exp_year", Int4, "cards only").null(),
        col("attached_at", Timestamptz, "since when it is in use"),
        col("detached_at", Timestamptz, "when replaced or given up").null(),
        col("updated_by", Text, "who gave us this version").one_of(v::UPDATED_BY),
        updated_at(),
    ],
};

const SUBSCRIPTIONS: Table = Table {
    schema: super::RAW,
    name: "subscriptions",
    comment: "One row per subscription with its present state; see subscription_events for the past.",
    key: "subscription_id",
    cursor: "updated_at",
    columns: &[
        col("subscription_id", Text, "the subscription"),
        customer(),
        col("status", Text, "present state").one_of(v::SUBSCRIPTION_STATUSES),
        col("price_id", Text, "present price").to("prices"),
        col("quantity", Int4, "present seats"),
        currency(),
        col("started_at", Timestamptz, "when made, trial included"),
        col("trial_start", Timestamptz, "null: no trial").null(),
        col("trial_end", Timestamptz, "null: no trial").null(),
        col(
            "activated_at",
            Timestamptz,
            "first paid instant; null: never left its trial",
        )
        .null(),
        col("period_start", Timestamptz, "present period, inclusive"),
        col("period_end", Timestamptz, "present period, exclusive"),
        col("cancel_requested_at", Timestamptz, "null: no request open").null(),
        col("cancel_at_period_end", Bool, "ends when the period does"),
        col("ended_at", Timestamptz, "null: goes on").null(),
        col("end_reason", Text, "null: goes on")
            .null()
            .one_of(v::END_REASONS),
        col("payment_method_id", Text, "null: trial without card")
            .null()
            .to("payment_methods"),
        updated_at(),
    ],
};

const SUBSCRIPTION_EVENTS: Table = Table {
    schema: super::RAW,
    name: "subscription_events",
    comment: "One row per change of a subscription, with what is in force after it. Never changes.",
    key: "event_id",
    cursor: "received_at",
    columns: &[
        col("event_id", Text, "the event"),
        subscription(),
        customer(),
        col("type", Text, "what happened").one_of(v::SUBSCRIPTION_EVENTS),
        col("effective_at", Timestamptz, "from when it holds"),
        col("price_id", Text, "price after it").to("prices"),
        col("quantity", Int4, "seats after it"),
        col("discount_id", Text, "discount after it")
            .null()
            .to("discounts"),
        received_at(),
    ],
};

const DISCOUNTS: Table = Table {
    schema: super::RAW,
    name: "discounts",
    comment: "One row per discount on a subscription. Never changes.",
    key: "discount_id",
    cursor: "created_at",
    columns: &[
        col("discount_id", Text, "the discount"),
        subscription(),
        customer(),
        col("promo_code", Text, "code used").one_of(v::PROMO_CODES),
        col("percent_off", Int4, "1 to 100; null: amount_off").null(),
        col(
            "amount_off",
            Int8,
            "minor units; null: percent_off (always today)",
        )
        .null(),
        currency(),
        col("duration", Text, "how long").one_of(v::DISCOUNT_DURATIONS),
        col(
            "start_at",
            Timestamptz,
            "invoices with a period starting from here, inclusive",
        ),
        col("end_at", Timestamptz, "to here, exclusive; null: forever").null(),
        created_at(),
    ],
};

const INVOICES: Table = Table {
    schema: super::RAW,
    name: "invoices",
    comment: "One row per invoice. Changes as it goes draft, open, then paid, void or uncollectible.",
    key: "invoice_id",
    cursor: "updated_at",
    columns: &[
        col("invoice_id", Text, "the invoice"),
        subscription(),
        customer(),
        currency(),
        col("status", Text, "present state").one_of(v::INVOICE_STATUSES),
        col("billing_reason", Text, "why made").one_of(v::BILLING_REASONS),
        col(
            "collection_method",
            Text,
            "send_invoice: the customer transfers the money",
        )
        .one_of(v::COLLECTION_METHODS),
        col("subtotal", Int8, "sum of the lines' amount"),
        col("discount", Int8, "sum of the lines' discount"),
        col("tax", Int8, "sum of the lines' tax"),
        col("total", Int8, "subtotal - discount + tax"),
        col("credit_applied", Int8, "taken from the credit balance"),
        col("amount_due", Int8, "total - credit_applied"),
        col("amount_paid", Int8, "paid so far; amount_due once paid"),
        col("period_start", Timestamptz, "what it bills, inclusive"),
        col("period_end", Timestamptz, "what it bills, exclusive"),
        created_at(),
        col("finalized_at", Timestamptz, "null: draft").null(),
        col("due_at", Timestamptz, "when the first attempt is due"),
        col("paid_at", Timestamptz, "null: not paid").null(),
        col("voided_at", Timestamptz, "null: not void").null(),
        col("uncollectible_at", Timestamptz, "when written off").null(),
        updated_at(),
    ],
};

const INVOICE_LINES: Table = Table {
    schema: super::RAW,
    name: "invoice_lines",
    comment: "One row per line of an invoice. Never changes.",
    key: "line_id",
    cursor: "created_at",
    columns: &[
        col("line_id", Text, "the line"),
        invoice(),
        subscription(),
        col("price_id", Text, "the price").to("prices"),
        col("type", Text, "kind").one_of(v::LINE_TYPES),
        col("quantity", Int4, "seats"),
        currency(),
        col(
            "amount",
            Int8,
            "before discount and tax; negative: credit for unused time",
        ),
        col("discount", Int8, "taken off the amount"),
        col("tax", Int8, "on amount - discount"),
        col("period_start", Timestamptz, "inclusive"),
        col("period_end", Timestamptz, "exclusive"),
        col("is_proration", Bool, "for a part of a period"),
        created_at(),
    ],
};

const PAYMENT_ATTEMPTS: Table = Table {
    schema: super::RAW,
    name: "payment_attempts",
    comment: "One row per try to collect an invoice. Changes when a pending one settles, and when a bank returns a debit.",
    key: "attempt_id",
    cursor: "updated_at",
    columns: &[
        col("attempt_id", Text, "the attempt"),
        invoice(),
        customer(),
        col("payment_method_id", Text, "method used").to("payment_methods"),
        col("attempt_number", Int4, "1, 2, … within the invoice"),
        col("initiator", Text, "who started it").one_of(v::INITIATORS),
        col("attempted_at", Timestamptz, "when"),
        currency(),
        col(
            "amount",
            Int8,
            "all that is owed of the invoice, or the part that is paid",
        ),
        col("outcome", Text, "what became of it").one_of(v::OUTCOMES),
        col(
            "settled_at",
            Timestamptz,
            "when the outcome was known; null: pending",
        )
        .null(),
        col("decline_code", Text, "failed only")
            .null()
            .one_of(v::DECLINE_CODE_NAMES),
        col("network_code", Text, "the network's own code, failed only").null(),
        updated_at(),
    ],
};

const REFUNDS: Table = Table {
    schema: super::RAW,
    name: "refunds",
    comment: "One row per refund of a payment. Changes once, when it succeeds.",
    key: "refund_id",
    cursor: "updated_at",
    columns: &[
        col("refund_id", Text, "the refund"),
        col("attempt_id", Text, "the payment").to("payment_attempts"),
        invoice(),
        customer(),
        currency(),
        col("amount", Int8, "given back, positive"),
        col("reason", Text, "why").one_of(v::REFUND_REASONS),
        col("status", Text, "present state").one_of(v::REFUND_STATUSES),
        created_at(),
        col("succeeded_at", Timestamptz, "null: pending").null(),
        updated_at(),
    ],
};

const CREDIT_NOTES: Table = Table {
    schema: super::RAW,
    name: "credit_notes",
    comment: "One row per credit given to a customer's balance. Never changes today.",
    key: "credit_note_id",
    cursor: "updated_at",
    columns: &[
        col("credit_note_id", Text, "the credit note"),
        invoice(),
        customer(),
        currency(),
        col("amount", Int8, "added to the balance, positive"),
        col("reason", Text, "why").one_of(v::CREDIT_NOTE_REASONS),
        col("status", Text, "present state").one_of(v::CREDIT_NOTE_STATUSES),
        col("issued_at", Timestamptz, "when"),
        updated_at(),
    ],
};

const DUNNING_EVENTS: Table = Table {
    schema: super::RAW,
    name: "dunning_events",
    comment: "One row per message about a failed payment. Changes when opened or clicked.",
    key: "dunning_event_id",
    cursor: "updated_at",
    columns: &[
        col("dunning_event_id", Text, "the message"),
        invoice(),
        customer(),
        col("kind", Text, "what it says").one_of(v::DUNNING_KINDS),
        col("step", Int4, "1, 2, … within the invoice"),
        col("sent_at", Timestamptz, "when sent"),
        col("opened_at", Timestamptz, "null: not opened").null(),
        col("clicked_at", Timestamptz, "null: not clicked").null(),
        updated_at(),
    ],
};

const CHURN_EVENTS: Table = Table {
    schema: super::RAW,
    name: "churn_events",
    comment: "One row per cancel request, withdrawal of one, or end of a paid subscription. Never changes.",
    key: "event_id",
    cursor: "received_at",
    columns: &[
        col("event_id", Text, "the event"),
        customer(),
        subscription(),
        col("event_type", Text, "what happened").one_of(v::CHURN_EVENTS),
        col("kind", Text, "whose will it was").one_of(v::CHURN_KINDS),
        col("reason", Text, "reason given").one_of(v::CHURN_REASONS),
        col(
            "occurred_at",
            Timestamptz,
            "when; for churned: ended_at of the subscription",
        ),
        received_at(),
    ],
};

const PRODUCT_EVENTS: Table = Table {
    schema: super::RAW,
    name: "product_events",
    comment: "One row per burst of use of one feature by one user. Never changes.",
    key: "event_id",
    cursor: "received_at",
    columns: &[
        col("event_id", Text, "the event"),
        col("user_id", Text, "who").to("users"),
        customer(),
        col("session_id", Text, "same for events of one sitting"),
        col("name", Text, "what was done").one_of(v::PRODUCT_EVENT_NAMES),
        col("feature", Text, "product area").one_of(v::FEATURES),
        col("actions", Int4, "actions in the burst, at least 1"),
        col("platform", Text, "platform").one_of(v::PLATFORMS),
        col("country", Char2, "ISO 3166").one_of(v::COUNTRIES),
        col("occurred_at", Timestamptz, "when"),
        received_at(),
        col("props", Jsonb, "details of some events").null(),
    ],
};

const SESSIONS: Table = Table {
    schema: super::RAW,
    name: "sessions",
    comment: "One row per sitting of a user, once half an hour has passed without an event. Never changes.",
    key: "session_id",
    cursor: "received_at",
    columns: &[
        col("session_id", Text, "the sitting"),
        col("user_id", Text, "who").to("users"),
        customer(),
        col("platform", Text, "platform").one_of(v::PLATFORMS),
        col("country", Char2, "ISO 3166").one_of(v::COUNTRIES),
        col("started_at", Timestamptz, "its first event"),
        col("ended_at", Timestamptz, "its last event"),
        col("events", Int4, "rows of product_events in it"),
        received_at(),
    ],
};

const DISPUTES: Table = Table {
    schema: super::RAW,
    name: "disputes",
    comment: "One row per payment that the cardholder disputed. Changes once, when it is won or lost.",
    key: "dispute_id",
    cursor: "updated_at",
    columns: &[
        col("dispute_id", Text, "the dispute"),
        col("attempt_id", Text, "the payment").to("payment_attempts"),
        invoice(),
        customer(),
        currency(),
        col("amount", Int8, "disputed: what was not given back before"),
        col("reason", Text, "why").one_of(v::DISPUTE_REASONS),
        col("status", Text, "present state").one_of(v::DISPUTE_STATUSES),
        col("opened_at", Timestamptz, "when we were told"),
        col("resolved_at", Timestamptz, "null: open").null(),
        updated_at(),
    ],
};

const MARKETING_SPEND: Table = Table {
    schema: super::RAW,
    name: "marketing_spend",
    comment: "One row per day and channel: sales and marketing, loaded cost. Never changes today.",
    key: "spend_id",
    cursor: "updated_at",
    columns: &[
        col("spend_id", Text, "the day and channel"),
        col("spent_on", Date, "the day"),
        col("channel", Text, "acquisition channel").one_of(v::CHANNELS),
        currency(),
        col("amount", Int8, "spent, minor units"),
        updated_at(),
    ],
};

const COGS: Table = Table {
    schema: super::RAW,
    name: "cogs",
    comment: "One row per month and category: cost of serving, booked on the fifth of the next month. Never changes today.",
    key: "cost_id",
    cursor: "updated_at",
    columns: &[
        col("cost_id", Text, "the month and category"),
        col("month_start", Date, "first day of the month"),
        col("category", Text, "what for").one_of(v::COST_CATEGORIES),
        currency(),
        col("amount", Int8, "cost, minor units"),
        updated_at(),
    ],
};

const FX_RATES: Table = Table {
    schema: super::RAW,
    name: "fx_rates",
    comment: "One row per day and currency: the market's rate in US dollars. Never changes today.",
    key: "rate_id",
    cursor: "updated_at",
    columns: &[
        col("rate_id", Text, "the day and currency"),
        col("rate_date", Date, "the day"),
        currency(),
        col("usd_per_unit", Float8, "US dollars for one unit"),
        updated_at(),
    ],
};
