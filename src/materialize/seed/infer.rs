//! A seed's column types from its values, by dbt's rules, with all cores and in flat memory.
//!
//! A column's type is the first of integer, number, date, timestamp, ISO timestamp, boolean
//! and text that all its values are; NULL is any of them.

use std::ops::ControlFlow;
use std::path::Path;

use memchr::memchr;
use rayon::iter::{ParallelBridge, ParallelIterator};

use super::blocks::{Block, Blocks, Fault};
use super::copy::CopyFormat;
use super::header::{Header, read_header};
use super::number::{self, Size};
use super::problem::SeedProblem;
use super::rows::{Layout, Row};
use super::shape::{SeedColumn, SeedOptions, SeedShape};
use super::value::{Given, Inferred, Reading, boolean, is_null};
use super::{instant, records::Records};

/// So many problems are told; the first ones are usually the cause of the rest.
const TOLD: usize = 20;

/// Finds out what a seed's file holds, reading all of it.
///
/// # Errors
/// The first problems of the file, in order of lines.
pub fn infer(path: &Path, options: &SeedOptions) -> Result<SeedShape, Vec<SeedProblem>> {
    let layout = Layout {
        delimiter: delimiter(&options.delimiter).map_err(|problem| vec![problem])?,
        strict: options.strict,
    };
    let fault = |fault: &Fault| vec![SeedProblem::fault(path, fault)];
    let blocks = Blocks::open(path, layout.delimiter);
    let mut blocks = blocks.map_err(|error| vec![SeedProblem::io(path, &error)])?;
    let first = match blocks.next() {
        Some(Ok(block)) => block,
        Some(Err(error)) => return Err(fault(&error)),
        None => {
            return Err(vec![
                SeedProblem::new("the file is empty")
                    .hint("write a header line with the names of its columns"),
            ]);
        }
    };
    let header = read_header(&first, layout, options)?;
    let reader = Reader::new(&header, layout, options);
    let mut found = reader.block(&first);
    let rest = blocks
        .par_bridge()
        .map(|block| block.map(|b| reader.block(&b)));
    let rest = rest.try_reduce(|| reader.nothing(), |a, b| Ok(a.and(b)));
    found = found.and(rest.map_err(|error| fault(&error))?);
    found.into_shape(header, layout, options)
}

fn delimiter(text: &str) -> Result<u8, SeedProblem> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(
            SeedProblem::new(format!("delimiter {text:?} is not one ASCII character")).hint(
                "set `delimiter` to a single character such as \",\", \";\", \"|\" or \"\\t\"",
            ),
        ),
    }
}

const NUMBER: u8 = 1;
const DATE: u8 = 2;
const TIMESTAMP: u8 = 4;
const ISO: u8 = 8;
const BOOL: u8 = 16;
const ALL: u8 = 31;

/// What the values of a column, as far as read, have in common.
#[derive(Clone, Copy, Debug)]
enum Facts {
    /// The type is to be inferred: what it may still be besides text, and its numbers' size.
    Inferred { possible: u8, size: Size },
    /// The type is given, and whether all values were plain ones of it.
    Given { given: Given, plain: bool },
}

impl Facts {
    /// Takes one more value.
    fn add(&mut self, text: &str, strict: bool) {
        match self {
            Self::Inferred { possible: 0, .. } | Self::Given { plain: false, .. } => {}
            Self::Given {
                given: Given::Text | Given::Other,
                ..
            } => {}
            Self::Given { given, plain } => *plain = Reading::Given(*given).value(text).is_some(),
            Self::Inferred { possible, size } => {
                if !is_null(text) {
                    narrow(possible, size, text, strict);
                }
            }
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::Inferred { possible, size },
                Self::Inferred {
                    possible: further,
                    size: larger,
                },
            ) => Self::Inferred {
                possible: possible & further,
                size: size.max(larger),
            },
            (Self::Given { given, plain }, Self::Given { plain: also, .. }) => Self::Given {
                given,
                plain: plain && also,
            },
            // Both come from the same header.
            (one, _) => one,
        }
    }

    fn reading(self) -> Reading {
        match self {
            Self::Given { given, plain: true } => Reading::Given(given),
            Self::Given { plain: false, .. } => Reading::Given(Given::Other),
            Self::Inferred { possible, size } => Reading::Inferred(match (possible, size) {
                (p, Size::Int4) if p & NUMBER > 0 => Inferred::Int4,
                (p, Size::Int8) if p & NUMBER > 0 => Inferred::Int8,
                (p, Size::Whole) if p & NUMBER > 0 => Inferred::Numeric,
                (p, Size::Float) if p & NUMBER > 0 => Inferred::Float8,
                (p, _) if p & DATE > 0 => Inferred::Date,
                (p, _) if p & TIMESTAMP > 0 => Inferred::Timestamp,
                (p, _) if p & ISO > 0 => Inferred::IsoTimestamp,
                (p, _) if p & BOOL > 0 => Inferred::Bool,
                _ => Inferred::Text,
            }),
        }
    }
}

/// Takes off `possible` what a value is not.
fn narrow(possible: &mut u8, size: &mut Size, text: &str, strict: bool) {
    if *possible & NUMBER > 0 {
        match number::size(text, strict) {
            Some(found) => *size = found.max(*size),
            None => *possible &= !NUMBER,
        }
    }
    if *possible & DATE > 0 && instant::date(text).is_none() {
        *possible &= !DATE;
    }
    if *possible & TIMESTAMP > 0 && instant::timestamp(text).is_none() {
        *possible &= !TIMESTAMP;
    }
    if *possible & ISO > 0 && instant::iso(text).is_none() {
        *possible &= !ISO;
    }
    if *possible & BOOL > 0 && boolean(text).is_none() {
        *possible &= !BOOL;
    }
}

/// What some blocks hold.
struct Found {
    columns: Vec<Facts>,
    rows: u64,
    /// Rows with too few values, and the line of the first.
    short: (u64, Option<u64>),
    problems: Vec<SeedProblem>,
}

impl Found {
    fn and(mut self, other: Self) -> Self {
        for (one, further) in self.columns.iter_mut().zip(other.columns) {
            *one = one.and(further);
        }
        self.rows += other.rows;
        let first = [self.short.1, other.short.1].into_iter().flatten().min();
        self.short = (self.short.0 + other.short.0, first);
        self.problems.extend(other.problems);
        self.problems.sort_by_key(|problem| problem.line);
        self.problems.truncate(TOLD);
        self
    }

    fn into_shape(
        self,
        header: Header,
        layout: Layout,
        options: &SeedOptions,
    ) -> Result<SeedShape, Vec<SeedProblem>> {
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let mut warnings = header.warnings;
        if let (rows, Some(line)) = self.short {
            let rows = if rows == 1 {
                "1 row has".to_owned()
            } else {
                format!("{rows} rows have")
            };
            let text = format!(
                "{rows} fewer values than the header, the first one here; the missing ones are NULL"
            );
            warnings.push(SeedProblem::at(line, text));
        }
        let column = |(name, facts): (String, &Facts)| {
            let reading = facts.reading();
            let data_type = match (reading, options.column_types.get(&name)) {
                (_, Some(given)) => given.clone(),
                (Reading::Inferred(inferred), None) => inferred.type_name().to_owned(),
                (Reading::Given(_), None) => Inferred::Text.type_name().to_owned(),
            };
            SeedColumn {
                name,
                data_type,
                reading,
            }
        };
        let columns: Vec<_> = header
            .names
            .into_iter()
            .zip(&self.columns)
            .map(column)
            .collect();
        let binary = columns.iter().all(|column| column.reading.is_binary());
        Ok(SeedShape {
            columns,
            rows: self.rows,
            format: if binary {
                CopyFormat::Binary
            } else {
                CopyFormat::Text
            },
            warnings,
            layout,
        })
    }
}

/// Reads blocks of one file.
struct Reader<'a> {
    names: &'a [String],
    columns: Vec<Facts>,
    layout: Layout,
}

impl<'a> Reader<'a> {
    fn new(header: &'a Header, layout: Layout, options: &SeedOptions) -> Self {
        let facts = |name: &String| match options.column_types.get(name) {
            Some(type_name) => Facts::Given {
                given: Given::of(type_name),
                plain: true,
            },
            None => Facts::Inferred {
                possible: ALL,
                size: Size::Int4,
            },
        };
        Self {
            names: &header.names,
            columns: header.names.iter().map(facts).collect(),
            layout,
        }
    }

    fn nothing(&self) -> Found {
        Found {
            columns: self.columns.clone(),
            rows: 0,
            short: (0, None),
            problems: Vec::new(),
        }
    }

    fn block(&self, block: &Block) -> Found {
        let mut found = self.nothing();
        let text = match std::str::from_utf8(&block.bytes) {
            Ok(text) => text,
            Err(error) => {
                found
                    .problems
                    .push(self.not_utf8(block, error.valid_up_to()));
                return found;
            }
        };
        if let Some(at) = memchr(0, &block.bytes) {
            let problem = self.at(block, at, "a NUL character, which Postgres cannot store");
            found.problems.push(problem.hint("remove it from the file"));
            return found;
        }
        self.layout.each_row(block, |row| {
            found.rows += 1;
            for (facts, field) in found.columns.iter_mut().zip(row.fields) {
                facts.add(&field.text(text), self.layout.strict);
            }
            self.check_row(block, text, row, &mut found);
            if found.problems.len() < TOLD {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        found
    }

    fn check_row(&self, block: &Block, text: &str, row: &Row<'_>, found: &mut Found) {
        let (values, columns) = (row.fields.len(), self.names.len());
        let line = || block.line_at(row.start);
        if row.open {
            found.problems.push(self.open_quote(block, row));
        } else if let Some(field) = row.fields.get(columns) {
            let extra = field.text(text);
            let message = format!(
                "{values} values for {columns} columns; {extra:?} is the first without a column"
            );
            let problem = SeedProblem::at(line(), message);
            let hint = "put a value that holds the delimiter into double quotes";
            found.problems.push(problem.hint(hint));
        } else if let (Some(name), true) = (self.names.get(values), self.layout.strict) {
            let plural = if values == 1 { "" } else { "s" };
            let message = format!("{values} value{plural} for {columns} columns");
            let problem = SeedProblem::at(line(), message).in_column(Some(name));
            let hint = "write every delimiter, also those of empty values";
            found.problems.push(problem.hint(hint));
        } else if values < columns {
            found.short.0 += 1;
            found.short.1.get_or_insert_with(line);
        }
    }

    fn open_quote(&self, block: &Block, row: &Row<'_>) -> SeedProblem {
        let start = row.fields.last().map_or(row.start, |field| field.start());
        self.at(block, start, "a quote that is opened here is never closed")
            .hint("close it, or double it if it belongs to the value")
    }

    fn not_utf8(&self, block: &Block, at: usize) -> SeedProblem {
        let byte = block.bytes[at];
        self.at(block, at, &format!("byte 0x{byte:02X} is not valid UTF-8"))
            .hint("save the file as UTF-8 (if it is Latin-1: iconv -f latin1 -t utf-8)")
    }

    /// A problem at a byte, with the line and column in which it lies.
    fn at(&self, block: &Block, byte: usize, message: &str) -> SeedProblem {
        let mut records = Records::new(&block.bytes, self.layout.delimiter);
        let mut fields = Vec::new();
        while records.next(&mut fields).is_some() && records.position() <= byte {}
        let begun = fields
            .iter()
            .take_while(|field| field.start() <= byte)
            .count();
        let column = self.names.get(begun.saturating_sub(1));
        SeedProblem::at(block.line_at(byte), message).in_column(column)
    }
}

#[cfg(test)]
#[path = "infer_tests.rs"]
mod tests;
