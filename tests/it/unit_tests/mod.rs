//! Unit tests of models, end to end: what they are given, what they expect, and what is told
//! when they fail.

mod inputs;
mod verdicts;

use crate::run::support::Project;

/// A project of one model `m` and a property file.
fn project(sql: &str, yaml: &str) -> Project {
    Project::new(&[("models/m.sql", sql), ("models/schema.yml", yaml)])
}
