//! What a unit test says, once its names are resolved: data of [`super::Detail::UnitTest`].

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{NameTable, NodeIx};
use crate::diag::{Diagnostic, FileId, Span, codes};
use crate::project::{FixtureFormat, Overrides, UnitTestProperties};

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

/// The versions of the model that are tested, each by a node of its own; `None` for a model
/// without versions.
pub(super) fn versions(
    names: &NameTable,
    package: &str,
    written: &UnitTestProperties,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Option<String>> {
    let model = &written.model.value;
    let all = names.versions(package, model);
    let chosen = written.versions.as_ref();
    let list = |key: &str| -> Option<Vec<String>> {
        let list = chosen?.value.get(key)?.as_array()?;
        let text = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        Some(list.iter().map(text).collect())
    };
    let (include, exclude) = (list("include"), list("exclude").unwrap_or_default());
    let named = include.iter().flatten().chain(&exclude);
    let unknown = named.clone().find(|v| !all.contains(v)).cloned();
    if let (Some(unknown), Some(chosen), false) = (unknown, chosen, all.is_empty()) {
        let name = &written.name.value;
        let message =
            format!("unit test `{name}` names version {unknown}, which `{model}` has not");
        let hint = format!("it has {}", all.join(", "));
        let problem = Diagnostic::error(codes::UNIT_TEST_FORM, message);
        problems.push(problem.at(chosen.span, "").hint(hint));
    }
    if all.is_empty() {
        return vec![None];
    }
    let is_chosen =
        |v: &String| include.as_ref().is_none_or(|list| list.contains(v)) && !exclude.contains(v);
    all.into_iter().filter(is_chosen).map(Some).collect()
}
