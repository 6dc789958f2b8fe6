//! Publishing a group of candidates on the connection that holds the target.

use super::runner::Runner;
use crate::graph::NodeIx;
use crate::materialize::{Candidate, hooks};
use crate::plan::Group;
use crate::publish::group::{self, Member};
use crate::session::SessionError;

/// What a publication left to say.
pub(super) struct PublishDone {
    /// Whether it is committed, or why not.
    pub(super) result: Result<(), SessionError>,
    /// Things worth telling.
    pub(super) warnings: Vec<String>,
}

impl Runner {
    /// Publishes a group. Nothing of it is visible when this fails.
    pub(super) async fn publish(&self, group: &Group) -> PublishDone {
        let _one_at_a_time = self.publishing.lock().await;
        let mut warnings = Vec::new();
        let result = self.publish_now(group, &mut warnings).await;
        PublishDone { result, warnings }
    }

    async fn publish_now(
        &self,
        group: &Group,
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
                    node,
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
        let open = group::open(&*keeper, what).await?;
        let garbage = open.commit(&*keeper).await?;
        for (ix, _) in &candidates {
            self.candidates().remove(ix);
        }
        self.collect_garbage(garbage).await;
        for (ix, _) in &candidates {
            if let Err(error) = self.hooks_after(*ix).await {
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
