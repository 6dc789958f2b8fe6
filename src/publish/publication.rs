//! How a finished candidate becomes what readers see.

use super::facts::Facts;

/// How a candidate becomes what readers see.
#[derive(Clone, Debug)]
pub enum Publication {
    /// The candidate table takes the live name, or its rows are exchanged for the live ones.
    Table {
        /// What was known of the live relation when the candidate took over its owner,
        /// privileges and comments.
        inherited: Box<Facts>,
    },
    /// The candidate materialized view takes the live name, or is created anew under it where
    /// what it reads does not move with it.
    MaterializedView {
        /// As for a table.
        inherited: Box<Facts>,
        /// The whole `create materialized view`, with live names in it, and its indexes.
        create: String,
        /// Statements that follow where it is created anew.
        then: Vec<String>,
    },
    /// A view is created under its live name.
    View {
        /// The whole `create view`, with live names in it.
        create: String,
        /// Statements that follow inside the publish transaction.
        then: Vec<String>,
    },
    /// A function is created or replaced under its live name.
    Function {
        /// The whole statement, with live names in it, and what follows it.
        create: Vec<String>,
        /// The statement that drops the candidate.
        drop: String,
    },
    /// The live table stays and takes in a delta.
    Delta {
        /// Schema changes of the live table; they come first.
        alter: Vec<String>,
        /// Statements that apply the delta, in order.
        apply: Vec<String>,
        /// Statements that follow, for example the node's post-hooks.
        then: Vec<String>,
        /// Statements that drop the delta and what else was staged, once it is applied.
        garbage: Vec<String>,
    },
}
