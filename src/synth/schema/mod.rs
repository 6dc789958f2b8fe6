//! The raw tables as data, and the SQL text that is made from them.
//!
//! The list in [`TABLES`] is the contract with the models: names, order and types of columns.
//! Every table has a primary key and a cursor column by which it can be loaded incrementally.

mod tables;
mod truth;

pub use tables::TABLES;

/// The schema of what a company's systems would hold.
pub const RAW: &str = "raw";
/// The schema of what nobody in the company could know: the answers.
pub const TRUTH: &str = "truth";

use std::fmt::Write as _;

use crate::names::{quote_ident, quote_literal};

/// A column's Postgres type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `text`
    Text,
    /// `char(2)`: an ISO 3166 country
    Char2,
    /// `char(3)`: an ISO 4217 currency
    Char3,
    /// `integer`
    Int4,
    /// `bigint`; money is in the currency's minor unit
    Int8,
    /// `double precision`
    Float8,
    /// `boolean`
    Bool,
    /// `date`
    Date,
    /// `timestamptz`
    Timestamptz,
    /// `jsonb`
    Jsonb,
}

impl Type {
    /// The type as Postgres writes it in DDL.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Char2 => "char(2)",
            Self::Char3 => "char(3)",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Float8 => "double precision",
            Self::Bool => "boolean",
            Self::Date => "date",
            Self::Timestamptz => "timestamptz",
            Self::Jsonb => "jsonb",
        }
    }
}

/// One column of a raw table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Whether it may be null.
    pub nullable: bool,
    /// The table whose key it holds.
    pub refs: Option<&'static str>,
    /// Every value it can take, where the list is closed.
    pub values: &'static [&'static str],
    /// What it means.
    pub comment: &'static str,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// [`RAW`], or [`TRUTH`] for what only tests may read.
    pub schema: &'static str,
    /// Its name; no two tables share one, whatever their schemas.
    pub name: &'static str,
    /// One row is one of these; what changes and what does not.
    pub comment: &'static str,
    /// The primary key's column: always the first.
    pub key: &'static str,
    /// The column to load by: `updated_at` where rows change, else `received_at` or `created_at`.
    pub cursor: &'static str,
    /// The columns in the order of the rows' bytes.
    pub columns: &'static [Column],
}

/// The table of that name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|t| t.name == name)
}

impl Table {
    /// Whether rows change after they were first written.
    pub fn is_mutable(&self) -> bool {
        self.cursor == "updated_at"
    }

    /// `create table` for the columns alone; keys and comments come after the rows, as
    /// loading into a table without an index is faster.
    pub fn create_sql(&self, schema: &str) -> String {
        let mut sql = format!("create table {} (", self.qualified(schema));
        for (i, c) in self.columns.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            let null = if c.nullable { "" } else { " not null" };
            let _ = write!(
                sql,
                "{comma}\n    {} {}{null}",
                quote_ident(c.name),
                c.ty.sql()
            );
        }
        sql.push_str("\n)");
        sql
    }

    /// `alter table … add primary key`.
    pub fn key_sql(&self, schema: &str) -> String {
        format!(
            "alter table {} add primary key ({})",
            self.qualified(schema),
            quote_ident(self.key)
        )
    }

    /// `comment on` statements for the table and its columns.
    pub fn comment_sql(&self, schema: &str) -> Vec<String> {
        let relation = self.qualified(schema);
        let mut out = vec![format!(
            "comment on table {relation} is {}",
            quote_literal(self.comment)
        )];
        out.extend(self.columns.iter().map(|c| {
            format!(
                "comment on column {relation}.{} is {}",
                quote_ident(c.name),
                quote_literal(c.comment)
            )
        }));
        out
    }

    /// `insert … select from <from> on conflict (key) do update` with all columns: how the rows
    /// of a later window are taken in. `from` is a rendered relation with the same columns.
    pub fn upsert_sql(&self, schema: &str, from: &str) -> String {
        let list = self.column_list();
        let sets: Vec<String> = self
            .columns
            .iter()
            .filter(|c| c.name != self.key)
            .map(|c| format!("{0} = excluded.{0}", quote_ident(c.name)))
            .collect();
        format!(
            "insert into {} ({list}) select {list} from {from} on conflict ({}) do update set {}",
            self.qualified(schema),
            quote_ident(self.key),
            sets.join(", ")
        )
    }

    /// `copy … from stdin` in Postgres' binary format.
    pub fn copy_sql(&self, relation: &str) -> String {
        format!(
            "copy {relation} ({}) from stdin (format binary)",
            self.column_list()
        )
    }

    /// The columns, quoted, with commas between.
    pub fn column_list(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|c| quote_ident(c.name)).collect();
        names.join(", ")
    }

    /// `"schema"."table"`.
    pub fn qualified(&self, schema: &str) -> String {
        format!("{}.{}", quote_ident(schema), quote_ident(self.name))
    }
}

const PREAMBLE: &str = "# The raw tables

What `marts generate` writes into the schema `raw`. This page is made from `src/synth/schema/tables.rs`;
a test compares the two.

- Ids are text. Times are `timestamptz` in whole seconds. Money is `bigint` in the currency's minor unit
  (ISO 4217: cents, pence, paise; JPY has none, so its amounts are whole yen) beside a `currency` column.
- Load by the cursor: `updated_at` where rows change (take the latest row per key), `received_at` for events
  (they may have happened earlier), `created_at` where rows never change.
- Invoices: `subtotal - discount + tax = total`, `total - credit_applied = amount_due`; subtotal, discount and tax are
  the sums over the lines. A line's `amount` is before discount and tax; proration credits are negative lines.
- The succeeded attempts of a paid invoice add up to its `amount_due`: mostly one, several where it was paid in parts, none where
  nothing was due. Attempts are numbered from 1 without gaps; nothing is attempted once all is paid.
- A refund belongs to a succeeded attempt; an attempt's refunds never exceed its amount.
- A credit note adds to the customer's credit balance (no money leaves); later invoices take it as `credit_applied`.
- A failed invoice ends paid, void (the subscription ended first) or uncollectible, within 23 days of its first attempt. Where a part was
  paid, the rest comes within 12 days or is given up after 30; what was written off may still be paid up to 15 days later.
- A subscription is `past_due` while an invoice of it is failing; the event `recovered` says that none is any more, be it paid or written off.
- `subscription_events` of one instant are in order by (`effective_at`, `received_at`, `event_id`).
- `product_events.event_id` of a user's habits and of account pages follow time within a stay, not over all.
- The last whole second before the day given with `--until` is included; `raw.marts_generated` says which history the schema holds.
- `subscriptions.activated_at` is the first paid instant; null means it never left its trial.
- A customer who returns gets a new subscription under the same customer.
";

const TRUTH_PREAMBLE: &str = "
# The truth

The schema `truth` holds what the simulation knows and nobody in the company could: latent traits, planted effects,
incidents, injected defects. Tests compare the marts with it; no model reads it.
";

/// The document `docs/raw-tables.md`.
pub fn markdown() -> String {
    let mut out = String::from(PREAMBLE);
    for t in TABLES.iter().filter(|t| t.schema == RAW) {
        describe(t, &mut out);
    }
    out.push_str(TRUTH_PREAMBLE);
    for t in TABLES.iter().filter(|t| t.schema == TRUTH) {
        describe(t, &mut out);
    }
    out.push_str(&code_tables());
    out
}

fn describe(t: &Table, out: &mut String) {
    let _ = write!(
        out,
        "\n## {}\n\n{} Key `{}`; load by `{}`.\n\n| column | type | null | meaning |\n|---|---|---|---|\n",
        t.name, t.comment, t.key, t.cursor
    );
    for c in t.columns {
        let null = if c.nullable { "yes" } else { "" };
        let _ = writeln!(
            out,
            "| {} | {} | {null} | {} |",
            c.name,
            c.ty.sql(),
            meaning(c)
        );
    }
}

fn meaning(c: &Column) -> String {
    let mut text = c.comment.to_owned();
    if let Some(t) = c.refs {
        let _ = write!(text, " -> {t}");
    }
    if !c.values.is_empty() {
        let _ = write!(text, ": `{}`", c.values.join("` `"));
    }
    text
}

fn code_tables() -> String {
    let mut out =
        String::from("\n## Decline codes\n\n| code | category | class |\n|---|---|---|\n");
    for (code, category, class) in super::vocab::DECLINE_CODES {
        let _ = writeln!(out, "| {code} | {category} | {class} |");
    }
    out.push_str("\n## Product events\n\n| name | feature | core action |\n|---|---|---|\n");
    for (i, (name, feature)) in super::vocab::PRODUCT_EVENTS.iter().enumerate() {
        let core = if i < super::vocab::CORE_ACTIONS {
            "yes"
        } else {
            ""
        };
        let _ = writeln!(out, "| {name} | {feature} | {core} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_says_what_the_schema_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/raw-tables.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            markdown(),
            "run with UPDATE_DOCS=1"
        );
    }

    #[test]
    fn every_table_has_its_key_first_and_a_cursor_that_is_never_null() {
        for t in TABLES {
            assert_eq!(t.columns[0].name, t.key, "{}", t.name);
            let cursor = t.columns.iter().find(|c| c.name == t.cursor);
            assert!(cursor.is_some_and(|c| !c.nullable), "{}", t.name);
        }
    }

    #[test]
    fn every_reference_names_a_table() {
        for c in TABLES.iter().flat_map(|t| t.columns) {
            assert!(c.refs.is_none_or(|r| table(r).is_some()), "{}", c.name);
        }
    }
}
