//! The difference between actual and expected rows as multisets, and its text: each missing row
//! beside the unexpected one that is most like it.

use std::collections::HashMap;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A row with the rank of each of its values among all values of the column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Equal ranks are equal values.
    pub ranks: Vec<u64>,
    /// Postgres' text form; `None` is NULL.
    pub cells: Vec<Option<String>>,
}

/// What differs.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The compared columns.
    pub columns: Vec<String>,
    /// Rows that are as expected.
    pub equal: usize,
    /// Expected rows, each with the actual row that stands in its place.
    pub changed: Vec<(Row, Row)>,
    /// Expected rows that nothing stands for.
    pub missing: Vec<Row>,
    /// Actual rows that nobody expects.
    pub unexpected: Vec<Row>,
}

/// So many rows of each side are matched and shown; the first ones are enough to see why.
const SHOWN: usize = 50;
/// So many columns are shown before those that do not differ are left out.
const WIDE: usize = 12;
/// A cell longer than this is cut.
const CELL: usize = 40;

impl Difference {
    pub(super) fn new(columns: Vec<String>, actual: Vec<Row>, expected: Vec<Row>) -> Self {
        let mut open: HashMap<Vec<u64>, Vec<Row>> = HashMap::new();
        for row in expected {
            open.entry(row.ranks.clone()).or_default().push(row);
        }
        let mut equal = 0;
        let mut unexpected = Vec::new();
        for row in actual {
            match open.get_mut(&row.ranks).and_then(Vec::pop) {
                Some(_) => equal += 1,
                None => unexpected.push(row),
            }
        }
        let mut missing: Vec<Row> = open.into_values().flatten().collect();
        missing.sort_by(|a, b| a.ranks.cmp(&b.ranks));
        unexpected.sort_by(|a, b| a.ranks.cmp(&b.ranks));
        let changed = matched(&mut missing, &mut unexpected);
        Self {
            columns,
            equal,
            changed,
            missing,
            unexpected,
        }
    }

    /// Whether actual and expected are the same rows.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.missing.is_empty() && self.unexpected.is_empty()
    }
}

/// Takes out pairs of rows that share values, those that share most first.
fn matched(missing: &mut Vec<Row>, unexpected: &mut Vec<Row>) -> Vec<(Row, Row)> {
    let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
    for (e, expected) in missing.iter().enumerate().take(SHOWN * 4) {
        for (a, actual) in unexpected.iter().enumerate().take(SHOWN * 4) {
            let cells = expected.ranks.iter().zip(&actual.ranks);
            let shared = cells.filter(|(one, other)| one == other).count();
            if shared > 0 {
                pairs.push((shared, e, a));
            }
        }
    }
    // Of pairs that share as much, the one that shares the first columns, which are often keys.
    let first_shared = |e: usize, a: usize| {
        let cells = missing[e].ranks.iter().zip(&unexpected[a].ranks);
        cells.take_while(|(one, other)| one == other).count()
    };
    pairs.sort_by_key(|(shared, e, a)| {
        let key = first_shared(*e, *a);
        (std::cmp::Reverse((*shared, key)), *e, *a)
    });
    let mut taken_e = vec![false; missing.len()];
    let mut taken_a = vec![false; unexpected.len()];
    let mut found = Vec::new();
    for (_, e, a) in pairs {
        if !taken_e[e] && !taken_a[a] {
            taken_e[e] = true;
            taken_a[a] = true;
            found.push((e, a));
        }
    }
    found.sort_unstable();
    let changed = found
        .into_iter()
        .map(|(e, a)| (missing[e].clone(), unexpected[a].clone()))
        .collect();
    keep(missing, &taken_e);
    keep(unexpected, &taken_a);
    changed
}

fn keep(rows: &mut Vec<Row>, taken: &[bool]) {
    let mut at = 0;
    rows.retain(|_| {
        at += 1;
        !taken[at - 1]
    });
}

/// A line of the shown table.
struct Line {
    mark: &'static str,
    cells: Vec<Shown>,
}

struct Shown {
    text: String,
    differs: bool,
}

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";

/// The difference for people, a line a row under a line of counts: `-` expected and missing, `+`
/// not expected, `→` a row with other values than expected. With or without colour.
pub fn render(difference: &Difference, color: bool) -> String {
    let shown = shown_columns(difference);
    let mut lines = Vec::new();
    for (expected, actual) in difference.changed.iter().take(SHOWN) {
        let cells = shown.iter().map(|at| changed_cell(expected, actual, *at));
        lines.push(Line {
            mark: "→",
            cells: cells.collect(),
        });
    }
    for (mark, rows) in [("-", &difference.missing), ("+", &difference.unexpected)] {
        for row in rows.iter().take(SHOWN) {
            let cells = shown.iter().map(|at| Shown {
                text: cell(&row.cells[*at]),
                differs: false,
            });
            lines.push(Line {
                mark,
                cells: cells.collect(),
            });
        }
    }
    let head: Vec<String> = shown
        .iter()
        .map(|at| cut(&difference.columns[*at]))
        .collect();
    let mut out = format!("{}\n", counts(difference));
    out.push_str(&table(&head, &lines, color));
    let total = difference.changed.len() + difference.missing.len() + difference.unexpected.len();
    if total > lines.len() {
        out.push_str(&format!("    … {} more\n", total - lines.len()));
    }
    let left_out = difference.columns.len() - shown.len();
    if left_out > 0 {
        out.push_str(&format!(
            "    {left_out} columns that do not differ are left out\n"
        ));
    }
    out.push_str("    - expected, missing; + not expected; → expected → actual");
    out
}

fn counts(difference: &Difference) -> String {
    let mut parts = Vec::new();
    let mut add = |count: usize, one: &str, many: &str| {
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    };
    add(difference.changed.len(), "row differs", "rows differ");
    add(
        difference.missing.len(),
        "row is missing",
        "rows are missing",
    );
    add(
        difference.unexpected.len(),
        "row is not expected",
        "rows are not expected",
    );
    add(
        difference.equal,
        "row is as expected",
        "rows are as expected",
    );
    parts.join(", ")
}

/// All columns of a narrow table; of a wide one the first and those in which changed rows differ.
fn shown_columns(difference: &Difference) -> Vec<usize> {
    let all = 0..difference.columns.len();
    if all.len() <= WIDE {
        return all.collect();
    }
    let differs = |at: &usize| {
        let mut rows = difference.changed.iter();
        *at < 3 || rows.any(|(expected, actual)| expected.ranks[*at] != actual.ranks[*at])
    };
    all.filter(differs).take(WIDE * 2).collect()
}

fn changed_cell(expected: &Row, actual: &Row, at: usize) -> Shown {
    let (was, is) = (cell(&expected.cells[at]), cell(&actual.cells[at]));
    if expected.ranks[at] == actual.ranks[at] {
        return Shown {
            text: is,
            differs: false,
        };
    }
    // Two long texts may begin alike; then what follows the common part says more.
    let text = match (&expected.cells[at], &actual.cells[at]) {
        (Some(a), Some(b)) if was == is => {
            let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
            let from = common.saturating_sub(8);
            let tail = |text: &str| {
                let rest: String = text.chars().skip(from).collect();
                match from {
                    0 => cut(&rest),
                    _ => format!("…{}", cut(&rest)),
                }
            };
            format!("{} → {}", tail(a), tail(b))
        }
        _ => format!("{was} → {is}"),
    };
    Shown {
        text,
        differs: true,
    }
}

/// A cell as it is shown: NULL by its name, text that would be mistaken for nothing in quotes.
fn cell(value: &Option<String>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(text) if text.is_empty() || text == "NULL" || text.trim() != text => {
            cut(&format!("'{text}'"))
        }
        Some(text) => cut(text),
    }
}

/// One line of at most so many characters, without control characters.
fn cut(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for c in text.chars() {
        let c = match c {
            '\n' => '⏎',
            '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        };
        width += c.width().unwrap_or(0);
        if width > CELL {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

fn table(head: &[String], lines: &[Line], color: bool) -> String {
    let widths: Vec<usize> = (0..head.len())
        .map(|at| {
            let cells = lines.iter().map(|line| line.cells[at].text.width());
            cells.chain([head[at].width()]).max().unwrap_or(0)
        })
        .collect();
    let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.width()));
    let mut out = String::from("     ");
    for (name, width) in head.iter().zip(&widths) {
        out.push_str(&format!(" {name}{} ", pad(name, *width)));
    }
    out = format!("{}\n", out.trim_end());
    for line in lines {
        let paint = match line.mark {
            "-" => RED,
            "+" => GREEN,
            _ => YELLOW,
        };
        let mut text = format!("    {}", painted(line.mark, paint, color));
        for (cell, width) in line.cells.iter().zip(&widths) {
            let whole_line = line.mark != "→";
            let shown = painted(&cell.text, paint, color && (cell.differs || whole_line));
            text.push_str(&format!(" {shown}{} ", pad(&cell.text, *width)));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn painted(text: &str, paint: &str, color: bool) -> String {
    match color {
        true => format!("{paint}{text}{PLAIN}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of small texts; equal texts of a column rank equal.
    fn rows(list: &[&[&str]]) -> Vec<Row> {
        let value = |text: &&str| match *text {
            "~" => None,
            text => Some(text.to_owned()),
        };
        let rank = |text: &&str| {
            text.bytes()
                .fold(7_u64, |n, b| n.wrapping_mul(31).wrapping_add(u64::from(b)))
        };
        let row = |cells: &&[&str]| Row {
            ranks: cells.iter().map(rank).collect(),
            cells: cells.iter().map(value).collect(),
        };
        list.iter().map(row).collect()
    }

    fn difference(actual: &[&[&str]], expected: &[&[&str]]) -> Difference {
        let width = actual.iter().chain(expected).next().map_or(0, |r| r.len());
        let names = ["id", "amount", "note", "d"][..width.min(4)].iter();
        Difference::new(
            names.map(|n| (*n).to_owned()).collect(),
            rows(actual),
            rows(expected),
        )
    }

    #[test]
    fn rows_are_compared_as_multisets() {
        assert!(difference(&[&["1"], &["2"]], &[&["2"], &["1"]]).is_empty());
        let twice = difference(&[&["1"], &["1"]], &[&["1"]]);
        assert_eq!((twice.equal, twice.unexpected.len()), (1, 1));
        let once = difference(&[&["1"]], &[&["1"], &["1"]]);
        assert_eq!((once.equal, once.missing.len()), (1, 1));
        assert!(difference(&[], &[]).is_empty());
    }

    #[test]
    fn a_changed_row_stands_beside_the_one_that_is_most_like_it() {
        let shown = render(
            &difference(
                &[&["1", "10", "a"], &["2", "99", "b"], &["4", "5", "~"]],
                &[&["1", "10", "a"], &["2", "20", "b"], &["3", "7", ""]],
            ),
            false,
        );
        assert_eq!(
            shown,
            "1 row differs, 1 row is missing, 1 row is not expected, 1 row is as expected\n      \
             id  amount   note\n    → 2   20 → 99  b\n    - 3   7        ''\n    + 4   5        \
             NULL\n    - expected, missing; + not expected; → expected → actual"
        );
    }

    #[test]
    fn long_texts_are_cut_and_show_where_they_part() {
        let long = "x".repeat(60);
        let (one, other) = (format!("{long}A"), format!("{long}B"));
        let shown = render(&difference(&[&["1", &one]], &[&["1", &other]]), false);
        assert!(shown.contains("…xxxxxxxxB → …xxxxxxxxA"), "{shown}");
        let missing = render(&difference(&[], &[&["1", &one]]), false);
        assert!(
            missing.contains(&format!("{}…", "x".repeat(40))),
            "{missing}"
        );
    }

    #[test]
    fn colour_adds_nothing_but_escapes() {
        let found = difference(&[&["1", "2"]], &[&["1", "3"], &["7", "8"]]);
        let plain = render(&found, false);
        let coloured = render(&found, true);
        assert_ne!(plain, coloured);
        let without = [RED, GREEN, YELLOW, PLAIN]
            .iter()
            .fold(coloured, |text, escape| text.replace(escape, ""));
        assert_eq!(plain, without);
    }
}
