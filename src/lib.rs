//! marts: SQL transformations for Postgres, tested before anything is published.

pub mod artifact;
pub mod checks;
pub mod cli;
pub mod diag;
pub mod event;
pub mod graph;
pub mod jinja;
pub mod materialize;
pub mod names;
pub mod pg;
pub mod plan;
pub mod project;
pub mod publish;
pub mod report;
pub mod run;
pub mod session;
pub mod synth;
