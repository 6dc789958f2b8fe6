//! The dispatcher: starts steps as threads come free, skips what a failure holds back, and
//! alone tells what happened.

use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::cancel::Cancel;
use super::database::Message;
use super::publishing::PublishDone;
use super::runner::Runner;
use super::step::StepDone;
use crate::event::{Counts, Event, Outcome, RunRecord, Status};
use crate::graph::{Node, NodeIx};
use crate::names::NodeId;
use crate::plan::{Plan, Task};

/// Takes the events of a run, in order.
pub type Emit<'a> = dyn FnMut(Event) + Send + 'a;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The command, for people.
    pub command: String,
    /// Steps at once.
    pub threads: usize,
    /// Stop launching at the first failure.
    pub fail_fast: bool,
    /// The target and its server, for people.
    pub target: String,
}

/// A step that may start, ordered by the longest work behind it, then by its place.
#[derive(PartialEq)]
struct Ready {
    remaining: f64,
    step: usize,
}

impl Eq for Ready {}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.remaining
            .total_cmp(&other.remaining)
            .then(other.step.cmp(&self.step))
    }
}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What is known of the run so far.
pub(super) struct Progress<'a, 'e> {
    pub(super) runner: &'a Runner,
    pub(super) plan: &'a Plan,
    pub(super) emit: &'a mut Emit<'e>,
    /// How many steps each one still waits for.
    open: Vec<usize>,
    /// How each step ended: `Some(true)` well.
    pub(super) ended: Vec<Option<bool>>,
    ready: BinaryHeap<Ready>,
    pub(super) results: Vec<(NodeId, Outcome)>,
    pub(super) counts: Counts,
    started: usize,
    stop: Option<&'static str>,
}

/// A step that ended.
enum Done {
    Node(StepDone),
    Published(PublishDone),
}

/// Runs a plan to its end; every step has exactly one result.
pub(super) async fn dispatch(
    runner: &Arc<Runner>,
    plan: &Plan,
    options: &Options,
    messages: &mut UnboundedReceiver<Message>,
    emit: &mut Emit<'_>,
) -> RunRecord {
    let start = Instant::now();
    emit(Event::RunStarted {
        command: options.command.clone(),
        run_id: runner.run_id().to_owned(),
        nodes: plan.nodes().count(),
        threads: options.threads,
        target: options.target.clone(),
    });
    let mut progress = Progress::new(runner, plan, emit);
    let mut running: JoinSet<(usize, Done, Duration)> = JoinSet::new();
    loop {
        while running.len() < options.threads && progress.stop.is_none() {
            let Some(Ready { step, .. }) = progress.ready.pop() else {
                break;
            };
            let (runner, begun) = (Arc::clone(runner), Instant::now());
            match plan.steps[step].task {
                Task::Node(node) => {
                    progress.start(node);
                    running.spawn(async move {
                        (step, Done::Node(runner.step(node).await), begun.elapsed())
                    });
                }
                Task::Publish(group) => {
                    if !progress.may_publish(group) {
                        continue;
                    }
                    let group = plan.groups[group].clone();
                    running.spawn(async move {
                        let done = runner.publish(&group).await;
                        (step, Done::Published(done), begun.elapsed())
                    });
                }
            }
        }
        if running.is_empty() {
            break;
        }
        tokio::select! {
            Some(joined) = running.join_next() => match joined {
                Ok((step, Done::Node(done), _)) => progress.finish(step, done, options.fail_fast),
                Ok((step, Done::Published(done), elapsed)) => {
                    progress.published(step, done, elapsed);
                }
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            Some(message) = messages.recv() => progress.tell(message),
            () = runner.cancel().asked(), if progress.stop != Some(CANCELLED) => {
                progress.stop = Some(CANCELLED);
                (progress.emit)(Event::Cancelled);
            }
            // Statements that began after the first round of cancelling.
            () = tokio::time::sleep(CANCEL_AGAIN), if progress.stop == Some(CANCELLED) => {
                runner.cancel().cancel_statements().await;
            }
        }
    }
    while let Ok(message) = messages.try_recv() {
        progress.tell(message);
    }
    progress.close(options, start, runner.cancel())
}

/// How often running statements are cancelled until all steps have ended.
const CANCEL_AGAIN: Duration = Duration::from_millis(50);

const CANCELLED: &str = "the run was cancelled";
const FAIL_FAST: &str = "another node failed and --fail-fast was given";

impl<'a, 'e> Progress<'a, 'e> {
    fn new(runner: &'a Runner, plan: &'a Plan, emit: &'a mut Emit<'e>) -> Self {
        let waits = |s: &crate::plan::Step| s.needs.len() + s.after.len();
        let open: Vec<usize> = plan.steps.iter().map(waits).collect();
        let mut progress = Self {
            runner,
            plan,
            emit,
            ended: vec![None; open.len()],
            ready: BinaryHeap::new(),
            results: Vec::with_capacity(open.len()),
            counts: Counts::default(),
            started: 0,
            stop: None,
            open,
        };
        for step in 0..progress.open.len() {
            progress.push_if_ready(step);
        }
        progress
    }

    /// The node of a step that builds or asks one.
    pub(super) fn node(&self, step: usize) -> Option<&'a Node> {
        let ix = self.plan.steps[step].node()?;
        Some(self.runner.graph().node(ix))
    }

    fn push_if_ready(&mut self, step: usize) {
        if self.open[step] == 0 && self.ended[step].is_none() {
            self.ready.push(Ready {
                remaining: self.plan.steps[step].remaining,
                step,
            });
        }
    }

    fn start(&mut self, node: NodeIx) {
        self.started += 1;
        let node = self.runner.graph().node(node);
        (self.emit)(Event::NodeStarted {
            node: node.id.clone(),
            kind: node.kind_words(),
            label: node.label(),
            index: self.started,
        });
    }

    pub(super) fn warn(&mut self, warnings: Vec<String>) {
        for warning in warnings {
            (self.emit)(Event::Warned {
                code: "node-warning".to_owned(),
                message: warning,
            });
        }
    }

    fn finish(&mut self, step: usize, done: StepDone, fail_fast: bool) {
        self.warn(done.warnings);
        let status = done.outcome.status;
        self.record(step, done.outcome);
        self.end(step, status.is_ok());
        if !status.is_ok() && fail_fast && self.stop.is_none() {
            self.stop = Some(FAIL_FAST);
        }
    }

    /// A step ended: what waits for it may start, or is skipped.
    pub(super) fn end(&mut self, step: usize, well: bool) {
        self.ended[step] = Some(well);
        for next in &self.plan.steps[step].precedes {
            self.open[*next] -= 1;
            self.push_if_ready(*next);
        }
        if !well {
            self.skip_behind(step);
            return;
        }
        for next in &self.plan.steps[step].feeds {
            self.open[*next] -= 1;
            self.push_if_ready(*next);
        }
    }

    /// Skips every step that waits for a failed one, each with the reason.
    fn skip_behind(&mut self, failed: usize) {
        let reason = self.reason(failed);
        let mut stack = self.plan.steps[failed].feeds.clone();
        stack.reverse();
        while let Some(step) = stack.pop() {
            if self.ended[step].is_some() {
                continue;
            }
            let outcome = Outcome {
                message: Some(reason.clone()),
                ..Outcome::new(Status::Skipped)
            };
            self.record(step, outcome);
            self.ended[step] = Some(false);
            for next in &self.plan.steps[step].precedes {
                self.open[*next] -= 1;
                self.push_if_ready(*next);
            }
            stack.extend(self.plan.steps[step].feeds.iter().rev());
        }
    }

    /// What a failed step says to those that wait for it.
    pub(super) fn reason(&self, failed: usize) -> String {
        match self.node(failed) {
            Some(node) if node.is_test() => format!("test `{}` failed", node.name),
            Some(node) => format!("{} `{}` was not built", node.kind.as_str(), node.name),
            None => "what it reads was not published".to_owned(),
        }
    }

    fn record(&mut self, step: usize, outcome: Outcome) {
        let Some(node) = self.node(step) else { return };
        self.counts.add(outcome.status);
        self.results.push((node.id.clone(), outcome.clone()));
        (self.emit)(Event::NodeFinished {
            node: node.id.clone(),
            kind: node.kind_words(),
            label: node.label(),
            index: self.results.len(),
            outcome,
        });
    }

    fn tell(&mut self, message: Message) {
        (self.emit)(match message {
            Message::Log(message) => Event::Logged { message },
            Message::Warn(message) => Event::Warned {
                code: "template-warning".to_owned(),
                message,
            },
        });
    }

    /// Whatever was never started is told as well.
    fn close(mut self, options: &Options, start: Instant, cancel: &Cancel) -> RunRecord {
        let reason = self.stop.unwrap_or("it was never ready to run");
        for step in 0..self.ended.len() {
            if self.ended[step].is_none() {
                match self.plan.steps[step].task {
                    Task::Publish(group) => self.held_back(group, reason.to_owned(), false),
                    Task::Node(_) => self.record(
                        step,
                        Outcome {
                            message: Some(reason.to_owned()),
                            ..Outcome::new(Status::Cancelled)
                        },
                    ),
                }
            }
        }
        let elapsed = start.elapsed();
        (self.emit)(Event::RunFinished {
            elapsed,
            counts: self.counts,
        });
        RunRecord {
            run_id: self.runner.run_id().to_owned(),
            command: options.command.clone(),
            results: self.results,
            counts: self.counts,
            cancelled: cancel.is_asked(),
            elapsed,
        }
    }
}
