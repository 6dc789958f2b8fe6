//! The history into Postgres: simulated on threads, streamed by binary COPY on one connection
//! per table, all of it committed at the end.
//!
//! Memory is flat: a few blocks wait per table, and the simulation waits for the server.

use bytes::Bytes;
use indicatif::ProgressBar;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinSet;

use super::options::Request;
use super::state::{self, Way};
use super::table::{self, FORMAT};
use super::{SCHEMA, Written};
use crate::diag::{Diagnostic, codes};
use crate::pg::{Connection, PgError, Pool};
use crate::report::format::count;
use crate::synth::schema::{TABLES, Table};
use crate::synth::{Block, Simulation};

/// Blocks that may wait for a table's connection.
const WAITING: usize = 2;

/// What can go wrong while loading.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// Postgres.
    #[error(transparent)]
    Pg(#[from] PgError),
    /// Another generator is at work on the schema.
    #[error("another marts generate is writing")]
    Busy,
    /// A table holds rows that no generator wrote.
    #[error("{} holds other rows", table.name)]
    Foreign {
        /// The table.
        table: &'static Table,
    },
    /// A table has other columns.
    #[error("{} has other columns", table.name)]
    Columns {
        /// The table.
        table: &'static Table,
    },
}

impl LoadError {
    /// For the user.
    pub(super) fn diagnostic(&self) -> Diagnostic {
        let refused = |message: String| Diagnostic::error(codes::GENERATE_REFUSED, message);
        match self {
            Self::Pg(error) => error.diagnostic(None),
            Self::Busy => refused(format!(
                "another `marts generate` is writing to the schema {SCHEMA}"
            ))
            .hint("wait for it to end"),
            Self::Foreign { table } => refused(format!(
                "{}.{} holds rows that `marts generate` did not write",
                table.schema, table.name
            ))
            .hint("use another database, or empty the tables if nobody needs their rows"),
            Self::Columns { table } => refused(format!(
                "{}.{} has other columns than `marts generate` writes",
                table.schema, table.name
            ))
            .hint(format!(
                "use another database, or drop table {}.{} if nobody needs it",
                table.schema, table.name
            )),
        }
    }
}

/// What was loaded.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) way: Way,
    pub(super) written: Written,
}

/// Writes a request's history into the schema `raw`; afterwards all of it is there, or, on an
/// error, what was there before.
pub(super) async fn load(
    pool: &Pool,
    request: &Request,
    bar: ProgressBar,
) -> Result<Loaded, LoadError> {
    let control = pool.get().await?;
    state::prepare(&control).await?;
    let way = state::way(&control, request).await?;
    if way == Way::Nothing {
        return Ok(Loaded {
            way,
            written: Written::new(),
        });
    }
    let (connections, written) = fill_all(pool, request, way, bar).await?;
    // Should we die between two commits, the next run must not take this for a whole history.
    state::note(&control, request, false).await?;
    for connection in &connections {
        connection.execute("commit").await?;
    }
    state::note(&control, request, true).await?;
    Ok(Loaded { way, written })
}

/// Simulates and fills every table; the transactions stay open.
async fn fill_all(
    pool: &Pool,
    request: &Request,
    way: Way,
    bar: ProgressBar,
) -> Result<(Vec<Connection>, Written), LoadError> {
    let mut tables = JoinSet::new();
    let mut senders = Vec::new();
    for table in TABLES {
        let (sender, receiver) = channel(WAITING);
        senders.push(sender);
        let connection = pool.get().await?;
        tables.spawn(table::fill(connection, table, way, receiver));
    }
    let request = *request;
    let simulated = tokio::task::spawn_blocking(move || simulate(&request, way, &senders, &bar));
    let mut filled = Vec::new();
    let mut failed = None;
    while let Some(ended) = tables.join_next().await {
        match ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())) {
            Ok(connection) => filled.push(connection),
            // Later ones may only tell that the rows stopped coming.
            Err(error) => _ = failed.get_or_insert(error),
        }
    }
    let written = simulated
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let Some(error) = failed else {
        let written = written.expect("a table that stops taking rows has failed");
        return Ok((filled, written));
    };
    for connection in filled {
        // The connection may be gone, which rolls back as well.
        let _ = connection.execute("rollback").await;
    }
    Err(error)
}

/// Runs the simulation; nothing comes back when a table stopped taking rows.
fn simulate(
    request: &Request,
    way: Way,
    senders: &[Sender<Bytes>],
    bar: &ProgressBar,
) -> Option<Written> {
    let since = match way {
        Way::Continue(since) => Some(since),
        _ => None,
    };
    let simulation = Simulation::new(request.config, request.window(since));
    bar.set_length(simulation.blocks() as u64 + 1);
    let mut written = Written::new();
    let done = simulation.stream(request.threads, FORMAT, |block| {
        written.count(&block);
        bar.inc(1);
        bar.set_message(count(written.rows.iter().sum(), "row"));
        send(block, senders)
    });
    done.ok().map(|()| written)
}

fn send(block: Block, senders: &[Sender<Bytes>]) -> Result<(), ()> {
    for (bytes, sender) in block.tables.into_iter().zip(senders) {
        if !bytes.is_empty() {
            sender.blocking_send(Bytes::from(bytes)).map_err(|_| ())?;
        }
    }
    Ok(())
}
