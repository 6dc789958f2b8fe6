//! The source under one snapshot: one session exports it and keeps it, all others import it.

use super::columns::{bind, first};
use super::{IngestError, Table, session};
use crate::names::quote_ident;
use crate::pg::{Connection, PgError, Pool};

/// From this version on a range of pages is read without reading the others.
const TID_RANGE_SCANS: u32 = 140_000;

/// The snapshot, for as long as this value lives.
pub(super) struct Snapshot {
    id: String,
    keeper: Connection,
}

/// Whether it is there, what it is, and whether it may be read.
const LOOK: &str = "
select c.relkind::text, has_table_privilege(c.oid, 'select')::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and has_schema_privilege(n.oid, 'usage')";

impl Snapshot {
    /// Checks and locks the tables, then exports a snapshot. The locks come first: what
    /// truncates or alters a table in between would not be seen by the snapshot.
    pub(super) async fn take(pool: &Pool, tables: &[Table]) -> Result<Self, IngestError> {
        let keeper = begun(pool).await.map_err(IngestError::Source)?;
        let mut to_lock = Vec::new();
        for table in tables {
            let sql = bind(LOOK, &[&table.schema, &table.name]);
            let rows = keeper
                .query_untyped(&sql)
                .await
                .map_err(IngestError::Source)?;
            let Some(row) = rows.rows.first() else {
                return Err(IngestError::NoTable(source_name(table)));
            };
            if row.get(1).cloned().flatten().as_deref() != Some("true") {
                return Err(IngestError::Unreadable(source_name(table)));
            }
            let kind = row.first().cloned().flatten().unwrap_or_default();
            // Locking a view would lock what is under it; the others cannot be locked.
            if ["r", "p"].contains(&kind.as_str()) {
                to_lock.push(relation(table));
            }
        }
        let locks = match to_lock.is_empty() {
            true => String::new(),
            false => format!("lock table {} in access share mode; ", to_lock.join(", ")),
        };
        // A new transaction, whose snapshot is taken after its locks.
        let sql = format!(
            "commit; begin isolation level repeatable read read only; {locks}select pg_catalog.pg_export_snapshot()"
        );
        let rows = keeper
            .query_untyped(&sql)
            .await
            .map_err(IngestError::Source)?;
        Ok(Self {
            id: first(rows.rows).unwrap_or_default(),
            keeper,
        })
    }

    /// A session that sees the snapshot.
    pub(super) async fn session(&self, pool: &Pool) -> Result<Connection, PgError> {
        let connection = session(pool).await?;
        let sql = format!(
            "set search_path = ''; begin isolation level repeatable read read only; \
             set transaction snapshot {}",
            crate::names::quote_literal(&self.id)
        );
        connection.execute(&sql).await?;
        Ok(connection)
    }

    /// Whether the source can read ranges of pages.
    pub(super) fn reads_pages(&self) -> bool {
        self.keeper.server_version() >= TID_RANGE_SCANS
    }
}

async fn begun(pool: &Pool) -> Result<Connection, PgError> {
    let connection = session(pool).await?;
    connection
        .execute("set search_path = ''; begin read only")
        .await?;
    Ok(connection)
}

/// The table in the source, as SQL.
pub(super) fn relation(table: &Table) -> String {
    format!(
        "{}.{}",
        quote_ident(&table.schema),
        quote_ident(&table.name)
    )
}

/// The table in the source, for people.
pub(super) fn source_name(table: &Table) -> String {
    format!("{}.{}", table.schema, table.name)
}
