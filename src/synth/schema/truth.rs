//! The tables of the schema `truth`, column by column: the answers, for tests alone.

use super::Type::{Bool, Float8, Int4, Text, Timestamptz};
use super::tables::{col, created_at, customer, subscription, updated_at};
use super::{TRUTH, Table};
use crate::synth::vocab as v;

pub(super) const EFFECTS: Table = Table {
    schema: TRUTH,
    name: "effects",
    comment: "One row per planted effect and segment: the number that the simulation uses.",
    key: "effect_id",
    cursor: "updated_at",
    columns: &[
        col("effect_id", Text, "the effect in the segment"),
        col("effect", Text, "what it does").one_of(v::EFFECTS),
        col("segment", Text, "whom or what it concerns"),
        col("unit", Text, "what the value is").one_of(v::EFFECT_UNITS),
        col("value", Float8, "the number"),
        col("lasts_days", Int4, "null: always").null(),
        col("meaning", Text, "for people"),
        updated_at(),
    ],
};

pub(super) const INCIDENTS: Table = Table {
    schema: TRUTH,
    name: "incidents",
    comment: "One row per planted incident, those to come included.",
    key: "incident_id",
    cursor: "updated_at",
    columns: &[
        col("incident_id", Text, "the incident"),
        col("kind", Text, "what went wrong").one_of(v::INCIDENTS),
        col("metric", Text, "the daily series in which it shows"),
        col("cut_value", Text, "the value of that series' cut"),
        col("starts_at", Timestamptz, "inclusive"),
        col("ends_at", Timestamptz, "exclusive"),
        col(
            "factor",
            Float8,
            "the expected count in it, by the usual one",
        ),
        col("meaning", Text, "for people"),
        updated_at(),
    ],
};

pub(super) const POPULATION: Table = Table {
    schema: TRUTH,
    name: "population",
    comment: "One row per figure, segment and horizon: what the planted numbers amount to in a very large company.",
    key: "figure_id",
    cursor: "updated_at",
    columns: &[
        col(
            "figure_id",
            Text,
            "the figure in the segment at the horizon",
        ),
        col("figure", Text, "what it is").one_of(v::POPULATION_FIGURES),
        col("segment", Text, "stratum and value, or kind of churn"),
        col("at_days", Int4, "after so many days"),
        col("value", Float8, "the number"),
        updated_at(),
    ],
};

pub(super) const CUSTOMER_TRAITS: Table = Table {
    schema: TRUTH,
    name: "customer_traits",
    comment: "One row per customer: what was drawn at its signup and is seen in no raw row.",
    key: "customer_id",
    cursor: "created_at",
    columns: &[
        customer(),
        col(
            "first_failure_chance",
            Float8,
            "that a first attempt fails, without incidents",
        ),
        col("channel_factor", Float8, "on its chance to cancel"),
        col("trial_came_alive", Bool, "null: no trial").null(),
        created_at(),
    ],
};

pub(super) const SUBSCRIPTION_TRAITS: Table = Table {
    schema: TRUTH,
    name: "subscription_traits",
    comment: "One row per subscription: its own chance to cancel.",
    key: "subscription_id",
    cursor: "created_at",
    columns: &[
        subscription(),
        customer(),
        col(
            "monthly_cancel_chance",
            Float8,
            "in a month, before all factors",
        ),
        created_at(),
    ],
};

pub(super) const INJECTED_DEFECTS: Table = Table {
    schema: TRUTH,
    name: "injected_defects",
    comment: "One row per defect that `--dirt` put into a raw table.",
    key: "defect_id",
    cursor: "updated_at",
    columns: &[
        col("defect_id", Text, "the defect"),
        col("raw_table", Text, "where it is"),
        col("record_id", Text, "key of the row"),
        col("kind", Text, "what is wrong with it").one_of(v::DEFECTS),
        col("fate", Text, "what staging must do").one_of(v::DEFECT_FATES),
        updated_at(),
    ],
};
