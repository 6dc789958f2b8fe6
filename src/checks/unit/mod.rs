//! Unit tests, as far as they are values: rows as SQL, the statement that compares what a model
//! gives with what it should give, and the difference for people. The runner renders templates and
//! asks Postgres.

mod compare;
mod diff;
mod fixture;
mod types;

pub use compare::{Comparison, Expected, comparison, describe_columns, describe_types, read};
pub use diff::{Difference, render};
pub use fixture::{
    Known, Origin, StandIn, TypedColumn, UnknownColumn, rows_sql, stand_in, value_checks,
};
