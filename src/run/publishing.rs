//! Publishing a group of candidates on the connection that holds the target.

use std::time::{Duration, Instant};

use super::runner::Runner;
use crate::event::{Change, Outcome};
use crate::graph::NodeIx;
use crate::materialize::{Candidate, hooks};
use crate::names::NodeId;
use crate::plan::Group;
use crate::project::PublishMethod;
use crate::publish::Publication;
use crate::publish::group::{self, Member};
use crate::session::SessionError;

/// What a publication left to say.
pub(super) struct PublishDone {
    /// What is done, or why nothing is.
    pub(super) result: Result<Publishing, SessionError>,
    /// Things worth telling.
    pub(super) warnings: Vec<String>,
    /// How long it took, the wait for other publications of the run included.
    pub(super) elapsed: Duration,
}

/// What became of a group.
pub(super) enum Publishing {
    /// Readers see it.
    Committed,
    /// Nobody sees it; this is what would change.
    Compared(Vec<Change>),
}

impl Runner {
    /// Publishes a group, or in a dry run compares it. Nothing of it is visible when this fails.
    ///
    /// `results` are the outcomes of its members and of the tests that it waited for.
    pub(super) async fn publish(
        &self,
        group: &Group,
        results: &[(NodeId, Outcome)],
    ) -> PublishDone {
        let start = Instant::now();
        let _one_at_a_time = self.publishing.lock().await;
        let mut warnings = Vec::new();
        let result = if self.dry_run() {
            let changes = self.changes(&group.members).await;
            let discarded = self.discard(group);
            self.collect_garbage(discarded).await;
            changes.map(Publishing::Compared)
        } else {
            let done = self.publish_now(group, results, &mut warnings).await;
            done.map(|()| Publishing::Committed)
                .map_err(|error| self.masked_all(error))
        };
        PublishDone {
            result,
            warnings,
            elapsed: start.elapsed(),
        }
    }

    /// Forgets a group's candidates; the statements that drop them, to be run last first.
    fn discard(&self, group: &Group) -> Vec<String> {
        let (mut tables, mut views) = (Vec::new(), Vec::new());
        for ix in &group.members {
            let Some(candidate) = self.candidates().remove(ix) else {
                continue;
            };
            let relation = &candidate.relation;
            match candidate.publication {
                Publication::Table { .. } => {
                    tables.push(format!("drop table if exists {relation}"))
                }
                Publication::Function { drop, .. } => views.push(drop),
                Publication::MaterializedView { .. } => {
                    views.push(format!("drop materialized view if exists {relation}"));
                }
                Publication::View { .. } => views.push(format!("drop view if exists {relation}")),
                Publication::Delta { garbage, .. } => {
                    tables.extend(garbage);
                    views.push(format!("drop view if exists {relation}"));
                }
            }
        }
        // Views read tables and one another in the order of the group.
        tables.extend(views);
        tables
    }

    async fn publish_now(
        &self,
        group: &Group,
        results: &[(NodeId, Outcome)],
        warnings: &mut Vec<String>,
    ) -> Result<(), SessionError> {
        let keeper = self.kept()?;
        let candidates: Vec<(NodeIx, Candidate)> = {
            let all = self.candidates();
            let of = |ix: &NodeIx| Some((*ix, all.get(ix)?.clone()));
            group.members.iter().filter_map(of).collect()
        };
        let members: Vec<Member<'_>> = candidates
            .iter()
            .filter_map(|(ix, candidate)| {
                let node = self.graph().node(*ix);
                Some(Member {
                    by_rows: node.config.publish_method == PublishMethod::Rows,
                    live: node.relation.as_ref()?,
                    candidate: &candidate.relation,
                    publication: &candidate.publication,
                })
            })
            .collect();
        let what = group::Group {
            home: self.home(),
            members: &members,
            pending: self.pending(),
            held: &self.stage().schemas,
        };
        let garbage = self.commit_with_evidence(what, results, &keeper).await?;
        for (ix, _) in &candidates {
            self.candidates().remove(ix);
        }
        self.collect_garbage(garbage).await;
        for (ix, _) in &candidates {
            if let Err(error) = self.hooks_after(*ix).await {
                let error = self.masked(*ix, error);
                let name = &self.graph().node(*ix).name;
                warnings.push(format!(
                    "{name} is published, but its post-hook failed: {error}"
                ));
            }
        }
        Ok(())
    }

    /// Post-hooks that want no transaction run once the node is visible.
    async fn hooks_after(&self, ix: NodeIx) -> Result<(), SessionError> {
        let after = &self.graph().node(ix).config.post_hook;
        if after.iter().all(|hook| hook.transaction) {
            return Ok(());
        }
        hooks::outside(&self.session(ix).await?, after).await
    }
}
