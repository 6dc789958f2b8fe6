//! Stopping: a flag that everybody can wait for, and the statements to cancel.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::pg::CancelToken;

/// The wish to stop, shared by all of a run; cheap to clone.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Default)]
struct Inner {
    asked: AtomicBool,
    notify: Notify,
    next: AtomicU64,
    running: Mutex<HashMap<u64, CancelToken>>,
}

impl Cancel {
    /// Asks to stop: running statements are cancelled, no step is started any more.
    pub async fn ask(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.notify.notify_waiters();
        self.cancel_statements().await;
    }

    /// Cancels what runs now.
    pub(super) async fn cancel_statements(&self) {
        let tokens: Vec<CancelToken> = {
            let running = self
                .0
                .running
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            running.values().cloned().collect()
        };
        for token in tokens {
            let _ = token.cancel().await;
        }
    }

    /// Whether it was asked.
    pub fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst)
    }

    /// Waits until it is asked.
    pub async fn asked(&self) {
        let notified = self.0.notify.notified();
        if !self.is_asked() {
            notified.await;
        }
    }

    /// Keeps a session's token for as long as the guard lives.
    pub(super) fn watch(&self, token: CancelToken) -> Watched {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut running = self
            .0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        running.insert(id, token);
        Watched {
            cancel: self.clone(),
            id,
        }
    }
}

/// A session whose statements are cancelled with the run.
pub(super) struct Watched {
    cancel: Cancel,
    id: u64,
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut running = self
            .cancel
            .0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.id);
    }
}
