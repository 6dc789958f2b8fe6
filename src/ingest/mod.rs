//! Tables moved from another Postgres database into this one: sliced, committed slice by slice,
//! compared by checksums on both sides, swapped in when all of them agree.
//!
//! Start at [`Ingest::open`]; `table::load` reads as one table's choreography. What always
//! holds: the source is read under one snapshot and never written; a table that readers see is
//! the old or the new one; rows that this module did not load are never replaced.

mod checksum;
mod columns;
mod error;
mod publish;
mod shape;
mod slices;
mod source;
mod staging;
mod state;
mod table;

use std::time::Duration;

pub use error::IngestError;
pub use shape::{Change, OnSchemaChange};

use crate::pg::{Connection, PgError, Pool};
use source::Snapshot;

/// How a table is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All rows, every time.
    Full,
    /// What the watermark says is new.
    Incremental,
}

/// What is compared after an incremental load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// The rows that were moved, and then the whole table on both sides.
    Table,
    /// The rows that were moved.
    Delta,
}

/// One table to move.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its schema in the source.
    pub schema: String,
    /// Its name in the source.
    pub name: String,
    /// Its name here.
    pub to: String,
    /// How it is loaded.
    pub mode: Mode,
    /// The columns that are unique together; may be empty.
    pub key: Vec<String>,
    /// The column that grows with every change of a row.
    pub watermark: Option<String>,
    /// How far below the last watermark to read again, as SQL text: an interval or a number.
    pub lookback: Option<String>,
    /// Rows of a slice, about.
    pub slice_rows: u64,
    /// What to do when the source's columns have changed.
    pub on_schema_change: OnSchemaChange,
    /// What is compared after an incremental load.
    pub verify: Verify,
}

/// A whole count of rows with the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Rows.
    pub rows: u64,
    /// The sum of the rows' 64-bit hashes.
    pub checksum: i128,
}

impl std::iter::Sum for Sum {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |all, part| Self {
            rows: all.rows + part.rows,
            checksum: all.checksum + part.checksum,
        })
    }
}

/// What a load of one table did.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Only what the watermark called new was moved.
    pub is_delta: bool,
    /// Rows that were moved in this load, earlier slices of a resumed one included.
    pub rows: u64,
    /// Slices in all.
    pub slices: usize,
    /// Slices of an interrupted load that still were as in the source.
    pub kept: usize,
    /// Slices of an interrupted load that had changed in the source, and were loaded again.
    pub reloaded: usize,
    /// How the source's columns differ from what was here.
    pub changes: Vec<Change>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Source and target as they are now, where the whole table was compared.
    pub whole: Option<(Sum, Sum)>,
    /// Time from the first look to the swap.
    pub took: Duration,
}

/// An open load: a snapshot of the source and a target.
pub struct Ingest {
    source: Pool,
    target: Pool,
    snapshot: Snapshot,
    schema: String,
    load_id: String,
    full_refresh: bool,
}

/// What a load is opened with.
#[derive(Clone)]
pub struct Options {
    /// Connections to the source; three a table that loads at once, and one more.
    pub source: Pool,
    /// Connections to the target, likewise.
    pub target: Pool,
    /// The schema that tables go to.
    pub schema: String,
    /// Names this load in what is written down.
    pub load_id: String,
    /// Incremental tables are loaded as a whole.
    pub full_refresh: bool,
}

impl Ingest {
    /// Locks the tables against changes of their form, takes the snapshot, and prepares the
    /// schema. Errors: either server, or a table that is not there.
    pub async fn open(options: Options, tables: &[Table]) -> Result<Self, IngestError> {
        let snapshot = Snapshot::take(&options.source, tables).await?;
        let control = target_session(&options.target).await?;
        state::prepare(&control, &options.schema)
            .await
            .map_err(IngestError::Target)?;
        Ok(Self {
            source: options.source,
            target: options.target,
            snapshot,
            schema: options.schema,
            load_id: options.load_id,
            full_refresh: options.full_refresh,
        })
    }

    /// Loads one table; several may load at once.
    pub async fn load(&self, table: &Table) -> Result<Loaded, IngestError> {
        table::load(self, table).await
    }
}

/// Text forms must not depend on the settings of a role or database.
const SAME_TEXT: &str = "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; \
     set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set timezone = 'UTC'; \
     set extra_float_digits = 3; set bytea_output = 'hex'; set lc_monetary = 'C'; set xmloption = 'content'";

async fn target_session(pool: &Pool) -> Result<Connection, IngestError> {
    session(pool).await.map_err(IngestError::Target)
}

async fn session(pool: &Pool) -> Result<Connection, PgError> {
    let connection = pool.get().await?;
    connection.execute(SAME_TEXT).await?;
    Ok(connection)
}
