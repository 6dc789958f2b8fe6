//! Several texts as one, and the way back: which text an answer or an error belongs to.

use super::connection::{BatchError, Done};
use super::error::PgError;
use super::statement::{self, Part};

/// Texts joined for one round trip.
pub(super) struct Batch {
    pub(super) sql: String,
    /// Where each text begins in `sql`, its length, and its statements.
    items: Vec<(usize, usize, Vec<Part>)>,
}

/// Ends a statement even after a line comment.
const SEPARATOR: &str = "\n;\n";

impl Batch {
    pub(super) fn new<S: AsRef<str>>(texts: &[S]) -> Self {
        let mut sql = String::new();
        let mut items = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.as_ref();
            items.push((sql.len(), text.len(), statement::split(text)));
            sql.push_str(text);
            sql.push_str(SEPARATOR);
        }
        Self { sql, items }
    }

    /// What each text said, from the rows of each statement.
    pub(super) fn done(&self, completed: &[u64]) -> Vec<Done> {
        let mut completed = completed.iter().copied();
        self.items
            .iter()
            .map(|(start, length, parts)| {
                let text = &self.sql[*start..start + length];
                let rows = parts.iter().map(|_| completed.next().unwrap_or(0)).last();
                match (parts.last(), rows) {
                    (Some(last), Some(rows)) => Done {
                        rows,
                        tag: statement::tag(last.of(text), rows),
                    },
                    _ => Done::default(),
                }
            })
            .collect()
    }

    /// The failure of the statement after `completed` ones, or of the place that the error
    /// names (a syntax error is found before anything runs).
    pub(super) fn failed(&self, completed: usize, mut error: PgError) -> BatchError {
        let position = error.db().and_then(|db| db.position);
        let index = match position {
            Some(position) => self.item_at(position),
            None => self.item_after(completed),
        };
        if let (PgError::Server(db), Some((start, length, _))) = (&mut error, self.items.get(index))
        {
            db.position = position.map(|p| p.saturating_sub(*start).min(*length));
            db.sql = Some(self.sql[*start..start + length].to_owned());
        }
        BatchError { index, error }
    }

    fn item_at(&self, position: usize) -> usize {
        self.items
            .iter()
            .rposition(|(start, ..)| *start <= position)
            .unwrap_or(0)
    }

    fn item_after(&self, completed: usize) -> usize {
        let mut seen = 0;
        self.items
            .iter()
            .position(|(_, _, parts)| {
                seen += parts.len();
                seen > completed
            })
            .unwrap_or(self.items.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::error::DbError;

    fn error(position: Option<usize>) -> PgError {
        PgError::Server(Box::new(DbError {
            position,
            ..DbError::default()
        }))
    }

    #[test]
    fn answers_find_their_texts() {
        let batch = Batch::new(&[
            "begin",
            "-- nothing",
            "insert into a values (1); update a set b = 2 -- x",
            "commit",
        ]);
        let tags: Vec<_> = batch
            .done(&[0, 1, 7, 0])
            .into_iter()
            .map(|d| d.tag)
            .collect();
        assert_eq!(tags, ["BEGIN", "", "UPDATE 7", "COMMIT"]);
    }

    #[test]
    fn an_error_finds_its_text_by_place_or_by_count() {
        let batch = Batch::new(&["begin", "select 1; select x", "commit"]);
        let failed = batch.failed(2, error(Some("begin\n;\nselect 1; select ".len())));
        assert_eq!(failed.index, 1);
        let db = failed.error.db().expect("a server's error").clone();
        assert_eq!(db.position, Some("select 1; select ".len()));
        assert_eq!(db.sql.as_deref(), Some("select 1; select x"));
        assert_eq!(batch.failed(0, error(None)).index, 0);
        assert_eq!(batch.failed(2, error(None)).index, 1);
        assert_eq!(batch.failed(3, error(None)).index, 2);
    }
}
