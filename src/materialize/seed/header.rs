//! A seed's header: the names of its columns.

use super::blocks::Block;
use super::problem::SeedProblem;
use super::records::{End, Records};
use super::rows::Layout;
use super::shape::SeedOptions;
use crate::diag::nearest;

/// The names, each once, and what is worth telling of them.
pub(super) struct Header {
    pub(super) names: Vec<String>,
    pub(super) warnings: Vec<SeedProblem>,
}

/// A name that had to be made up.
struct Renamed {
    text: String,
    to: String,
}

impl Renamed {
    fn problem(self) -> SeedProblem {
        SeedProblem::at(1, self.text).hint("give each column a name of its own")
    }

    fn warning(self) -> SeedProblem {
        let text = format!("{}; this one is called {}", self.text, self.to);
        SeedProblem::at(1, text).hint("give each column a name of its own")
    }
}

/// Reads the header from a file's first block.
pub(super) fn read_header(
    block: &Block,
    layout: Layout,
    options: &SeedOptions,
) -> Result<Header, Vec<SeedProblem>> {
    let written = fields(block, layout).map_err(|problem| vec![problem])?;
    if written.iter().all(|name| name.trim().is_empty()) {
        let problem = SeedProblem::at(1, "the first line names no columns");
        return Err(vec![
            problem.hint("write a header line with the names of the columns"),
        ]);
    }
    let (names, renamed) = unique(&written);
    let mut warnings: Vec<SeedProblem> = Vec::new();
    for name in written
        .iter()
        .filter(|name| !name.is_empty() && name.trim() != *name)
    {
        let text = format!("the name of column {name:?} begins or ends with a blank");
        warnings.push(SeedProblem::at(1, text).hint("remove the blank"));
    }
    if layout.strict && !renamed.is_empty() {
        return Err(renamed.into_iter().map(Renamed::problem).collect());
    }
    warnings.extend(renamed.into_iter().map(Renamed::warning));
    for given in options
        .column_types
        .keys()
        .filter(|given| !names.contains(given))
    {
        warnings.push(unknown(given, &names));
    }
    Ok(Header { names, warnings })
}

fn fields(block: &Block, layout: Layout) -> Result<Vec<String>, SeedProblem> {
    if block.bytes.starts_with(b"\xff\xfe") || block.bytes.starts_with(b"\xfe\xff") {
        return Err(SeedProblem::new("the file is UTF-16, not UTF-8").hint("save it as UTF-8"));
    }
    let mut records = Records::new(&block.bytes, layout.delimiter);
    let mut fields = Vec::new();
    let record = records.next(&mut fields);
    if record.is_some_and(|record| record.end == End::OpenQuote) {
        let problem = SeedProblem::at(1, "a quote in the header is never closed");
        return Err(problem.hint("close the quote"));
    }
    let line = &block.bytes[..records.position()];
    let Ok(text) = std::str::from_utf8(line) else {
        let problem = SeedProblem::at(1, "the header is not valid UTF-8");
        return Err(
            problem.hint("save the file as UTF-8 (if it is Latin-1: iconv -f latin1 -t utf-8)")
        );
    };
    Ok(fields
        .iter()
        .map(|field| field.text(text).into_owned())
        .collect())
}

/// Names by dbt's rules: a missing one becomes its letter (`a` for the first column), one
/// that is taken gets a number.
fn unique(written: &[String]) -> (Vec<String>, Vec<Renamed>) {
    let mut names: Vec<String> = Vec::with_capacity(written.len());
    let mut renamed = Vec::new();
    for (index, name) in written.iter().enumerate() {
        let wanted = if name.is_empty() {
            letters(index)
        } else {
            name.clone()
        };
        let mut unique = wanted.clone();
        let mut number = 2;
        while names.contains(&unique) {
            unique = format!("{wanted}_{number}");
            number += 1;
        }
        let message = if name.is_empty() {
            Some(format!("column {} has no name", index + 1))
        } else if unique != *name {
            Some(format!("column {name} is there twice"))
        } else {
            None
        };
        renamed.extend(message.map(|text| Renamed {
            text,
            to: unique.clone(),
        }));
        names.push(unique);
    }
    (names, renamed)
}

fn letters(index: usize) -> String {
    let letter = char::from(b'a' + (index % 26) as u8);
    letter.to_string().repeat(index / 26 + 1)
}

fn unknown(given: &str, names: &[String]) -> SeedProblem {
    let text = format!("column_types names {given}, which the header does not");
    let problem = SeedProblem::at(1, text);
    match nearest(given, names.iter().map(String::as_str)) {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem.hint(format!("the columns are {}", names.join(", "))),
    }
}
