//! Tests of one relation taken together: they are rendered and proven in one task, then each
//! shared scan is a task of its own, beside the tests that run by themselves.
//!
//! A scan only ever decides that a test has no failing row. All else, its errors included, is
//! the test's own step.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::compile::{compile, compiled_path};
use super::publishing::PublishDone;
use super::runner::Runner;
use super::session::RunSession;
use super::step::StepDone;
use crate::checks::fuse::{
    Collations, Found, Shape, Statement, UniqueIndexes, prove, statements, unique_indexes,
};
use crate::checks::{may_share, passed};
use crate::event::Outcome;
use crate::graph::NodeIx;
use crate::ledger;
use crate::names::NodeId;
use crate::plan::Group;
use crate::session::{Session, SessionError};

/// A step of the plan and its node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) step: usize,
    pub(super) node: NodeIx,
}

/// What one task does.
pub(super) enum Job {
    /// Runs one step.
    Step(Member),
    /// Finds out which of these tests can share a scan.
    Batch(Vec<Member>),
    /// Runs a statement that answers for many tests.
    Scan(Box<Scan>),
    /// Publishes candidates.
    Publish {
        step: usize,
        group: Group,
        /// What is known of its members and their tests.
        results: Vec<(NodeId, Outcome)>,
    },
}

/// What a task has brought about.
#[derive(Default)]
pub(super) struct Ended {
    /// A finished publication.
    pub(super) published: Option<(usize, PublishDone)>,
    /// Finished steps.
    pub(super) done: Vec<(usize, StepDone)>,
    /// What is to be done next for steps that have begun.
    pub(super) next: Vec<Job>,
}

/// A statement and the tests that wait for its answer.
pub(super) struct Scan {
    statement: Statement<Rendered>,
}

/// A test whose SQL has been rendered.
#[derive(Clone, Debug)]
struct Rendered {
    member: Member,
    path: PathBuf,
    sql_sha256: String,
    spent: Duration,
}

impl Job {
    /// The steps that it works for.
    pub(super) fn steps(&self) -> Vec<usize> {
        match self {
            Self::Step(member) => vec![member.step],
            Self::Publish { step, .. } => vec![*step],
            Self::Batch(members) => members.iter().map(|member| member.step).collect(),
            Self::Scan(scan) => {
                let tests = scan.statement.tests.iter();
                tests.map(|test| test.member.step).collect()
            }
        }
    }
}

/// Tests that are ready, by what they test.
#[derive(Default)]
pub(super) struct Sharing(HashMap<NodeIx, Vec<Member>>);

impl Sharing {
    /// Notes a step that became ready.
    pub(super) fn add(&mut self, runner: &Runner, member: Member) {
        if let Some(tested) = runner.shares(member.node) {
            self.0.entry(tested).or_default().push(member);
        }
    }

    /// The job for a step that is to start: alone, or with all others that are ready and test
    /// the same relation.
    pub(super) fn job(&mut self, runner: &Runner, member: Member) -> Job {
        let tested = runner.shares(member.node);
        let members = tested.and_then(|tested| self.0.remove(&tested));
        match members {
            Some(members) if members.len() > 1 => Job::Batch(members),
            _ => Job::Step(member),
        }
    }
}

impl Runner {
    /// The node with whose other tests this one may share a scan.
    fn shares(&self, ix: NodeIx) -> Option<NodeIx> {
        match self.fuses() {
            true => may_share(self.graph().node(ix)),
            false => None,
        }
    }

    /// Does a task's work.
    pub(super) async fn job(&self, job: Job) -> Ended {
        match job {
            Job::Step(member) => Ended {
                done: vec![(member.step, self.step(member.node).await)],
                ..Ended::default()
            },
            Job::Publish {
                step,
                group,
                results,
            } => Ended {
                published: Some((step, self.publish(&group, &results).await)),
                ..Ended::default()
            },
            Job::Batch(members) => self.batch(members).await,
            Job::Scan(scan) => self.scan(*scan).await,
        }
    }

    async fn batch(&self, members: Vec<Member>) -> Ended {
        let mut ended = Ended::default();
        let session = match members.first() {
            Some(first) => self.session(first.node).await,
            None => return ended,
        };
        let Ok(mut session) = session else {
            ended.next.extend(members.into_iter().map(Job::Step));
            return ended;
        };
        let _watched = self.cancel().watch(session.connection.cancel_token());
        let mut proven = Vec::new();
        for member in members {
            match self.render_and_prove(member, &mut session).await {
                Ok(Some(found)) => proven.push(found),
                // The step's own error will say what is wrong with it.
                Ok(None) | Err(_) => ended.next.push(Job::Step(member)),
            }
        }
        let proven = self.unique_by_index(proven, &session, &mut ended).await;
        let collations = match Collations::matter(&proven) {
            true => session.query(Collations::QUESTION).await,
            false => Ok(crate::jinja::Table::default()),
        };
        // A server that cannot say so takes the slower form.
        let collations =
            collations.map_or_else(|_| Collations::default(), |a| Collations::read(&a));
        let (shared, alone) = statements(proven, collations);
        let shared = shared
            .into_iter()
            .map(|statement| Job::Scan(Box::new(Scan { statement })));
        let alone = alone.into_iter().map(|test| Job::Step(test.member));
        ended.next.extend(shared.chain(alone));
        ended
    }

    async fn render_and_prove(
        &self,
        member: Member,
        session: &mut RunSession,
    ) -> Result<Option<(Rendered, Shape)>, SessionError> {
        let start = Instant::now();
        let node = self.graph().node(member.node);
        session.context = self.context(member.node);
        session.file = node.file;
        let context_of = |ix| self.context(ix);
        let sql = compile(self.graph(), member.node, session, &context_of)?;
        let shape = match prove(&sql) {
            Ok(shape) => shape,
            Err(reason) => {
                tracing::debug!(node = %node.id, %reason, "runs by itself");
                return Ok(None);
            }
        };
        let path = compiled_path(self.target_path(), node);
        let live = self.stage().live_text(&sql);
        self.write_compiled(&path, &live).await?;
        let rendered = Rendered {
            member,
            path,
            sql_sha256: ledger::chain::of_text(&live),
            spent: start.elapsed(),
        };
        Ok(Some((rendered, shape)))
    }

    /// Finishes the tests that a unique index answers; the others are given back.
    async fn unique_by_index(
        &self,
        proven: Vec<(Rendered, Shape)>,
        session: &RunSession,
        ended: &mut Ended,
    ) -> Vec<(Rendered, Shape)> {
        let unique = |(_, shape): &&(Rendered, Shape)| matches!(shape, Shape::Unique(_));
        if !proven.iter().any(|test| unique(&test)) {
            return proven;
        }
        let origins = proven
            .iter()
            .filter(unique)
            .map(|(_, shape)| shape.origin());
        let answer = session.query(&unique_indexes(origins)).await;
        let indexes = match &answer {
            Ok(answer) => UniqueIndexes::read(answer),
            Err(_) => UniqueIndexes::default(),
        };
        let mut open = Vec::new();
        for (test, shape) in proven {
            match &shape {
                Shape::Unique(unique) if indexes.prove(unique) => {
                    tracing::debug!(node = %self.graph().node(test.member.node).id, "a unique index proves it");
                    ended.done.push(self.found_none(test, None, Duration::ZERO));
                }
                _ => open.push((test, shape)),
            }
        }
        open
    }

    /// Runs a shared scan. The tests that it does not answer run by themselves.
    async fn scan(&self, scan: Scan) -> Ended {
        let start = Instant::now();
        let statement = scan.statement;
        let answer = self.ask(&statement).await;
        let mut ended = Ended::default();
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                tracing::debug!(%error, "a shared scan failed, its tests run one by one");
                let alone = statement.tests.into_iter();
                ended.next.extend(alone.map(|test| Job::Step(test.member)));
                return ended;
            }
        };
        let tests = u32::try_from(statement.tests.len())
            .unwrap_or(u32::MAX)
            .max(1);
        let share = start.elapsed() / tests;
        let rows = statement.rows(&answer);
        for (test, found) in statement.read(&answer) {
            match found {
                Found::None => ended.done.push(self.found_none(test, rows, share)),
                Found::Perhaps => ended.next.push(Job::Step(test.member)),
            }
        }
        ended
    }

    async fn ask(
        &self,
        statement: &Statement<Rendered>,
    ) -> Result<crate::jinja::Table, SessionError> {
        let Some(first) = statement.tests.first() else {
            return Ok(crate::jinja::Table::default());
        };
        let session = self.session(first.member.node).await?;
        let _watched = self.cancel().watch(session.connection.cancel_token());
        session.query(&statement.sql).await
    }

    /// The finished step of a test without failing rows.
    fn found_none(&self, test: Rendered, rows: Option<u64>, share: Duration) -> (usize, StepDone) {
        let node = self.graph().node(test.member.node);
        let mut done = self.test_done(node, passed(rows));
        done.outcome.sql_sha256 = Some(test.sql_sha256);
        let done = self.told(test.member.node, done, test.spent + share, Some(test.path));
        (test.member.step, done)
    }
}
