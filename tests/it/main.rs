//! All integration tests but the architecture test: one binary, one module per topic.

mod cases;
mod dbt;
mod errors;
mod freshness;
mod fuse;
mod graph;
mod hints;
mod ingest;
mod ledger;
mod money;
mod mutants;
mod oracle;
mod overlay;
mod pg;
mod project;
mod publish;
mod reference;
mod run;
mod support;
mod synth;
mod unit_tests;
