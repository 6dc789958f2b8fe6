//! A seed's columns, types and rows, and what was wrong with the file.

use std::fmt;
use std::path::Path;

use indexmap::IndexMap;

use super::blocks::Blocks;
use super::chunks::SeedChunks;
use super::copy::CopyFormat;
use super::problem::SeedProblem;
use super::rows::Layout;
use super::value::Reading;

/// How to read a seed's file.
#[derive(Clone, Debug)]
pub struct SeedOptions {
    /// `delimiter`: one ASCII character.
    pub delimiter: String,
    /// `column_types`: column to type, which then is not inferred.
    pub column_types: IndexMap<String, String>,
    /// For projects of ours: text that would not survive being a number (`007`, `1_000`)
    /// stays text; a row with too few values, and a header with a name missing or twice,
    /// are problems; empty lines are nothing. Otherwise as dbt does: `007` is 7, missing
    /// values are NULL, headers are renamed, an empty line is a row of NULLs.
    pub strict: bool,
}

impl Default for SeedOptions {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            column_types: IndexMap::new(),
            strict: false,
        }
    }
}

/// A column of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedColumn {
    /// Its name as the header has it.
    pub name: String,
    /// Its type: as given, or as inferred.
    pub data_type: String,
    pub(super) reading: Reading,
}

/// What a seed's file holds.
#[derive(Clone, Debug)]
pub struct SeedShape {
    /// The columns, in order; at least one.
    pub columns: Vec<SeedColumn>,
    /// The data rows.
    pub rows: u64,
    /// How the rows are handed to COPY.
    pub format: CopyFormat,
    /// Worth telling, but stops nothing.
    pub warnings: Vec<SeedProblem>,
    pub(super) layout: Layout,
}

impl SeedShape {
    /// The file's rows as bytes for `copy … from stdin`, with the options that
    /// [`CopyFormat::options`] gives and all columns in order.
    ///
    /// # Errors
    /// When the file cannot be opened any more.
    pub fn chunks(&self, path: &Path) -> Result<SeedChunks, SeedProblem> {
        SeedChunks::open(self, path)
    }

    /// The line of the file, from 1, at which a data row (from 1) begins: Postgres' errors
    /// count rows.
    pub fn line_of_row(&self, path: &Path, row: u64) -> Option<u64> {
        let mut seen = 0;
        for block in Blocks::open(path, self.layout.delimiter).ok()? {
            let block = block.ok()?;
            let mut found = None;
            self.layout.each_row(&block, |here| {
                seen += 1;
                if seen == row {
                    found = Some(block.line_at(here.start));
                    return std::ops::ControlFlow::Break(());
                }
                std::ops::ControlFlow::Continue(())
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// The place that Postgres names when a COPY fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyPlace {
    /// The row, from 1.
    pub row: u64,
    /// The column, where it says one.
    pub column: Option<String>,
    /// The value, where it says one (none in binary).
    pub value: Option<String>,
}

impl CopyPlace {
    /// Reads the CONTEXT of an error, for example
    /// `COPY seed, line 12, column amount: "abc"`.
    pub fn parse(context: &str) -> Option<Self> {
        let line = context.lines().find(|line| line.starts_with("COPY "))?;
        let starts = line
            .match_indices(", line ")
            .map(|(at, word)| &line[at + word.len()..]);
        let after = starts
            .into_iter()
            .find(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))?;
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let row = after[..digits].parse().ok()?;
        let rest = &after[digits..];
        let (column, value) = match rest.strip_prefix(", column ") {
            Some(rest) => match rest.split_once(": ") {
                Some((column, value)) => (Some(column), Some(value)),
                None => (Some(rest), None),
            },
            None => (None, None),
        };
        let unquoted = |value: &str| value.trim_matches('"').to_owned();
        Some(Self {
            row,
            column: column.map(str::to_owned),
            value: value.map(unquoted),
        })
    }
}

impl fmt::Display for SeedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.data_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: u64, column: Option<&str>, value: Option<&str>) -> Option<CopyPlace> {
        Some(CopyPlace {
            row,
            column: column.map(str::to_owned),
            value: value.map(str::to_owned),
        })
    }

    #[test]
    fn the_place_of_a_failed_copy_is_read_from_its_context() {
        let read = CopyPlace::parse;
        assert_eq!(
            read("COPY seed, line 12, column amount: \"abc\""),
            place(12, Some("amount"), Some("abc"))
        );
        assert_eq!(
            read("COPY seed, line 3, column a"),
            place(3, Some("a"), None)
        );
        assert_eq!(read("COPY seed, line 3: \"1\t2\""), place(3, None, None));
        assert_eq!(read("COPY seed, line 3"), place(3, None, None));
        assert_eq!(
            read("PL/pgSQL function f()\nCOPY \"a, line b\", line 7, column \"x\": \", line y\""),
            place(7, Some("\"x\""), Some(", line y"))
        );
        assert_eq!(read("SQL statement"), None);
    }
}
