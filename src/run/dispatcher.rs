//! The dispatcher: starts steps as threads come free, skips what a failure holds back, and
//! alone tells what happened.

use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::cancel::Cancel;
use super::database::Message;
use super::runner::Runner;
use super::scan::{Ended, Job, Member, Sharing};
use super::step::StepDone;
use crate::event::{Counts, Event, Outcome, RunRecord, Status};
use crate::graph::Node;
use crate::plan::Plan;

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
struct Progress<'a, 'e> {
    runner: &'a Runner,
    plan: &'a Plan,
    emit: &'a mut Emit<'e>,
    open: Vec<usize>,
    done: Vec<bool>,
    begun: Vec<bool>,
    ready: BinaryHeap<Ready>,
    sharing: Sharing,
    results: Vec<(crate::names::NodeId, Outcome)>,
    counts: Counts,
    started: usize,
    stop: Option<&'static str>,
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
        nodes: plan.steps.len(),
        threads: options.threads,
        target: options.target.clone(),
    });
    let mut progress = Progress::new(runner, plan, emit);
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
                Ok(ended) => progress.end(ended, options.fail_fast),
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
        let open: Vec<usize> = plan.steps.iter().map(|s| s.needs.len()).collect();
        let mut progress = Self {
            runner,
            plan,
            emit,
            done: vec![false; open.len()],
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

    fn node(&self, step: usize) -> &'a Node {
        self.runner.graph().node(self.plan.steps[step].node)
    }

    fn push_if_ready(&mut self, step: usize) {
        if self.open[step] == 0 && !self.done[step] {
            self.sharing.add(self.runner, self.member(step));
            self.ready.push(Ready {
                remaining: self.plan.steps[step].remaining,
                step,
                job: None,
            });
        }
    }

    fn member(&self, step: usize) -> Member {
        let node = self.plan.steps[step].node;
        Member { step, node }
    }

    /// What to do next; tells the start of the steps that begin with it.
    fn next_job(&mut self) -> Option<Job> {
        loop {
            let Ready { step, job, .. } = self.ready.pop()?;
            if job.is_some() {
                return job;
            }
            // It may have begun together with another step.
            if !self.begun[step] {
                let job = self.sharing.job(self.runner, self.member(step));
                job.steps().into_iter().for_each(|step| self.start(step));
                return Some(job);
            }
        }
    }

    /// Takes what a task has brought about.
    fn end(&mut self, ended: Ended, fail_fast: bool) {
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
        self.started += 1;
        let node = self.node(step);
        (self.emit)(Event::NodeStarted {
            node: node.id.clone(),
            kind: node.kind_words(),
            label: node.label(),
            index: self.started,
        });
    }

    fn finish(&mut self, step: usize, done: StepDone, fail_fast: bool) {
        for warning in done.warnings {
            (self.emit)(Event::Warned {
                code: "node-warning".to_owned(),
                message: warning,
            });
        }
        let status = done.outcome.status;
        self.record(step, done.outcome);
        if status.is_ok() {
            for next in &self.plan.steps[step].feeds {
                self.open[*next] -= 1;
                self.push_if_ready(*next);
            }
        } else {
            self.skip_behind(step);
            if fail_fast && self.stop.is_none() {
                self.stop = Some(FAIL_FAST);
            }
        }
    }

    /// Skips every step that waits for a failed one, each with the reason.
    fn skip_behind(&mut self, failed: usize) {
        let node = self.node(failed);
        let verb = if node.is_test() {
            "failed"
        } else {
            "was not built"
        };
        let reason = format!("{} `{}` {verb}", node.kind.as_str(), node.name);
        let mut stack = self.plan.steps[failed].feeds.clone();
        stack.reverse();
        while let Some(step) = stack.pop() {
            if self.done[step] {
                continue;
            }
            let outcome = Outcome {
                message: Some(reason.clone()),
                ..Outcome::new(Status::Skipped)
            };
            self.record(step, outcome);
            stack.extend(self.plan.steps[step].feeds.iter().rev());
        }
    }

    fn record(&mut self, step: usize, outcome: Outcome) {
        self.done[step] = true;
        self.counts.add(outcome.status);
        let node = self.node(step);
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
        for step in 0..self.done.len() {
            if !self.done[step] {
                let message = Some(reason.to_owned());
                self.record(
                    step,
                    Outcome {
                        message,
                        ..Outcome::new(Status::Cancelled)
                    },
                );
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
