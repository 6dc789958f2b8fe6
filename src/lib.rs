//! marts: SQL transformations for Postgres, tested before anything is published.

pub mod diag;
pub mod event;
pub mod jinja;
pub mod names;
pub mod synth;
