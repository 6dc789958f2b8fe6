//! Rows to bytes: Postgres' binary COPY format, and CSV.
//!
//! Both append to a buffer that the caller owns. A buffer holds whole rows, so that the buffers
//! of one table can be joined in any number; the format's head and tail stand apart.

use super::id::Id;
use super::rows::{Fields, Row};
use super::schema::{TABLES, Table};
use super::time::{At, DAY, HOUR};

/// The bytes before the first row of a binary COPY stream: signature, flags, extension length.
pub const COPY_HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The bytes after its last row.
pub const COPY_TAIL: &[u8] = &(-1i16).to_be_bytes();

/// How rows become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Postgres' binary COPY tuples.
    Copy,
    /// CSV as `copy … (format csv)` reads it: null is empty, text that needs it is quoted.
    Csv,
}

impl Format {
    /// Appends a row.
    pub fn append<R: Row>(self, row: &R, out: &mut Vec<u8>) {
        match self {
            Self::Copy => {
                let columns = TABLES[R::TABLE].columns.len() as i16;
                out.extend_from_slice(&columns.to_be_bytes());
                row.write(&mut Copy(out));
            }
            Self::Csv => {
                row.write(&mut Csv(out));
                if let Some(last) = out.last_mut() {
                    *last = b'\n';
                }
            }
        }
    }

    /// What comes before a table's rows.
    pub fn head(self, table: &Table) -> Vec<u8> {
        match self {
            Self::Copy => COPY_HEAD.to_vec(),
            Self::Csv => {
                let names: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
                format!("{}\n", names.join(",")).into_bytes()
            }
        }
    }

    /// What comes after a table's rows.
    pub fn tail(self) -> &'static [u8] {
        match self {
            Self::Copy => COPY_TAIL,
            Self::Csv => b"",
        }
    }
}

struct Copy<'a>(&'a mut Vec<u8>);

/// 2000-01-01 00:00:00 UTC, where Postgres counts from.
const POSTGRES_EPOCH: i64 = 946_684_800;

impl Copy<'_> {
    fn sized(&mut self, bytes: &[u8]) {
        self.0
            .extend_from_slice(&(bytes.len() as i32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }
}

impl Fields for Copy<'_> {
    fn id(&mut self, value: Id) {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        value.write(self.0);
        let len = (self.0.len() - start - 4) as i32;
        self.0[start..start + 4].copy_from_slice(&len.to_be_bytes());
    }

    fn text(&mut self, value: &str) {
        self.sized(value.as_bytes());
    }

    fn int4(&mut self, value: i32) {
        self.sized(&value.to_be_bytes());
    }

    fn int8(&mut self, value: i64) {
        self.sized(&value.to_be_bytes());
    }

    fn float8(&mut self, value: f64) {
        self.sized(&value.to_be_bytes());
    }

    fn bool(&mut self, value: bool) {
        self.sized(&[u8::from(value)]);
    }

    fn at(&mut self, value: At) {
        self.int8((value.0 - POSTGRES_EPOCH) * 1_000_000);
    }

    fn date(&mut self, value: At) {
        self.int4((value.day() - POSTGRES_EPOCH / DAY) as i32);
    }

    fn json(&mut self, value: &str) {
        // jsonb on the wire is a version byte, then text.
        self.0
            .extend_from_slice(&(value.len() as i32 + 1).to_be_bytes());
        self.0.push(1);
        self.0.extend_from_slice(value.as_bytes());
    }

    fn null(&mut self) {
        self.0.extend_from_slice(&(-1i32).to_be_bytes());
    }
}

struct Csv<'a>(&'a mut Vec<u8>);

impl Csv<'_> {
    fn end(&mut self) {
        self.0.push(b',');
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        self.0.extend_from_slice(value.to_string().as_bytes());
        self.end();
    }

    fn two(&mut self, value: i64, after: u8) {
        self.0
            .extend_from_slice(&[b'0' + (value / 10) as u8, b'0' + (value % 10) as u8, after]);
    }
}

impl Fields for Csv<'_> {
    fn id(&mut self, value: Id) {
        value.write(self.0);
        self.end();
    }

    fn text(&mut self, value: &str) {
        // An empty text is quoted, as an empty field means null.
        if value.is_empty() || value.contains([',', '"', '\n', '\r']) {
            self.0.push(b'"');
            self.0
                .extend_from_slice(value.replace('"', "\"\"").as_bytes());
            self.0.push(b'"');
        } else {
            self.0.extend_from_slice(value.as_bytes());
        }
        self.end();
    }

    fn int4(&mut self, value: i32) {
        self.display(value);
    }

    fn int8(&mut self, value: i64) {
        self.display(value);
    }

    fn float8(&mut self, value: f64) {
        self.display(value);
    }

    fn bool(&mut self, value: bool) {
        self.0.push(if value { b't' } else { b'f' });
        self.end();
    }

    fn date(&mut self, value: At) {
        self.display(&value.to_string()[..10]);
    }

    fn at(&mut self, value: At) {
        let (year, month, day) = value.civil();
        let second = value.0.rem_euclid(DAY);
        self.0.extend_from_slice(year.to_string().as_bytes());
        self.0.push(b'-');
        self.two(month.into(), b'-');
        self.two(day.into(), b' ');
        self.two(second / HOUR, b':');
        self.two(second / 60 % 60, b':');
        self.two(second % 60, b'+');
        self.0.extend_from_slice(b"00");
        self.end();
    }

    fn json(&mut self, value: &str) {
        self.text(value);
    }

    fn null(&mut self) {
        self.end();
    }
}
