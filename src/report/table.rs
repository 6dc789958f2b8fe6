//! Tables for people and programs: a [`Grid`] as aligned text, as records, as CSV or JSON.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Row, Table};
use serde::{Serialize, Serializer};

use super::format::{clip, one_line, width};
use super::style::{Style, Tone};

/// How a column stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Align {
    /// Text.
    #[default]
    Left,
    /// Numbers.
    Right,
}

/// A table: every row has as many values as there are headers; `None` is NULL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// A line above the table.
    pub title: Option<String>,
    /// Names of the columns.
    pub headers: Vec<String>,
    /// Values as text.
    pub rows: Vec<Vec<Option<String>>>,
    /// How the columns stand; columns beyond its end stand left.
    pub aligns: Vec<Align>,
}

/// What to do with a table that is wider than the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Leave out columns at the right and say how many.
    DropColumns,
    /// One block per row, one line per column, as psql's `\x` does.
    Records,
}

const GAP: usize = 2;
const WIDEST_CELL: usize = 60;

impl Grid {
    /// A grid whose columns stand right where every value is a number.
    pub fn new(headers: Vec<String>, rows: Vec<Vec<Option<String>>>) -> Self {
        let aligns = (0..headers.len()).map(|i| align_of(&rows, i)).collect();
        Self {
            title: None,
            headers,
            rows,
            aligns,
        }
    }

    /// The same under a title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// As aligned text that ends with a newline. Cells wider than 60 columns are cut.
    pub fn text(&self, style: Style, fit: Fit) -> String {
        if self
            .headers
            .iter()
            .any(|header| one_line(header) != *header)
        {
            let headers = self.headers.iter().map(|header| one_line(header)).collect();
            return Self {
                headers,
                ..self.clone()
            }
            .text(style, fit);
        }
        let mut text = String::new();
        if let Some(title) = &self.title {
            text.push_str(&style.paint(Tone::Strong, title));
            text.push_str("\n\n");
        }
        let cells = self.cells();
        let widths = self.widths(&cells);
        let room = style.width.unwrap_or(usize::MAX);
        let needed: usize = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        if needed <= room {
            text.push_str(&self.columns(&cells, widths.len(), style));
        } else if fit == Fit::Records {
            text.push_str(&self.records(&cells, style));
        } else {
            let shown = columns_within(&widths, room);
            text.push_str(&self.columns(&cells, shown, style));
            let more = widths.len() - shown;
            let note = format!("(and {})", super::format::count(more as u64, "more column"));
            text.push_str(&style.paint(Tone::Faint, &note));
            text.push('\n');
        }
        text
    }

    /// As CSV with a header line; NULL is an empty field.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_csv(&self, out: impl std::io::Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(&self.headers)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|value| value.as_deref().unwrap_or("")))?;
        }
        writer.flush()
    }

    /// As a JSON array of objects, keys in the order of the columns; values are text or null.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_json(&self, mut out: impl std::io::Write) -> std::io::Result<()> {
        let objects: Vec<JsonRow<'_>> = self.rows.iter().map(|row| JsonRow(self, row)).collect();
        serde_json::to_writer_pretty(&mut out, &objects)?;
        out.write_all(b"\n")
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let show = |value: &Option<String>| match value {
            Some(text) => clip(&one_line(text), WIDEST_CELL),
            None => "NULL".to_owned(),
        };
        self.rows
            .iter()
            .map(|row| row.iter().map(show).collect())
            .collect()
    }

    fn widths(&self, cells: &[Vec<String>]) -> Vec<usize> {
        let widest = |(index, header): (usize, &String)| {
            let values = cells.iter().filter_map(|row| row.get(index));
            let values = values.map(|cell| width(cell));
            values.chain([width(header)]).max().unwrap_or(0)
        };
        self.headers.iter().enumerate().map(widest).collect()
    }

    fn align(&self, index: usize) -> CellAlignment {
        match self.aligns.get(index).copied().unwrap_or_default() {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        }
    }

    fn columns(&self, cells: &[Vec<String>], shown: usize, style: Style) -> String {
        let cell =
            |(index, text): (usize, &String)| Cell::new(text).set_alignment(self.align(index));
        let row = |texts: &[String]| -> Row {
            let texts = texts.iter().take(shown).enumerate();
            Row::from(texts.map(cell).collect::<Vec<_>>())
        };
        let mut table = Table::new();
        table
            .load_style(NOTHING.header_separator(LineStyle::new('─', '─', '─', '─')))
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(row(&self.headers));
        table.style_mut().header_separator.left = None;
        table.style_mut().header_separator.right = None;
        for texts in cells {
            table.add_row(row(texts));
        }
        let last = shown.saturating_sub(1);
        for (index, column) in table.column_iter_mut().enumerate() {
            // comfy-table puts one space between columns itself.
            column.set_padding((0, if index == last { 0 } else { GAP as u16 - 1 }));
        }
        paint_header(&table.trim_fmt(), style)
    }

    fn records(&self, cells: &[Vec<String>], style: Style) -> String {
        let names = self.headers.iter().map(|h| width(h)).max().unwrap_or(0);
        let mut text = String::new();
        for (index, row) in cells.iter().enumerate() {
            text.push_str(&style.paint(Tone::Faint, &format!("row {}", index + 1)));
            text.push('\n');
            for (header, cell) in self.headers.iter().zip(row) {
                let pad = " ".repeat(names - width(header) + GAP);
                text.push_str(&style.paint(Tone::Strong, header));
                text.push_str(&pad);
                text.push_str(cell);
                text.push('\n');
            }
        }
        text
    }
}

/// A row as an object; `serde_json::Map` would sort the keys.
struct JsonRow<'a>(&'a Grid, &'a [Option<String>]);

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.headers.iter().zip(self.1))
    }
}

/// comfy-table draws the header in one line and the separator in the next.
fn paint_header(table: &str, style: Style) -> String {
    let mut text = String::new();
    for (index, line) in table.lines().enumerate() {
        let tone = match index {
            0 => Tone::Strong,
            1 => Tone::Faint,
            _ => Tone::Plain,
        };
        text.push_str(&style.paint(tone, line));
        text.push('\n');
    }
    text
}

/// How many columns fit, at least one.
fn columns_within(widths: &[usize], room: usize) -> usize {
    let mut used = 0;
    let fits = |width: &&usize| {
        used += **width + GAP;
        used <= room + GAP
    };
    widths.iter().take_while(fits).count().max(1)
}

fn align_of(rows: &[Vec<Option<String>>], index: usize) -> Align {
    let mut values = rows.iter().filter_map(|row| row.get(index)?.as_deref());
    let mut any = false;
    let numeric = values.all(|value| {
        any = true;
        let value = value.strip_suffix('%').unwrap_or(value).replace(',', "");
        value.parse::<f64>().is_ok()
    });
    if any && numeric {
        Align::Right
    } else {
        Align::Left
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
