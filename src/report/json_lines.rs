//! Events unchanged, one JSON object a line, each with the instant at which it was told.

use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::Reporter;
use super::line_writer::LineWriter;
use crate::event::Event;

/// `--log-format json`.
pub struct JsonLines {
    out: LineWriter,
    clock: fn() -> Timestamp,
}

#[derive(Serialize)]
struct Line<'a> {
    /// RFC 3339, UTC, microseconds.
    ts: String,
    #[serde(flatten)]
    event: &'a Event,
}

impl JsonLines {
    /// Writes to `out`.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self::with_clock(out, Timestamp::now)
    }

    fn with_clock(out: Box<dyn Write + Send>, clock: fn() -> Timestamp) -> Self {
        Self {
            out: LineWriter::new(out),
            clock,
        }
    }
}

impl Reporter for JsonLines {
    fn event(&mut self, event: &Event) {
        let ts = format!("{:.6}", (self.clock)());
        // An event holds text and numbers only; were one not JSON, silence would hide it.
        let line = serde_json::to_string(&Line { ts, event }).unwrap_or_else(|error| {
            serde_json::json!({ "event": "unreadable", "message": error.to_string() }).to_string()
        });
        self.out.write(&(line + "\n"));
    }

    fn finish(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::terminal::tests::{Shared, story};

    #[test]
    fn every_event_is_one_line_of_json_with_its_instant() {
        let written = Shared::default();
        let mut lines = JsonLines::with_clock(Box::new(written.clone()), || Timestamp::UNIX_EPOCH);
        for event in story() {
            lines.event(&event);
        }
        lines.finish();
        let text = written.text();
        assert_eq!(text.lines().count(), story().len());
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["ts"], "1970-01-01T00:00:00.000000Z");
        }
        insta::assert_snapshot!(text);
    }
}
