//! From questions to statements, and from their answers to what is known of each test.

use indexmap::IndexMap;

use super::{Filter, Shape, Unique};
use crate::jinja::Table;

/// A result has at most so many columns here; Postgres' own limit is 1,664.
const MAX_COLUMNS: usize = 1_000;

/// A compiled scan pays only if it is optimized, and inlining functions takes as long as it
/// saves of a scan of millions of rows. Where JIT is off it stays off.
const SETTINGS: &str = "set local jit_inline_above_cost = -1;\nset local jit_above_cost = 500000";

/// What a shared scan knows of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No row fails.
    None,
    /// Some row may fail: the test's own SQL decides.
    Perhaps,
}

/// One statement for the tests `T`.
#[derive(Clone, Debug)]
pub struct Statement<T> {
    /// The text to run.
    pub sql: String,
    /// The tests that it answers.
    pub tests: Vec<T>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Filters,
    /// Apart from filters, since a distinct count keeps Postgres from scanning in parallel.
    Uniques,
}

impl Kind {
    fn columns(self) -> usize {
        match self {
            Self::Filters => 1,
            Self::Uniques => 2,
        }
    }
}

/// Which form of a condition a scan may take, and the question whose answer tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collations {
    /// Whether texts that differ are never equal.
    pub deterministic: bool,
}

impl Collations {
    /// The question to the catalog.
    pub const QUESTION: &str =
        "select 1 from pg_catalog.pg_collation where not collisdeterministic limit 1";

    /// Whether any of these tests has a form that depends on it.
    pub fn matter<T>(tests: &[(T, Shape)]) -> bool {
        tests
            .iter()
            .any(|(_, shape)| matches!(shape, Shape::Filter(filter) if filter.quicker.is_some()))
    }

    /// Reads the answer.
    pub fn read(answer: &Table) -> Self {
        Self {
            deterministic: answer.rows.is_empty(),
        }
    }
}

/// Statements for the tests that can share one, and the tests that are alone in theirs.
pub fn statements<T>(
    tests: Vec<(T, Shape)>,
    collations: Collations,
) -> (Vec<Statement<T>>, Vec<T>) {
    let mut groups: IndexMap<(String, Kind), Vec<(T, Shape)>> = IndexMap::new();
    for (test, shape) in tests {
        let kind = match shape {
            Shape::Filter(_) => Kind::Filters,
            Shape::Unique(_) => Kind::Uniques,
        };
        let key = (shape.origin().text().to_owned(), kind);
        groups.entry(key).or_default().push((test, shape));
    }
    let (mut statements, mut alone) = (Vec::new(), Vec::new());
    for ((from, kind), mut members) in groups {
        while !members.is_empty() {
            let size = members.len().min(MAX_COLUMNS / kind.columns());
            let part: Vec<(T, Shape)> = members.drain(..size).collect();
            if part.len() == 1 {
                alone.extend(part.into_iter().map(|(test, _)| test));
            } else {
                statements.push(Statement::new(&from, kind, part, collations));
            }
        }
    }
    (statements, alone)
}

impl<T> Statement<T> {
    fn new(from: &str, kind: Kind, members: Vec<(T, Shape)>, collations: Collations) -> Self {
        let columns: Vec<String> = members
            .iter()
            .enumerate()
            .map(|(at, (_, shape))| match shape {
                Shape::Filter(filter) => filter_column(filter, collations, at + 1),
                Shape::Unique(unique) => unique_columns(unique, at + 1),
            })
            .collect();
        Self {
            sql: format!(
                "{SETTINGS};\nselect\n    {},\n    count(*) as tested\nfrom {from}",
                columns.join(",\n    ")
            ),
            tests: members.into_iter().map(|(test, _)| test).collect(),
            kind,
        }
    }

    /// How many rows the statement looked at.
    pub fn rows(&self, answer: &Table) -> Option<u64> {
        answer.rows.first()?.last()?.as_deref()?.parse().ok()
    }

    /// What the statement's one row says of each test.
    pub fn read(self, answer: &Table) -> Vec<(T, Found)> {
        let kind = self.kind;
        let cell = |at: usize| answer.rows.first()?.get(at)?.as_deref();
        let found = move |at: usize| match kind {
            Kind::Filters => match cell(at) {
                Some("0") => Found::None,
                _ => Found::Perhaps,
            },
            // Of no rows at all nothing is learned: the key's type may have no hash.
            Kind::Uniques => match (cell(2 * at), cell(2 * at + 1)) {
                (Some(rows), Some(keys)) if rows == keys && rows != "0" => Found::None,
                _ => Found::Perhaps,
            },
        };
        let tests = self.tests.into_iter().enumerate();
        tests.map(|(at, test)| (test, found(at))).collect()
    }
}

fn filter_column(filter: &Filter, collations: Collations, number: usize) -> String {
    let failing = match &filter.quicker {
        Some(quicker) if collations.deterministic => quicker,
        _ => &filter.failing,
    };
    format!("count(*) filter (where {failing}) as t{number}")
}

fn unique_columns(unique: &Unique, number: usize) -> String {
    let counted = match &unique.counted {
        Some(condition) => format!(" filter (where {condition})"),
        None => String::new(),
    };
    format!(
        "count(*){counted} as rows{number},\n    count(distinct hash_record_extended(row({}), \
         0)){counted} as keys{number}",
        unique.keys.join(", ")
    )
}
