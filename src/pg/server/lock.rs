//! Locks between processes. The start lock is held while the server is started, stopped or
//! looked at; the users lock is held shared by everybody who uses the server. The system
//! releases both when a process dies.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::error::ServerError;

/// An open lock file; closing it releases the lock.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    pub(super) fn open(path: &Path) -> Result<Self, ServerError> {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map(Self)
            .map_err(|error| ServerError::io("write", path, &error))
    }

    /// Waits for the lock alone; `tell` hears of a wait.
    pub(super) fn exclusive(path: &Path, tell: &dyn Fn(&str)) -> Result<Self, ServerError> {
        const LONGEST: Duration = Duration::from_secs(300);
        let lock = Self::open(path)?;
        let begun = Instant::now();
        let mut told = false;
        while !lock.try_exclusive() {
            if begun.elapsed() > LONGEST {
                return Err(ServerError::Busy {
                    path: path.to_owned(),
                    seconds: LONGEST.as_secs(),
                });
            }
            if !told && begun.elapsed() > Duration::from_secs(1) {
                tell("waiting for another marts that starts or stops the private server");
                told = true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(lock)
    }

    pub(super) fn try_exclusive(&self) -> bool {
        flock(&self.0, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    pub(super) fn try_shared(&self) -> bool {
        flock(&self.0, FlockOperation::NonBlockingLockShared).is_ok()
    }
}
