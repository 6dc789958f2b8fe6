//! marts: SQL transformations for Postgres, tested with the run that builds them.
//!
//! The crate is a pipeline. Each stage is a function from one type to the next, and a later
//! type wraps what the earlier ones found out, so that nothing is checked twice:
//!
//! | stage | from | to |
//! |---|---|---|
//! | [`cli::args`] | arguments, environment | [`cli::args::Cli`] |
//! | [`project::read`] | folder, profile, vars | [`project::Project`]: declarations with their places |
//! | [`jinja::Engine`] | macros of project and packages | an engine that scans and renders templates |
//! | [`graph::build`] | project, engine | [`graph::Graph`]: no unknown name, no cycle |
//! | [`graph::select`] | graph, criteria | the selected nodes |
//! | [`plan::Plan`] | graph, selected nodes, past run times | [`plan::Step`]s and what each waits for |
//! | [`run::Runner`] | plan, connections | [`event::Event`]s, in one order, and an [`event::RunRecord`] |
//! | [`materialize`] | a node and its compiled SQL, on a [`session::Session`] | [`materialize::Built`] |
//! | [`publish`] | a finished candidate | the published relation |
//! | [`checks`] | a test's compiled SQL | [`checks::Verdict`] |
//! | [`ledger`] | a run's record | entries of `marts_ledger`, chained by hashes |
//! | [`report`] | events | text, JSON lines, `run_results.json` |
//!
//! A node is rendered when it is about to run, because macros may query what was just built;
//! `compile` and `ls` leave the same road earlier. Beside the pipeline stand [`pg`]
//! (connections and the private server; it knows no Jinja), [`synth`] (the simulation that
//! makes raw data; it opens nothing), [`ingest`] (tables moved in from another database), [`artifact`] (dbt's JSON files), and at the bottom
//! [`names`] and [`diag`], which everything uses.
//!
//! Who may import whom is one table in `tests/architecture.rs`; `ARCHITECTURE.md` is the map.

pub mod artifact;
pub mod checks;
pub mod cli;
pub mod diag;
pub mod encode;
pub mod event;
pub mod graph;
pub mod ingest;
pub mod jinja;
pub mod ledger;
pub mod limits;
pub mod materialize;
pub mod money;
pub mod names;
pub mod pg;
pub mod plan;
pub mod project;
pub mod publish;
pub mod report;
pub mod run;
pub mod session;
pub mod stats;
pub mod synth;
