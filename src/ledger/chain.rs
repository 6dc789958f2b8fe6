//! What an entry's hash covers: all its columns, in one order, as text without ambiguity.
//!
//! Each column becomes its text and is written as `<bytes>:<text>,` (the number of bytes of its
//! UTF-8, decimal), NULL as `-,`. The hash is SHA-256 over all of them put together; the last
//! column is the hash of the entry before, so that each hash covers everything that came
//! before it. Integers are decimal, booleans `true` and `false`, instants whole microseconds
//! since 1970-01-01 UTC, bytes lower-case hexadecimal digits: nothing is rounded on its way to
//! the table and back, and Postgres' own `sha256` gives the same (docs/ledger.md).

use sha2::{Digest, Sha256};

use crate::encode::hex;

/// The format of the entries that this version writes.
pub const FORMAT: i64 = 1;

/// What the first entry has as the hash of the one before.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How a column is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// `text`.
    Text,
    /// `bigint`.
    Integer,
    /// `boolean`.
    Boolean,
    /// `timestamptz`.
    Instant,
    /// `bytea`.
    Bytes,
}

/// The columns that the hash covers, in its order. The table has `hash` behind them.
pub const COLUMNS: [(&str, Stored); 23] = [
    ("format", Stored::Integer),
    ("seq", Stored::Integer),
    ("recorded_at", Stored::Instant),
    ("run_id", Stored::Text),
    ("command", Stored::Text),
    ("target", Stored::Text),
    ("kind", Stored::Text),
    ("node", Stored::Text),
    ("test", Stored::Text),
    ("tested_node", Stored::Text),
    ("relation", Stored::Text),
    ("status", Stored::Text),
    ("row_count", Stored::Integer),
    ("failures", Stored::Integer),
    ("rows_tested", Stored::Integer),
    ("thresholds", Stored::Text),
    ("duration_us", Stored::Integer),
    ("published", Stored::Boolean),
    ("audited", Stored::Boolean),
    ("sql_sha256", Stored::Text),
    ("git_commit", Stored::Text),
    ("git_dirty", Stored::Boolean),
    ("prev_hash", Stored::Bytes),
];

/// Where a column stands among [`COLUMNS`].
pub const fn at(name: &str) -> usize {
    let mut index = 0;
    while index < COLUMNS.len() {
        if same(COLUMNS[index].0.as_bytes(), name.as_bytes()) {
            return index;
        }
        index += 1;
    }
    panic!("the ledger has no such column")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// An entry as the hash sees it: the text of each of [`COLUMNS`].
pub type Fields = [Option<String>; COLUMNS.len()];

/// The hash of an entry, as hexadecimal digits.
pub fn hash(fields: &Fields) -> String {
    let mut hasher = Sha256::new();
    for field in fields {
        match field {
            None => hasher.update(b"-,"),
            Some(text) => {
                hasher.update(text.len().to_string().as_bytes());
                hasher.update(b":");
                hasher.update(text.as_bytes());
                hasher.update(b",");
            }
        }
    }
    hex(hasher.finalize())
}

/// SHA-256 of a text, as hexadecimal digits.
pub fn of_text(text: &str) -> String {
    hex(Sha256::digest(text.as_bytes()))
}

/// The SQL expressions that give the text of each column, separated by commas.
pub fn select_list() -> String {
    let parts: Vec<String> = COLUMNS
        .iter()
        .map(|(name, stored)| match stored {
            Stored::Text => (*name).to_owned(),
            Stored::Integer => format!("{name}::text"),
            Stored::Boolean => {
                format!("case when {name} then 'true' when not {name} then 'false' end")
            }
            // An instant without end is nothing that marts wrote; it must not end the reading.
            Stored::Instant => format!(
                "case when isfinite({name}) then (extract(epoch from {name}) * \
                 1000000)::bigint::text end"
            ),
            Stored::Bytes => format!("encode({name}, 'hex')"),
        })
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(changes: &[(&str, &str)]) -> Fields {
        let mut fields: Fields = Default::default();
        for (name, value) in changes {
            let at = COLUMNS.iter().position(|(n, _)| n == name).unwrap();
            fields[at] = Some((*value).to_owned());
        }
        fields
    }

    #[test]
    fn the_hash_is_that_of_the_documented_text() {
        // `printf '1:1,1:7,-,…' | sha256sum`, spelled out by hand.
        let text = "1:1,1:7,-,-,-,-,3:run,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,-,";
        let expected = of_text(text);
        let entry = fields(&[("format", "1"), ("seq", "7"), ("kind", "run")]);
        assert_eq!(hash(&entry), expected);
    }

    #[test]
    fn text_cannot_move_from_one_column_to_the_next() {
        let a = fields(&[("run_id", "a,1:b"), ("command", "c")]);
        let b = fields(&[("run_id", "a"), ("command", "b,1:c")]);
        assert_ne!(hash(&a), hash(&b));
        assert_ne!(hash(&fields(&[("node", "")])), hash(&fields(&[])));
        assert_ne!(hash(&fields(&[("node", "-")])), hash(&fields(&[])));
    }
}
