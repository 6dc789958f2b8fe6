//! Records of CSV text, without copying: where each field begins and ends.
//!
//! Reads as Python's `csv` module does, because dbt's seeds are read by it: a quote counts
//! at the beginning of a field only, text may follow the closing quote, `\n`, `\r\n` and
//! `\r` all end a line, and an empty line is a record without fields. The `csv` crate skips
//! empty lines and does not say where a record stands, hence a reader of our own.

use std::borrow::Cow;

use memchr::memchr;

/// Where a field stands in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    start: usize,
    end: usize,
    /// Whether the bytes are not the value itself: doubled quotes, a carriage return inside
    /// quotes, or text after the closing quote. `start` is then the opening quote.
    escaped: bool,
}

impl Field {
    /// The value.
    pub(super) fn text<'a>(&self, block: &'a str) -> Cow<'a, str> {
        let raw = &block[self.start..self.end];
        if self.escaped {
            Cow::Owned(unescape(raw))
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// The byte at which it begins.
    pub(super) fn start(&self) -> usize {
        self.start
    }
}

/// A record that was read; its fields are in the buffer given to [`Records::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The byte at which it begins.
    pub(super) start: usize,
    /// Whether a line's end or, inside quotes, nothing ended it.
    pub(super) end: End,
}

/// How a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By a line's end.
    Line,
    /// By the end of the text.
    Text,
    /// By the end of the text inside a quoted field.
    OpenQuote,
}

/// Records one after the other.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    at: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(bytes: &'a [u8], delimiter: u8) -> Self {
        Self {
            bytes,
            delimiter,
            at: 0,
        }
    }

    /// The byte after the last record that was read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Reads one record into `fields`; `None` at the end of the text.
    pub(super) fn next(&mut self, fields: &mut Vec<Field>) -> Option<Record> {
        fields.clear();
        let start = self.at;
        let first = *self.bytes.get(start)?;
        if first == b'\n' || first == b'\r' {
            self.line_end();
            return Some(Record {
                start,
                end: End::Line,
            });
        }
        loop {
            let (field, closed) = self.field();
            fields.push(field);
            if !closed {
                let end = End::OpenQuote;
                return Some(Record { start, end });
            }
            match self.bytes.get(self.at) {
                Some(byte) if *byte == self.delimiter => self.at += 1,
                Some(_) => {
                    self.line_end();
                    let end = End::Line;
                    return Some(Record { start, end });
                }
                None => {
                    let end = End::Text;
                    return Some(Record { start, end });
                }
            }
        }
    }

    /// Steps over `\n`, `\r\n` or `\r`.
    fn line_end(&mut self) {
        let both = self.bytes[self.at] == b'\r' && self.bytes.get(self.at + 1) == Some(&b'\n');
        self.at += if both { 2 } else { 1 };
    }

    /// One field, up to what ends it, and whether its quote was closed.
    fn field(&mut self) -> (Field, bool) {
        let start = self.at;
        if self.bytes.get(start) != Some(&b'"') {
            self.skip_plain();
            let field = Field {
                start,
                end: self.at,
                escaped: false,
            };
            return (field, true);
        }
        let Some((close, doubled)) = self.closing_quote(start + 1) else {
            self.at = self.bytes.len();
            let field = Field {
                start,
                end: self.at,
                escaped: true,
            };
            return (field, false);
        };
        self.at = close + 1;
        self.skip_plain();
        let inner = &self.bytes[start + 1..close];
        let escaped = doubled || self.at > close + 1 || memchr(b'\r', inner).is_some();
        let field = if escaped {
            Field {
                start,
                end: self.at,
                escaped,
            }
        } else {
            Field {
                start: start + 1,
                end: close,
                escaped,
            }
        };
        (field, true)
    }

    /// The quote that closes a field, from `from`, and whether doubled quotes lie before it.
    fn closing_quote(&self, from: usize) -> Option<(usize, bool)> {
        let mut at = from;
        let mut doubled = false;
        loop {
            let close = at + memchr(b'"', &self.bytes[at..])?;
            if self.bytes.get(close + 1) != Some(&b'"') {
                return Some((close, doubled));
            }
            doubled = true;
            at = close + 2;
        }
    }

    fn skip_plain(&mut self) {
        let rest = &self.bytes[self.at..];
        let ends = |b: &u8| *b == self.delimiter || *b == b'\n' || *b == b'\r';
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }
}

/// The value of a quoted field that needs work: from its opening quote to what follows the
/// closing one.
fn unescape(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    let mut chars = raw.chars().skip(1).peekable();
    let mut quoted = true;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted => {
                if chars.next_if_eq(&'"').is_some() {
                    value.push('"');
                } else {
                    quoted = false;
                }
            }
            '\r' => {
                chars.next_if_eq(&'\n');
                value.push('\n');
            }
            other => value.push(other),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, delimiter: u8) -> (Vec<Vec<String>>, Option<End>) {
        let mut records = Records::new(text.as_bytes(), delimiter);
        let mut fields = Vec::new();
        let mut rows = Vec::new();
        let mut last = None;
        while let Some(record) = records.next(&mut fields) {
            rows.push(fields.iter().map(|f| f.text(text).into_owned()).collect());
            last = Some(record.end);
        }
        (rows, last)
    }

    fn rows(text: &str) -> Vec<Vec<String>> {
        read(text, b',').0
    }

    #[test]
    fn every_kind_of_line_end_ends_a_record() {
        let expected = [["a", "b"], ["1", "2"], ["3", ""]];
        for text in ["a,b\n1,2\n3,", "a,b\r\n1,2\r\n3,\r\n", "a,b\r1,2\n3,\r"] {
            assert_eq!(rows(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_empty_line_is_a_record_without_fields() {
        assert_eq!(rows("a\n\nb\n\n").len(), 4);
        assert!(rows("a\n\nb\n")[1].is_empty());
        assert_eq!(rows("\"\"\n"), [[""]]);
    }

    #[test]
    fn quotes_count_at_the_beginning_of_a_field_only() {
        assert_eq!(rows("\"x\"y,x\"y\"z, \"q\""), [["xy", "x\"y\"z", " \"q\""]]);
        assert_eq!(rows("\"a\"\"b\",\"c,d\",\"\""), [["a\"b", "c,d", ""]]);
    }

    #[test]
    fn line_ends_in_quotes_become_newlines() {
        assert_eq!(
            rows("\"a\r\nb\",\"c\rd\",\"e\nf\""),
            [["a\nb", "c\nd", "e\nf"]]
        );
    }

    #[test]
    fn an_open_quote_is_said() {
        assert_eq!(read("a\n\"b,\n1\n", b',').1, Some(End::OpenQuote));
        assert_eq!(read("a\n\"b\"", b',').1, Some(End::Text));
    }

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_is_read_back(
            table in (1usize..5).prop_flat_map(|columns| {
                let row = proptest::collection::vec("[a-z,\"\n é;]{0,6}", columns);
                proptest::collection::vec(row, 1..8)
            }),
            delimiter in proptest::sample::select(vec![b',', b';', b'\t']),
        ) {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(read(&text, delimiter).0, table);
        }

        #[test]
        fn no_text_makes_it_fail_and_every_byte_is_read(text in "[a,\"\r\n é]{0,40}") {
            let mut records = Records::new(text.as_bytes(), b',');
            let mut fields = Vec::new();
            while records.next(&mut fields).is_some() {
                for field in &fields {
                    field.text(&text);
                }
            }
            prop_assert_eq!(records.position(), text.len());
        }
    }
}
