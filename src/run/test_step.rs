//! The test part of a step: from a compiled test to the outcome that tells its verdict.

use super::compile::with_ephemeral;
use super::failures::TestSql;
use super::runner::Runner;
use super::session::RunSession;
use super::step::StepDone;
use crate::checks::reconcile::{self, Told};
use crate::checks::{self, Verdict};
use crate::event::{Outcome, Status};
use crate::graph::{Detail, Node, NodeIx};
use crate::session::{Session, SessionError};

impl Runner {
    /// Asks a test by itself.
    pub(super) async fn test(
        &self,
        ix: NodeIx,
        sql: &str,
        session: &RunSession,
    ) -> Result<StepDone, SessionError> {
        let node = self.graph().node(ix);
        let live = self.stage().live_text(sql);
        let both = TestSql {
            asked: sql,
            live: &live,
        };
        let kept = self.keep_failures(ix, both, false, session).await?;
        let judged = kept.as_ref().map_or(sql, |kept| &kept.query);
        let breaks = match reconcile::is_reconciliation(node) {
            true => reconcile::keep_breaks(judged, session).await?,
            false => None,
        };
        let judged = breaks.unwrap_or(judged);
        let rows = self.tested_rows(ix, session).await?;
        let mut verdict = checks::run_test(node, judged, rows.as_deref(), session).await?;
        let sample = verdict.sample.take();
        let found = Verdict {
            sample,
            ..verdict.clone()
        };
        let shown = breaks.unwrap_or(sql);
        verdict.sample = self.shown_sample(ix, shown, found, session).await;
        let mut warning = None;
        if reconcile::is_reconciliation(node) {
            let told = match (verdict.status, self.sensitive(ix).is_about_one(node)) {
                (Status::Pass, _) => Told::Nothing,
                (_, true) => Told::Counts,
                (_, false) => Told::Amounts,
            };
            let closed = reconcile::close(node, breaks, told, session).await?;
            verdict.message = closed.message.or(verdict.message);
            warning = closed.warning;
        }
        let mut done = self.test_done(node, verdict);
        done.warnings.extend(warning);
        done.outcome.relation = kept.map(|kept| kept.relation.to_string());
        Ok(done)
    }

    /// The query that counts what the test looks at, if its thresholds ask for it.
    async fn tested_rows(
        &self,
        ix: NodeIx,
        session: &RunSession,
    ) -> Result<Option<String>, SessionError> {
        let node = self.graph().node(ix);
        let tested = match &node.detail {
            Detail::GenericTest(test) => test.attached,
            _ => match node.parents.as_slice() {
                [parent] => *parent,
                _ => return Ok(None),
            },
        };
        let Some(template) = checks::tested_rows(node, self.graph().node(tested)) else {
            return Ok(None);
        };
        let context_of = |ix| self.context(ix);
        let own = session.render(&template, None).await?;
        let sql = with_ephemeral(self.graph(), ix, own, session, &context_of)?;
        Ok(Some(sql))
    }

    /// A verdict as a finished step.
    pub(super) fn test_done(&self, node: &Node, verdict: Verdict) -> StepDone {
        let shown = verdict.status != Status::Pass;
        StepDone {
            outcome: Outcome {
                failures: Some(verdict.failures),
                rows_tested: verdict.rows_tested,
                expected: shown.then(|| checks::expected(self.graph(), node)),
                sample: verdict.sample,
                message: verdict.message,
                thresholds: Some(checks::thresholds(&node.config)),
                ..Outcome::new(verdict.status)
            },
            warnings: Vec::new(),
        }
    }
}
