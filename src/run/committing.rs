//! The end of a publish transaction: its evidence, its commit, and what became of a commit whose
//! answer was lost.

use std::time::{Duration, Instant};

use super::runner::Runner;
use super::session::RunSession;
use crate::diag::{Diagnostic, codes};
use crate::event::Outcome;
use crate::names::NodeId;
use crate::publish::group::{self, Transaction};
use crate::session::{Session, SessionError};

/// How long a server that went away during a commit is asked what became of it.
const ASK_AGAIN_FOR: Duration = Duration::from_secs(5);

/// How often a publication whose entries wait for another run's is tried.
const EVIDENCE_TRIES: u32 = 10;

impl Runner {
    /// Publishes and writes down that it did in one transaction; the statements that drop what was
    /// replaced.
    pub(super) async fn commit_with_evidence(
        &self,
        what: group::Group<'_>,
        results: &[(NodeId, Outcome)],
        keeper: &RunSession,
    ) -> Result<Vec<String>, SessionError> {
        let mut tries = 0;
        loop {
            let open = group::open(keeper, what).await?;
            let Err(error) = self.record_publication(results, keeper).await else {
                let transaction = open.transaction(keeper).await?;
                if let Err(error) = open.commit(keeper).await {
                    self.after_commit_failed(&transaction, error).await?;
                }
                self.recorded_with(results);
                return Ok(open.into_garbage());
            };
            let _ = keeper.execute("rollback".into()).await;
            tries += 1;
            // Another run is writing its entries at this moment.
            if !error.is("55P03") || tries == EVIDENCE_TRIES {
                return Err(error);
            }
        }
    }

    /// A commit that was sent and not answered may be done nevertheless: asks the server.
    async fn after_commit_failed(
        &self,
        transaction: &Transaction,
        error: SessionError,
    ) -> Result<(), SessionError> {
        let until = Instant::now() + ASK_AGAIN_FOR;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let asked = async { transaction.is_committed(&self.keeper().await.ok()?).await };
            match tokio::time::timeout(left, asked).await.ok().flatten() {
                Some(true) => return Ok(()),
                Some(false) => return Err(error),
                None if Instant::now() >= until => break,
                None => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        let said = error.diagnostic.message.clone();
        Err(SessionError {
            diagnostic: Box::new(
                Diagnostic::error(
                    codes::PUBLISH_UNKNOWN,
                    "the server went away before it said whether the publication is committed",
                )
                .note(said)
                .note("all of it is, or nothing")
                .hint("run again once the server answers; that publishes it in any case"),
            ),
            ..error
        })
    }
}
