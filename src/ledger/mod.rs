//! Evidence of every run: schema `marts_ledger` of the target database holds one entry per run
//! and node, each chained to the one before by SHA-256.
//!
//! Always holds: entries are numbered from 1 without a gap; an entry is written in the same
//! transaction as the head that names it, under a lock on the head's row, so that two runs
//! write one chain. What the hash covers is in [`chain`], the tables are in [`tables`], and
//! writing begins at [`append()`].

mod append;
pub mod chain;
mod entry;
pub mod history;
pub mod published;
pub mod tables;
pub mod verify;

pub use append::{Head, append, record_alone};
pub use entry::{Entry, Kind, Origin};

/// The schema of the ledger, in the target's database.
pub const SCHEMA: &str = "marts_ledger";
