//! The dispatcher: starts steps as threads come free, skips what a failure holds back, and
//! alone tells what happened.

use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::database::Message;
use super::runner::Runner;
use super::scan::{Ended, Job, Member, Sharing};
use super::step::StepDone;
use crate::event::{Counts, Event, Outcome, RunRecord, Status};
use crate::graph::Node;
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
struct Ready {
    remaining: f64,
    step: usize,
    /// What is left to do for steps that have begun; `None` for one that has not.
    job: Option<Job>,
}

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
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
    begun: Vec<bool>,
    ready: BinaryHeap<Ready>,
    sharing: Sharing,
    pub(super) results: Vec<(NodeId, Outcome)>,
    pub(super) counts: Counts,
    started: usize,
    stop: Option<&'static str>,
}

/// Runs a plan to its end; every step has exactly one result, behind those that `record` has.
/// Where a hook of `on-run-start` failed and the project wants that, none is started.
pub(super) async fn dispatch(
    runner: &Arc<Runner>,
    plan: &Plan,
    (options, record): (&Options, &mut RunRecord),
    messages: &mut UnboundedReceiver<Message>,
    emit: &mut Emit<'_>,
) {
    let mut progress = Progress::new(runner, plan, emit);
    progress.results = std::mem::take(&mut record.results);
    progress.counts = record.counts;
    progress.started = progress.results.len();
    if record.counts.error > 0 && runner.skips_after_failed_hook() {
        progress.stop = Some(HOOK_FAILED);
    }
    let mut running: JoinSet<Ended> = JoinSet::new();
    loop {
        while running.len() < options.threads && progress.stop.is_none() {
            let Some(job) = progress.next_job() else {
                break;
            };
            let runner = Arc::clone(runner);
            running.spawn(async move { runner.job(job).await });
        }
        if running.is_empty() {
            break;
        }
        tokio::select! {
            Some(joined) = running.join_next() => match joined {
                Ok(ended) => progress.take(ended, options.fail_fast),
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
    progress.orphans().await;
    progress.close(record);
    record.cancelled = runner.cancel().is_asked();
}

/// How often running statements are cancelled until all steps have ended.
const CANCEL_AGAIN: Duration = Duration::from_millis(50);

const CANCELLED: &str = "the run was cancelled";
const HOOK_FAILED: &str = "a hook of on-run-start failed";
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
            begun: vec![false; open.len()],
            ready: BinaryHeap::new(),
            sharing: Sharing::default(),
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
            if let Some(member) = self.member(step) {
                self.sharing.add(self.runner, member);
            }
            self.ready.push(Ready {
                remaining: self.plan.steps[step].remaining,
                step,
                job: None,
            });
        }
    }

    fn member(&self, step: usize) -> Option<Member> {
        let node = self.plan.steps[step].node()?;
        Some(Member { step, node })
    }

    /// What to do next; tells the start of the steps that begin with it.
    fn next_job(&mut self) -> Option<Job> {
        loop {
            let Ready { step, job, .. } = self.ready.pop()?;
            if job.is_some() {
                return job;
            }
            // It may have begun together with another step.
            if self.begun[step] {
                continue;
            }
            let job = match self.plan.steps[step].task {
                Task::Node(node) => self.sharing.job(self.runner, Member { step, node }),
                Task::Publish(group) if self.may_publish(group) => Job::Publish {
                    step,
                    group: self.plan.groups[group].clone(),
                    results: self.results_of(group),
                },
                Task::Publish(_) => continue,
            };
            job.steps().into_iter().for_each(|step| self.start(step));
            return Some(job);
        }
    }

    /// Takes what a task has brought about.
    fn take(&mut self, ended: Ended, fail_fast: bool) {
        if let Some((step, done)) = ended.published {
            self.published(step, done);
        }
        for (step, done) in ended.done {
            self.finish(step, done, fail_fast);
        }
        for job in ended.next {
            let steps = job.steps();
            let remaining = steps.iter().map(|step| self.plan.steps[*step].remaining);
            self.ready.push(Ready {
                remaining: remaining.fold(0.0, f64::max),
                step: steps.first().copied().unwrap_or_default(),
                job: Some(job),
            });
        }
    }

    fn start(&mut self, step: usize) {
        self.begun[step] = true;
        let Some(node) = self.node(step) else { return };
        self.started += 1;
        (self.emit)(Event::NodeStarted {
            node: node.id.clone(),
            kind: node.kind_words(),
            label: node.label(),
            index: self.started,
        });
    }

    /// Whether steps were left out because of a cancellation or a failure.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some()
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
            Some(node) if node.is_test() => {
                format!("{} `{}` failed", node.kind.as_str(), node.name)
            }
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
    fn close(mut self, record: &mut RunRecord) {
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
        record.results = self.results;
        record.counts = self.counts;
    }
}
