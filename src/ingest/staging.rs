//! The table that a load fills: slices go in and are committed one by one, each found again by
//! the transaction that wrote it (`xmin`), so that the table needs no column of ours.

use std::collections::HashMap;

use futures_util::{StreamExt, join};

use super::checksum::{self, Hash};
use super::columns::SourceColumn;
use super::shape::Shape;
use super::slices::Slice;
use super::state::{self, Done};
use super::{Ingest, IngestError, Sum, Table};
use crate::names::{quote_ident, quote_literal};
use crate::pg::{Connection, PgError};

/// A table's load under way.
pub(super) struct Staging<'a> {
    pub(super) ingest: &'a Ingest,
    pub(super) table: &'a Table,
    pub(super) shape: &'a Shape,
    /// What is selected in the source, in the order of the shape's loaded columns.
    pub(super) expressions: Vec<String>,
    pub(super) hash: Hash,
    pub(super) fingerprint: String,
    /// Reads rows.
    pub(super) reader: &'a Connection,
    /// Counts and sums them meanwhile.
    pub(super) counter: &'a Connection,
    pub(super) target: &'a Connection,
}

/// What an interrupted load left that is still true.
pub(super) struct Resumed {
    pub(super) kept: Vec<Done>,
    /// Slices whose rows have changed in the source.
    pub(super) stale: Vec<Done>,
}

/// A short name that depends on the table's alone.
pub(super) fn tag(to: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(to.as_bytes());
    crate::encode::hex(&digest[..8])
}

/// The staging table as SQL.
pub(super) fn relation(schema: &str, to: &str) -> String {
    let name = format!("marts_ingest_{}", tag(to));
    format!("{}.{}", quote_ident(schema), quote_ident(&name))
}

/// The expressions of the columns that are loaded, in the order of the shape.
pub(super) fn expressions(shape: &Shape, columns: &[SourceColumn]) -> Vec<String> {
    let of = |name: &String| {
        let found = columns.iter().find(|c| &c.column.name == name);
        found.map(|c| c.expression.clone())
    };
    shape.loaded.iter().filter_map(of).collect()
}

impl Staging<'_> {
    /// The table's own relation.
    pub(super) fn relation(&self) -> String {
        relation(&self.ingest.schema, &self.table.to)
    }

    fn loaded(&self) -> String {
        checksum::plain(&self.shape.loaded).join(", ")
    }

    /// Takes over what an interrupted load of the same form left, checked against the source as
    /// it is now; otherwise makes the table anew.
    pub(super) async fn resume(&self) -> Result<Resumed, IngestError> {
        let schema = &self.ingest.schema;
        let to = &self.table.to;
        let asked = format!(
            "select to_regclass({})::text",
            quote_literal(&self.relation())
        );
        let is_there = state::one(self.target, &asked)
            .await
            .map_err(IngestError::Target)?;
        let done = state::done(self.target, schema, to, &self.fingerprint)
            .await
            .map_err(IngestError::Target)?;
        if is_there.is_none() || done.is_empty() {
            self.create().await.map_err(IngestError::Target)?;
            return Ok(Resumed {
                kept: Vec::new(),
                stale: Vec::new(),
            });
        }
        self.recheck(done).await
    }

    async fn create(&self) -> Result<(), PgError> {
        let columns: Vec<String> = self
            .shape
            .columns
            .iter()
            .map(|c| format!("{} {}", quote_ident(&c.name), c.data_type))
            .collect();
        let sql = format!(
            "begin; drop table if exists {relation}; {forget}; create table {relation} ({columns}); commit",
            relation = self.relation(),
            forget = state::forget_sql(&self.ingest.schema, &self.table.to),
            columns = columns.join(", ")
        );
        self.target.execute(&sql).await.map(|_| ())
    }

    async fn recheck(&self, done: Vec<Done>) -> Result<Resumed, IngestError> {
        let staged = self.sums().await.map_err(IngestError::Target)?;
        let (mut kept, mut stale) = (Vec::new(), Vec::new());
        for earlier in done {
            let source = self.source_sum(&earlier.slice).await?;
            let is_same = staged.get(&earlier.xid) == Some(&source)
                || (source.rows == 0 && !staged.contains_key(&earlier.xid));
            match is_same {
                true => kept.push(Done { source, ..earlier }),
                false => stale.push(earlier),
            }
        }
        if !stale.is_empty() {
            let xids: Vec<&str> = stale.iter().map(|d| d.xid.as_str()).collect();
            let numbers: Vec<String> = stale.iter().map(|d| d.number.to_string()).collect();
            let sql = format!(
                "begin; delete from {} where xmin = any ('{{{}}}'::xid[]); {} and slice in ({}); commit",
                self.relation(),
                xids.join(","),
                state::forget_sql(&self.ingest.schema, &self.table.to),
                numbers.join(",")
            );
            self.target
                .execute(&sql)
                .await
                .map_err(IngestError::Target)?;
        }
        Ok(Resumed { kept, stale })
    }

    async fn source_sum(&self, slice: &Slice) -> Result<Sum, IngestError> {
        let from = format!("{} where {}", slice.part, slice.predicate);
        let sum = checksum::sum_sql(&self.expressions, self.hash);
        checksum::of(self.counter, &from, &sum)
            .await
            .map_err(IngestError::Source)
    }

    /// Counts and sums of what is staged, by the transaction that wrote it.
    pub(super) async fn sums(&self) -> Result<HashMap<String, Sum>, PgError> {
        let sum = checksum::sum_sql(&checksum::plain(&self.shape.loaded), self.hash);
        let sql = format!(
            "select count(*), coalesce({sum}, 0), xmin from {} group by xmin",
            self.relation()
        );
        let rows = self.target.query_untyped(&sql).await?.rows;
        let read = |row: Vec<Option<String>>| {
            let xid = row.get(2).cloned().flatten().unwrap_or_default();
            (xid, checksum::read(&row))
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Copies one slice and commits it with its note.
    pub(super) async fn load(&self, number: u32, slice: &Slice) -> Result<Done, IngestError> {
        self.target
            .execute("begin")
            .await
            .map_err(IngestError::Target)?;
        let (copied, source) = join!(self.copy(slice), self.source_sum(slice));
        let noted = match (copied, source) {
            (Ok(_), Ok(source)) => self.note(number, slice, source).await,
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        if noted.is_err() {
            // The connection may be gone, which rolls back as well.
            let _ = self.target.execute("rollback").await;
        }
        noted
    }

    async fn note(&self, number: u32, slice: &Slice, source: Sum) -> Result<Done, IngestError> {
        let sql = state::note_sql(
            &self.ingest.schema,
            &self.table.to,
            &self.fingerprint,
            (number, slice, &source),
        );
        let xid = state::one(self.target, &sql)
            .await
            .map_err(IngestError::Target)?;
        self.target
            .execute("commit")
            .await
            .map_err(IngestError::Target)?;
        Ok(Done {
            number,
            slice: slice.clone(),
            xid: xid.unwrap_or_default(),
            source,
        })
    }

    /// Streams a slice from one server to the other; memory holds what is on its way.
    async fn copy(&self, slice: &Slice) -> Result<u64, IngestError> {
        let out = format!(
            "copy (select {} from {} where {}) to stdout (format binary)",
            self.expressions.join(", "),
            slice.part,
            slice.predicate
        );
        let into = format!(
            "copy {} ({}) from stdin (format binary)",
            self.relation(),
            self.loaded()
        );
        let mut copy = self
            .target
            .copy_in(&into)
            .await
            .map_err(IngestError::Target)?;
        let rows = self
            .reader
            .copy_out(&out)
            .await
            .map_err(IngestError::Source)?;
        let mut rows = std::pin::pin!(rows);
        while let Some(bytes) = rows.next().await {
            copy.send(bytes.map_err(IngestError::Source)?)
                .await
                .map_err(IngestError::Target)?;
        }
        copy.finish().await.map_err(IngestError::Target)
    }
}
