//! Readers beside a run: a session that is kept, and one that polls until it is told to stop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use marts::pg::{ConnectConfig, Connection, PgError, Pool};
use tokio::runtime::Runtime;

/// One connection for a test without a runtime.
pub(super) struct Client {
    runtime: Runtime,
    connection: Connection,
    _pool: Pool,
}

impl Client {
    /// Connects.
    pub(super) fn new(config: ConnectConfig) -> Self {
        Self::try_new(config).expect("connects")
    }

    /// Connects, if somebody listens.
    pub(super) fn try_new(config: ConnectConfig) -> Result<Self, PgError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let pool = Pool::new(config, 1).expect("needs no certificates");
        let connection = runtime.block_on(pool.get())?;
        Ok(Self {
            runtime,
            connection,
            _pool: pool,
        })
    }

    /// The last statement's rows: cells joined by `|`, rows by a space, NULL as `~`; or what
    /// Postgres said.
    pub(super) fn ask(&self, sql: &str) -> Result<String, String> {
        let rows = self.runtime.block_on(self.connection.query_untyped(sql));
        let rows = rows.map_err(|error| error.to_string())?.rows;
        let row = |cells: &Vec<Option<String>>| {
            let cells: Vec<&str> = cells.iter().map(|c| c.as_deref().unwrap_or("~")).collect();
            cells.join("|")
        };
        Ok(rows.iter().map(row).collect::<Vec<_>>().join(" "))
    }

    /// What [`Self::ask`] gives where nothing may go wrong.
    #[track_caller]
    pub(super) fn rows(&self, sql: &str) -> String {
        self.ask(sql).expect("the statement runs")
    }
}

/// Polls with one statement until it is stopped.
pub(super) struct Poller {
    stop: Arc<AtomicBool>,
    reads: Arc<AtomicUsize>,
    seen: Arc<Mutex<BTreeMap<String, usize>>>,
    thread: JoinHandle<()>,
}

impl Poller {
    /// Starts to poll.
    pub(super) fn start(config: ConnectConfig, sql: impl Into<String>) -> Self {
        let (stop, reads) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let seen = Arc::<Mutex<BTreeMap<String, usize>>>::default();
        let (told, count, sql) = (Arc::clone(&stop), Arc::clone(&reads), sql.into());
        let all = Arc::clone(&seen);
        let thread = std::thread::spawn(move || {
            let client = Client::new(config);
            while !told.load(Ordering::Relaxed) {
                let answer = client.ask(&sql).unwrap_or_else(|e| format!("error: {e}"));
                *all.lock().expect("is whole").entry(answer).or_default() += 1;
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self {
            stop,
            reads,
            seen,
            thread,
        }
    }

    /// How often it has read so far.
    pub(super) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    /// Whether an answer came that is not of this kind.
    pub(super) fn saw_other_than(&self, kind: impl Fn(&str) -> bool) -> bool {
        let seen = self.seen.lock().expect("is whole");
        seen.keys().any(|answer| !kind(answer))
    }

    /// Stops; each answer with how often it came. An answer that begins with `error: ` is one.
    pub(super) fn stop(self) -> BTreeMap<String, usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the reader does not panic");
        std::mem::take(&mut self.seen.lock().expect("is whole"))
    }
}
