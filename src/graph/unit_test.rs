//! What a unit test says, once its names are resolved: data of [`super::Detail::UnitTest`].

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::NodeIx;
use crate::diag::{FileId, Span};
use crate::project::{FixtureFormat, Overrides};

/// A unit test: rows that its model is given, and the rows that it should make of them.
#[derive(Clone, Debug)]
pub struct UnitTest {
    /// The model that is tested.
    pub tested: NodeIx,
    /// What it is given, in order.
    pub given: Vec<Given>,
    /// What it should give.
    pub expect: Fixture,
    /// What it sees instead of the project's own macros, vars and environment.
    pub overrides: Overrides,
}

/// Rows that stand in for one relation.
#[derive(Clone, Debug)]
pub struct Given {
    /// The input as written, for example `ref('orders')`.
    pub input: String,
    /// Where it is written.
    pub span: Span,
    /// What it stands in for; the tested model itself for `this`.
    pub of: NodeIx,
    /// Whether it is `this`.
    pub is_this: bool,
    /// The rows.
    pub fixture: Fixture,
}

/// Rows as written.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Where they are written.
    pub span: Span,
    /// How.
    pub format: FixtureFormat,
    /// The file under `fixtures/` that has them, by its name.
    pub file: Option<String>,
    /// The rows.
    pub rows: FixtureRows,
}

/// The rows of a fixture.
#[derive(Clone, Debug)]
pub enum FixtureRows {
    /// Values; of CSV every value is text, and an empty one is null.
    Records {
        /// All columns that any row names, in order of first appearance.
        columns: Vec<String>,
        /// The rows.
        rows: Vec<Record>,
    },
    /// A query, with Jinja as written.
    Query {
        /// Its text.
        text: Arc<str>,
        /// The file that it stands in.
        file: FileId,
        /// The line of that file on which it begins, from 1.
        first_line: usize,
    },
    /// Those of the seed's own file.
    SeedFile,
}

/// One row of a fixture.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it is written.
    pub span: Span,
    /// Values by column; a column that is not there is null.
    pub values: IndexMap<String, Json>,
}
