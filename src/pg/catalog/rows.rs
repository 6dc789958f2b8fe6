//! Text cells of a catalog query as values.

use super::super::error::PgError;
use crate::names::quote_literal;

/// The cells of one row, taken from left to right.
pub(super) struct Cells(std::vec::IntoIter<Option<String>>);

impl Cells {
    pub(super) fn new(row: Vec<Option<String>>) -> Self {
        Self(row.into_iter())
    }

    pub(super) fn optional(&mut self) -> Option<String> {
        self.0.next().flatten()
    }

    /// A text that the catalog always has; NULL reads as empty.
    pub(super) fn text(&mut self) -> String {
        self.optional().unwrap_or_default()
    }

    pub(super) fn flag(&mut self) -> bool {
        self.optional().as_deref() == Some("t")
    }

    pub(super) fn oid(&mut self) -> Result<u32, PgError> {
        let text = self.text();
        text.parse()
            .map_err(|_| PgError::Protocol(format!("`{text}` is no object id")))
    }

    /// Elements of `array_to_json(…)`.
    pub(super) fn list(&mut self) -> Result<Vec<String>, PgError> {
        match self.optional() {
            None => Ok(Vec::new()),
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| PgError::Protocol(format!("`{text}` is no list: {error}"))),
        }
    }
}

/// Texts as an SQL expression of type `text[]`.
pub(super) fn text_array(texts: &[impl AsRef<str>]) -> String {
    let list: Vec<String> = texts
        .iter()
        .map(|text| quote_literal(text.as_ref()))
        .collect();
    format!("array[{}]::pg_catalog.text[]", list.join(", "))
}
