//! The pool: a node takes one [`Connection`] and keeps it until it ends. A session that
//! comes back is cleaned at once, so that its locks are free and nobody waits for it; one that was left in the middle of a statement
//! is cancelled and closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, PoolError, RecycleError};

use super::config::ConnectConfig;
use super::connect::{Connector, Made};
use super::connection::Connection;
use super::error::{PgError, backoff};

/// Connections to one database; cheap to clone.
#[derive(Clone)]
pub struct Pool {
    inner: managed::Pool<Manager>,
    connector: Arc<Connector>,
    moved: Arc<AtomicBool>,
}

impl Pool {
    /// A pool of at most `size` connections; connects to nothing yet, but reads certificates.
    pub fn new(config: ConnectConfig, size: usize) -> Result<Self, PgError> {
        let connector = Arc::new(Connector::new(config)?);
        let moved = Arc::new(AtomicBool::new(false));
        let manager = Manager {
            connector: Arc::clone(&connector),
            moved: Arc::clone(&moved),
        };
        let inner = managed::Pool::builder(manager)
            .max_size(size.max(1))
            .build()
            .map_err(|error| PgError::Protocol(error.to_string()))?;
        Ok(Self {
            inner,
            connector,
            moved,
        })
    }

    /// A clean, set-up session. Waits while all are in use; repeats after a transient
    /// failure as often as the configuration's `retries` say.
    pub async fn get(&self) -> Result<Connection, PgError> {
        let mut attempt = 0;
        loop {
            let error = match self.inner.get().await {
                Ok(object) => return Ok(Connection::new(object, Arc::clone(&self.connector))),
                Err(PoolError::Backend(error)) => error,
                Err(other) => return Err(PgError::Protocol(other.to_string())),
            };
            if attempt >= self.connector.config.retries || !error.is_transient() {
                return Err(error);
            }
            tracing::debug!(%error, attempt, "connecting again");
            tokio::time::sleep(backoff(attempt)).await;
            attempt += 1;
        }
    }

    /// What the pool connects with.
    pub fn config(&self) -> &ConnectConfig {
        &self.connector.config
    }

    /// Fails with [`PgError::TransactionPooling`] when a proxy between us and the server
    /// gives each transaction another session. Opens two connections for it.
    pub async fn check_sessions_are_kept(&self) -> Result<(), PgError> {
        let pooling = || PgError::TransactionPooling {
            server: self.connector.config.server_name(),
        };
        let first = self.connector.connect().await?;
        let second = self.connector.connect().await?;
        let ask = "select pg_catalog.pg_backend_pid()";
        // The second holds its session by a transaction while the first asks again: behind
        // such a proxy either both meet in one session, or the first one moved.
        let held = self
            .connector
            .backend_of(&second.client, &format!("begin; {ask}"))
            .await
            .map_err(|error| match error.db() {
                // A proxy that pools by statement refuses BEGIN.
                Some(db) if db.sqlstate == "08P01" && db.message.contains("pooling") => pooling(),
                _ => error,
            })?;
        let again = self.connector.backend_of(&first.client, ask).await?;
        match again != first.backend || held == first.backend || self.has_moved() {
            true => Err(pooling()),
            false => Ok(()),
        }
    }

    /// Whether a session was seen to move to another backend while it was ours.
    pub fn has_moved(&self) -> bool {
        self.moved.load(Ordering::Relaxed)
    }

    /// Closes idle connections and refuses further ones.
    pub fn close(&self) {
        self.inner.close();
    }
}

pub(super) type Object = managed::Object<Manager>;

pub(super) struct Manager {
    connector: Arc<Connector>,
    moved: Arc<AtomicBool>,
}

/// Everything of `DISCARD ALL` but what would take away the driver's own prepared statements;
/// `DISCARD ALL` itself cannot share a round trip.
const CLEAN: &str = "rollback; close all; set session authorization default; reset role; \
     reset all; unlisten *; select pg_catalog.pg_advisory_unlock_all(); discard temp; \
     discard sequences; ";

impl managed::Manager for Manager {
    type Type = Made;
    type Error = PgError;

    async fn create(&self) -> Result<Made, PgError> {
        self.connector.connect().await
    }

    async fn recycle(&self, made: &mut Made, _: &Metrics) -> managed::RecycleResult<PgError> {
        if made.client.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        let cleaned = made.cleaned.take();
        if cleaned.is_some_and(|at| at.elapsed() < TRUSTED) {
            return Ok(());
        }
        let backend = clean(&self.connector, made).await?;
        if backend != made.backend {
            self.moved.store(true, Ordering::Relaxed);
            made.backend = backend;
        }
        Ok(())
    }
}

/// How long a cleaned session counts as alive without being asked.
const TRUSTED: Duration = Duration::from_secs(1);

/// Cleans a session that comes back, before it is in the pool again. Where that fails, the next
/// one who takes it finds out.
pub(super) async fn clean_now(connector: &Connector, made: &mut Made) {
    if let Ok(backend) = clean(connector, made).await
        && backend == made.backend
    {
        made.cleaned = Some(Instant::now());
    }
}

/// Brings a session back to how it was made; its backend's process id.
async fn clean(connector: &Connector, made: &Made) -> Result<i32, PgError> {
    let sql = format!("{CLEAN}{}", connector.set_up_sql());
    let backend = connector.backend_of(&made.client, &sql).await?;
    made.notices
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clear();
    Ok(backend)
}
