//! Chances and reasons of all rows as the bytes of a COPY, made while they are sent.

use std::borrow::Cow;

use bytes::Bytes;

use crate::diag::Diagnostic;
use crate::materialize::seed::{CopyFormat, Value};
use crate::stats::logistic::{Matrix, Model};

/// How many features a row names as its reasons.
const REASONS: usize = 3;
/// What a feature adds to the log odds at least to be named.
const LEAST: f64 = 0.05;
/// Rows of a piece, some hundred kilobytes.
const PIECE: usize = 4096;

/// Row number, chance and reasons, in pieces.
pub(super) struct Scores {
    model: Model,
    rows: Matrix,
    /// The features without their prefix.
    names: Vec<String>,
    next: usize,
    ended: bool,
}

impl Scores {
    /// `names` are those of the features' columns, in the order of the matrix.
    pub(super) fn new(model: Model, rows: Matrix, names: Vec<String>) -> Self {
        let bare = |name: String| name.strip_prefix("f_").unwrap_or(&name).to_owned();
        Self {
            model,
            rows,
            names: names.into_iter().map(bare).collect(),
            next: 0,
            ended: false,
        }
    }

    fn put(&self, at: usize, out: &mut Vec<u8>) {
        let (format, row) = (CopyFormat::Binary, self.rows.row(at));
        let probability = format!("{:.6}", self.model.probability(row));
        format.begin_row(3, out);
        // Numbered from 1, and fewer than 2^63.
        format.put(&Value::Int8(at as i64 + 1), true, out);
        format.put(&Value::Numeric(Cow::Owned(probability)), false, out);
        format.put(&Value::Text(&self.reasons(row)), false, out);
        format.end_row(out);
    }

    /// The features that raise a row's chance most, with what each adds to the log odds.
    fn reasons(&self, row: &[f64]) -> String {
        let parts = self.names.iter().zip(self.model.parts(row));
        let mut named: Vec<(&String, f64)> = parts.filter(|(_, part)| *part >= LEAST).collect();
        named.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let told = named.iter().take(REASONS);
        let told: Vec<String> = told
            .map(|(name, part)| format!("{name} +{part:.2}"))
            .collect();
        told.join("; ")
    }
}

impl Iterator for Scores {
    type Item = Result<Bytes, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let mut out = Vec::new();
        if self.next == 0 {
            CopyFormat::Binary.begin(&mut out);
        }
        let end = self.rows.len().min(self.next + PIECE);
        (self.next..end).for_each(|at| self.put(at, &mut out));
        self.next = end;
        if end == self.rows.len() {
            CopyFormat::Binary.end(&mut out);
            self.ended = true;
        }
        Some(Ok(out.into()))
    }
}
