//! A node that was built but that nobody sees yet, and how it becomes what readers see.

use crate::names::Relation;

/// A node that was built but that nobody sees yet.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What tests and children read: a table or view in the run's shadow schema.
    pub relation: Relation,
    /// How it becomes what readers see.
    pub publication: Publication,
    /// Rows written, where the server said so.
    pub rows: Option<u64>,
    /// Things worth telling.
    pub warnings: Vec<String>,
}

/// How a candidate becomes what readers see.
#[derive(Clone, Debug)]
pub enum Publication {
    /// The candidate table takes the live name.
    Table,
    /// The view is created under its live name from this statement (live names in it).
    View {
        /// The statement.
        create: String,
    },
    /// The live table stays; these statements, run in order inside the publish transaction
    /// (after BEGIN, before any exclusive lock), apply the delta. Each is one or more
    /// statements separated by semicolons, without the last one's.
    Delta {
        /// Changes of the live table's columns, which take a short exclusive lock; may be empty.
        alter: Vec<String>,
        /// What brings the delta in.
        apply: Vec<String>,
        /// Post-hooks, comments and privileges, on the live table.
        then: Vec<String>,
    },
}
