//! Sources asked for their freshness: all that were selected, as a command of its own, or one
//! as a step of a build that it gates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc::unbounded_channel;

use super::dispatcher::{Emit, Options};
use super::runner::{Runner, Setup};
use super::step::StepDone;
use crate::checks::freshness::{Criteria, Freshness, check};
use crate::diag::{Diagnostic, RenderOptions, render};
use crate::event::{Counts, Event, Outcome, Status};
use crate::graph::{Graph, NodeIx, ResourceKind};
use crate::session::SessionError;

/// How asking a source went.
#[derive(Clone, Debug)]
pub struct AskedSource {
    /// The source.
    pub node: NodeIx,
    /// How fresh it is, or why that is not known.
    pub answer: Result<Freshness, Box<Diagnostic>>,
    /// How long asking took.
    pub elapsed: Duration,
}

/// The sources among `nodes` whose freshness is declared; those whose declaration is wrong are
/// among them.
pub fn with_freshness(graph: &Graph, nodes: &[NodeIx]) -> Vec<NodeIx> {
    let declares = |ix: &NodeIx| {
        let node = graph.node(*ix);
        node.kind == ResourceKind::Source && !matches!(Criteria::of(node), Ok(None))
    };
    nodes.iter().copied().filter(declares).collect()
}

/// Asks sources, some at once, and tells each answer as it comes.
pub async fn ask_sources(
    setup: Setup,
    nodes: &[NodeIx],
    options: &Options,
    emit: &mut Emit<'_>,
) -> Vec<AskedSource> {
    let start = Instant::now();
    let (log, _messages) = unbounded_channel();
    let runner = Arc::new(Runner::new(setup, log));
    emit(Event::RunStarted {
        command: options.command.clone(),
        run_id: runner.run_id().to_owned(),
        nodes: nodes.len(),
        threads: options.threads,
        target: options.target.clone(),
    });
    let mut counts = Counts::default();
    let mut asked = Vec::with_capacity(nodes.len());
    let mut answers = stream::iter(nodes.iter().copied())
        .map(|ix| {
            let runner = Arc::clone(&runner);
            async move { runner.ask_source(ix).await }
        })
        .buffer_unordered(options.threads.max(1));
    while let Some(source) = answers.next().await {
        let outcome = runner.source_outcome(&source);
        counts.add(outcome.status);
        let node = runner.graph().node(source.node);
        emit(Event::NodeFinished {
            node: node.id.clone(),
            kind: "source freshness".to_owned(),
            label: node.label(),
            index: asked.len() + 1,
            outcome,
        });
        asked.push(source);
    }
    let elapsed = start.elapsed();
    emit(Event::RunFinished { elapsed, counts });
    asked
}

impl Runner {
    /// A source as a step: stale by its `error_after`, it fails, and so holds back what reads it.
    pub(super) async fn source_step(&self, ix: NodeIx) -> StepDone {
        let source = self.ask_source(ix).await;
        StepDone {
            outcome: self.source_outcome(&source),
            warnings: Vec::new(),
        }
    }

    async fn ask_source(&self, ix: NodeIx) -> AskedSource {
        let start = Instant::now();
        let answer = self.freshness(ix).await;
        AskedSource {
            node: ix,
            answer: answer.map_err(|error| error.diagnostic),
            elapsed: start.elapsed(),
        }
    }

    async fn freshness(&self, ix: NodeIx) -> Result<Freshness, SessionError> {
        let node = self.graph().node(ix);
        let Some(criteria) = Criteria::of(node)? else {
            return Err(SessionError::materialization(format!(
                "source `{}` declares no freshness",
                node.label()
            )));
        };
        let session = self.session(ix).await?;
        let _watched = self.cancel().watch(session.connection.cancel_token());
        check(node, criteria, &session).await
    }

    fn source_outcome(&self, source: &AskedSource) -> Outcome {
        let mut outcome = match &source.answer {
            Ok(freshness) => freshness.outcome(),
            Err(_) if self.cancel().is_asked() => Outcome {
                message: Some("the run was cancelled".to_owned()),
                ..Outcome::new(Status::Cancelled)
            },
            Err(problem) => {
                let options = RenderOptions {
                    color: self.color(),
                };
                Outcome::error(render(problem, self.sources(), options))
            }
        };
        outcome.elapsed = source.elapsed;
        let node = self.graph().node(source.node);
        outcome.file = Some((&node.path).into());
        outcome.relation = node.relation.as_ref().map(ToString::to_string);
        outcome
    }
}
