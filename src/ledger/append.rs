//! Writing entries: lock the head, chain, insert, move the head.

use super::SCHEMA;
use super::chain::{self, COLUMNS, Fields, Stored};
use super::entry::{Entry, Origin};
use crate::names::quote_literal;
use crate::session::{Session, SessionError};

/// The last entry of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 before the first.
    pub seq: u64,
    /// Its hash, as hexadecimal digits.
    pub hash: String,
}

/// So many entries go into one statement.
const AT_ONCE: usize = 1000;

/// Writes entries in the caller's open transaction (READ COMMITTED) and gives the new head.
///
/// Takes the lock on the head until that transaction ends, so call it last. The tables must be
/// there ([`super::tables::ensure`]).
pub async fn append(
    session: &dyn Session,
    origin: &Origin,
    entries: &[Entry],
) -> Result<Head, SessionError> {
    let (mut head, now) = lock_head(session).await?;
    for part in entries.chunks(AT_ONCE) {
        let mut rows = Vec::with_capacity(part.len());
        for entry in part {
            let fields = fields(origin, entry, &head, now);
            head = Head {
                seq: head.seq + 1,
                hash: chain::hash(&fields),
            };
            rows.push(row(&fields, &head.hash));
        }
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let text = format!(
            "insert into {SCHEMA}.entry ({}, hash) values\n{};\nupdate {SCHEMA}.head set seq = {}, \
             hash = decode('{}', 'hex')",
            names.join(", "),
            rows.join(",\n"),
            head.seq,
            head.hash
        );
        session.execute((&text).into()).await?;
    }
    Ok(head)
}

/// Writes entries in a transaction of their own that is on disk when this returns.
pub async fn record_alone(
    session: &dyn Session,
    origin: &Origin,
    entries: &[Entry],
) -> Result<Head, SessionError> {
    session
        .execute("begin isolation level read committed; set local synchronous_commit = on".into())
        .await?;
    match append(session, origin, entries).await {
        Ok(head) => {
            session.execute("commit".into()).await?;
            Ok(head)
        }
        Err(error) => {
            let _ = session.execute("rollback".into()).await;
            Err(error)
        }
    }
}

/// Locks the head's row; the head, and the server's clock in microseconds since 1970.
async fn lock_head(session: &dyn Session) -> Result<(Head, i64), SessionError> {
    let table = session
        .query(&format!(
            "select seq, encode(hash, 'hex'), (extract(epoch from clock_timestamp()) * \
             1000000)::bigint from {SCHEMA}.head for update"
        ))
        .await?;
    let row = table.rows.into_iter().next().unwrap_or_default();
    let cell = |at: usize| row.get(at).and_then(Option::as_deref);
    let seq = cell(0).and_then(|text| text.parse().ok());
    let now = cell(2).and_then(|text| text.parse().ok());
    match (seq, cell(1), now) {
        (Some(seq), Some(hash), Some(now)) => {
            let hash = hash.to_owned();
            Ok((Head { seq, hash }, now))
        }
        _ => Err(SessionError::materialization(format!(
            "{SCHEMA}.head has lost its row; `marts audit verify` says what else is wrong"
        ))),
    }
}

/// The entry as the hash sees it.
fn fields(origin: &Origin, entry: &Entry, before: &Head, now: i64) -> Fields {
    let number = |value: Option<u64>| value.map(|n| n.min(i64::MAX as u64).to_string());
    let micros = |d: std::time::Duration| d.as_micros().min(i64::MAX as u128).to_string();
    let truth = |value: Option<bool>| value.map(|b| b.to_string());
    let text = |value: &str| Some(storable(value));
    let id = |value: &Option<crate::names::NodeId>| value.as_ref().map(|n| storable(n.as_str()));
    let optional = |value: &Option<String>| value.as_deref().map(storable);
    [
        Some(chain::FORMAT.to_string()),
        Some((before.seq + 1).to_string()),
        Some(now.to_string()),
        text(&origin.run_id),
        text(&origin.command),
        text(&origin.target),
        text(entry.kind.as_str()),
        id(&entry.node),
        optional(&entry.test),
        id(&entry.tested_node),
        optional(&entry.relation),
        text(&entry.status),
        number(entry.row_count),
        number(entry.failures),
        number(entry.rows_tested),
        optional(&entry.thresholds),
        entry.duration.map(micros),
        truth(entry.published),
        truth(entry.audited),
        optional(&entry.sql_sha256),
        optional(&origin.git_commit),
        truth(origin.git_dirty),
        Some(before.hash.clone()),
    ]
}

/// Postgres' text holds no NUL.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

/// A row of the INSERT.
fn row(fields: &Fields, hash: &str) -> String {
    let mut cells: Vec<String> = COLUMNS
        .iter()
        .zip(fields)
        .map(|((_, stored), field)| {
            field
                .as_deref()
                .map_or("null".to_owned(), |t| cell(*stored, t))
        })
        .collect();
    cells.push(cell(Stored::Bytes, hash));
    format!("({})", cells.join(", "))
}

fn cell(stored: Stored, text: &str) -> String {
    match stored {
        Stored::Text => quote_literal(text),
        Stored::Integer | Stored::Boolean => text.to_owned(),
        Stored::Bytes => format!("decode('{text}', 'hex')"),
        // A whole number of microseconds; to_timestamp() would go through a float.
        Stored::Instant => {
            format!("timestamptz '1970-01-01 00:00:00+00' + interval '1 microsecond' * {text}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Kind;
    use super::*;

    #[test]
    fn an_entry_has_a_text_for_each_column_in_its_order() {
        let origin = Origin {
            run_id: "r".to_owned(),
            command: "build".to_owned(),
            git_dirty: Some(true),
            ..Origin::default()
        };
        let before = Head {
            seq: 6,
            hash: chain::GENESIS.to_owned(),
        };
        let entry = Entry {
            duration: Some(std::time::Duration::from_nanos(1_234_567_890)),
            ..Entry::new(Kind::Run, "success\0")
        };
        let fields = fields(&origin, &entry, &before, 42);
        let of = |name: &str| {
            let at = COLUMNS.iter().position(|(n, _)| *n == name).unwrap();
            fields[at].as_deref()
        };
        assert_eq!(of("seq"), Some("7"));
        assert_eq!(of("recorded_at"), Some("42"));
        assert_eq!(of("command"), Some("build"));
        assert_eq!(of("status"), Some("success"));
        assert_eq!(of("duration_us"), Some("1234567"));
        assert_eq!(of("git_dirty"), Some("true"));
        assert_eq!(of("git_commit"), None);
        assert_eq!(of("prev_hash"), Some(chain::GENESIS));
    }
}
