//! One step: a node on a session, from rendering to its outcome.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::compile::{compile, compiled_path, run_path};
use super::limits::NodeLimits;
use super::place;
use super::retry::{Committed, Tries};
use super::runner::Runner;
use super::session::{CANCELLED, RunSession};
use crate::diag::{Diagnostic, RenderOptions, codes, render};
use crate::event::{Outcome, Status};
use crate::graph::naming::too_long;
use crate::graph::{Node, NodeIx, ResourceKind};
use crate::jinja::NodeContext;
use crate::ledger;
use crate::materialize::{self, Spec};
use crate::names::RelationKind;
use crate::session::SessionError;

/// How a step ended.
pub(super) struct StepDone {
    pub(super) outcome: Outcome,
    pub(super) warnings: Vec<String>,
}

impl Runner {
    /// Runs one node to its outcome. Never fails: whatever goes wrong is the outcome.
    pub(super) async fn step(&self, ix: NodeIx) -> StepDone {
        if self.graph().node(ix).kind == ResourceKind::Source {
            return self.source_step(ix).await;
        }
        let start = Instant::now();
        let mut compiled_path = None;
        let node = self.graph().node(ix);
        let retries = self.target().node_retries;
        // What is staged touches nothing that is published, so it may be made again.
        let anew = self.full_refresh(ix) || self.stage().is_staged(ix);
        let mut tries = Tries::new(node, retries, anew);
        let result = loop {
            let result = self.attempt(ix, &mut compiled_path, &tries).await;
            let pause = match &result {
                Err(error) if !self.cancel().is_asked() => tries.again(error),
                _ => None,
            };
            let Some(pause) = pause else {
                break result.map_err(|error| tries.told(error));
            };
            tracing::info!(node = %node.id, ?pause, "trying again");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.cancel().asked() => {}
            }
        };
        let result = result.map_err(|error| self.masked(ix, error));
        self.leave(ix, result.is_err()).await;
        let mut done = result.unwrap_or_else(|error| {
            let mut done = self.failed(&error);
            let at = (node, compiled_path.as_deref());
            place::of_error(&mut done.outcome, &error.diagnostic, at, self.sources());
            done
        });
        if done.outcome.status.is_ok() && done.outcome.message.is_none() {
            done.outcome.message = tries.note();
        }
        if self.setup.warnings_fail && done.outcome.status.is_ok() && !done.warnings.is_empty() {
            let warnings = std::mem::take(&mut done.warnings).join("\n");
            let message =
                format!("it is built, but warnings are errors (--warn-error):\n{warnings}");
            done.outcome = Outcome::error(message);
        }
        self.told(ix, done, start.elapsed(), compiled_path)
    }

    /// A finished step with what every outcome says of its node.
    pub(super) fn told(
        &self,
        ix: NodeIx,
        mut done: StepDone,
        elapsed: Duration,
        compiled_path: Option<PathBuf>,
    ) -> StepDone {
        done.outcome.elapsed = elapsed;
        done.outcome.compiled_path = compiled_path;
        let node = self.graph().node(ix);
        place::declare(&mut done.outcome, node, self.sources(), self.project_root());
        let relation = node.relation.as_ref();
        let relation = relation
            .filter(|_| !node.is_test())
            .map(ToString::to_string);
        // Of a test it is where its failing rows are kept.
        done.outcome.relation = relation.or(done.outcome.relation);
        done
    }

    /// A node's turn in this run is over; what a failed one began is dropped.
    async fn leave(&self, ix: NodeIx, failed: bool) {
        let node = self.graph().node(ix);
        let Some(live) = node.relation.as_ref().filter(|_| !node.is_test()) else {
            return;
        };
        self.pending().done(live);
        if failed && node.kind != ResourceKind::Function {
            let candidate = self.home().candidate(live);
            let keyword = match node.config.materialized.as_str() {
                "materialized_view" => "materialized view",
                _ => "table",
            };
            let drop = format!("drop {keyword} if exists {candidate}");
            self.collect_garbage(vec![drop]).await;
        }
    }

    pub(super) fn failed(&self, error: &SessionError) -> StepDone {
        let cancelled = self.cancel().is_asked() && error.is(CANCELLED);
        let outcome = if cancelled {
            Outcome {
                message: Some("the run was cancelled".to_owned()),
                ..Outcome::new(Status::Cancelled)
            }
        } else {
            let options = RenderOptions {
                color: self.color(),
            };
            Outcome::error(render(&error.diagnostic, self.sources(), options))
        };
        StepDone {
            outcome,
            warnings: Vec::new(),
        }
    }

    async fn attempt(
        &self,
        ix: NodeIx,
        path: &mut Option<PathBuf>,
        tries: &Tries,
    ) -> Result<StepDone, SessionError> {
        let node = self.graph().node(ix);
        let mut session = self.session(ix).await?;
        session.committed = tries.committed();
        let _watched = self.cancel().watch(session.connection.cancel_token());
        if node.kind == ResourceKind::UnitTest {
            return self.unit_test(ix, session, path).await;
        }
        let Some(live) = node.relation.as_ref().filter(|_| !node.is_test()) else {
            return self.work(ix, None, session, path).await;
        };
        if let Some(problem) = too_long(node) {
            return Err(SessionError::from(problem));
        }
        if self.stage().is_staged(ix) {
            // The run holds the whole target, so no other builds this relation.
            let existing = materialize::existing(live, &session).await?;
            return self.work(ix, existing, session, path).await;
        }
        // Before anything is rendered, since templates ask what is there.
        let existing = materialize::begin_turn(live, &session).await?;
        let unlock = session.without_cancel();
        let done = self.work(ix, existing, session, path).await;
        materialize::end_turn(live, &unlock).await;
        done
    }

    /// Renders a node and builds or asks it.
    async fn work(
        &self,
        ix: NodeIx,
        existing: Option<RelationKind>,
        mut session: RunSession,
        path: &mut Option<PathBuf>,
    ) -> Result<StepDone, SessionError> {
        let node = self.graph().node(ix);
        if node.model.microbatch && node.model.materialization.is_none() {
            return self.batches(ix, existing, session, path).await;
        }
        let sql = self.compiled(ix, &session, path).await?;
        if let Some(relative) = path.as_ref().filter(|_| !sql.is_empty()) {
            if matches!(node.kind, ResourceKind::Snapshot | ResourceKind::Function) {
                session.context = with_compiled_code(&session.context, &sql);
            }
            session.compiled = Some(self.sources().add(relative, sql.as_str()));
        }
        let mut done = if node.is_test() {
            self.test(ix, &sql, &session).await?
        } else {
            let mut done = self.build(ix, existing, &sql, &session).await?;
            done.warnings.extend(self.sum_warnings(ix, &sql));
            done
        };
        let hash = || ledger::chain::of_text(&self.stage().live_text(&sql));
        done.outcome.sql_sha256 = (!sql.is_empty()).then(hash);
        Ok(done)
    }

    /// A node's SQL as it is sent; its file, with live names, is written and given as `path`.
    pub(super) async fn compiled(
        &self,
        ix: NodeIx,
        session: &RunSession,
        path: &mut Option<PathBuf>,
    ) -> Result<String, SessionError> {
        let node = self.graph().node(ix);
        if node.raw_code.is_empty() {
            return Ok(String::new());
        }
        let context_of = |ix| self.context(ix);
        let sql = compile(self.graph(), ix, session, &context_of)?;
        if !sql.is_empty() {
            let relative = compiled_path(self.target_path(), node);
            let live = self.stage().live_text(&sql);
            self.write_compiled(&relative, &live).await?;
            *path = Some(relative);
        }
        Ok(sql)
    }

    /// Sums in a model's SQL that mix currencies or add up what does not add up, as text.
    pub(super) fn sum_warnings(&self, ix: NodeIx, sql: &str) -> Vec<String> {
        if self.graph().node(ix).kind != ResourceKind::Model {
            return Vec::new();
        }
        let live = self.stage().live_text(sql);
        let (amounts, catalog) = self.sums();
        let model = (ix, live.as_str());
        let mut found = amounts.warnings(self.graph(), model, self.sources());
        found.extend(catalog.warnings(self.graph(), model, self.sources()));
        let options = RenderOptions {
            color: self.color(),
        };
        let text = |warning| render(warning, self.sources(), options);
        found.iter().map(text).collect()
    }

    async fn build(
        &self,
        ix: NodeIx,
        existing: Option<RelationKind>,
        sql: &str,
        session: &RunSession,
    ) -> Result<StepDone, SessionError> {
        let node = self.graph().node(ix);
        if let Some(unique_id) = &node.model.materialization {
            return self.custom(ix, unique_id, sql, session).await;
        }
        let live_sql = self.stage().live_text(sql);
        let spec = Spec {
            full_refresh: self.full_refresh(ix),
            ..self.spec(node, sql, &live_sql, existing)?
        };
        let (rows, warnings, statement) = if self.stage().is_staged(ix) {
            let mut candidate = materialize::candidate(spec, session).await?;
            let statement = std::mem::take(&mut candidate.statement);
            let told = (candidate.rows, candidate.warnings.clone(), statement);
            self.candidates().insert(ix, candidate);
            told
        } else {
            let built = materialize::materialize(spec, session).await?;
            self.collect_garbage(built.garbage).await;
            (built.rows, built.warnings, built.statement)
        };
        if !statement.is_empty() {
            let path = run_path(self.target_path(), node);
            let statement = format!("{};", self.stage().live_text(&statement));
            self.write_compiled(&path, &statement).await?;
        }
        let rows = rows.filter(|_| node.kind != ResourceKind::Model || is_stored(node));
        Ok(StepDone {
            outcome: Outcome {
                rows,
                ..Outcome::new(Status::Success)
            },
            warnings,
        })
    }

    /// What is to be built, to be continued if it can be.
    pub(super) fn spec<'a>(
        &'a self,
        node: &'a Node,
        sql: &'a str,
        live_sql: &'a str,
        existing: Option<RelationKind>,
    ) -> Result<Spec<'a>, SessionError> {
        let Some(live) = &node.relation else {
            return Err(SessionError::materialization(format!(
                "{} has no relation",
                node.name
            )));
        };
        Ok(Spec {
            node,
            live,
            sql,
            live_sql,
            home: self.home(),
            existing,
            strict_seeds: self.strict_seeds(),
            full_refresh: false,
            pending: self.pending(),
        })
    }

    pub(super) async fn write_compiled(
        &self,
        relative: &Path,
        sql: &str,
    ) -> Result<(), SessionError> {
        let path = self.project_root().join(relative);
        let text = format!("{sql}\n");
        let written = tokio::task::spawn_blocking(move || {
            // Most files are as they were. Others are made anew: a file that is cut short and
            // filled again goes to the disk at once on some file systems.
            if std::fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
                return Ok(());
            }
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed?,
            }
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(path, text)
        })
        .await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(SessionError::new(
                Diagnostic::error(codes::TARGET_UNWRITABLE, format!("cannot write: {error}"))
                    .in_file(relative)
                    .hint("make the folder writable, or give another with --target-path"),
            )),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// A session for a node: a connection of the pool plus the engine.
    pub(super) async fn session(&self, ix: NodeIx) -> Result<RunSession, SessionError> {
        let connection = self.connect().await?;
        let node = self.graph().node(ix);
        let session = RunSession {
            connection: Arc::new(connection),
            engine: self.engine().clone(),
            context: self.context(ix),
            names: self.names(Some(ix)),
            sources: self.sources().clone(),
            compiled: None,
            file: node.file,
            log: self.log(),
            cancel: Some(self.cancel().clone()),
            limits: Some(Arc::new(NodeLimits::new(node, self.target()))),
            committed: Committed::default(),
        };
        let session = self.commented(session).await?;
        session.set_limits().await?;
        Ok(session)
    }
}

/// Whether a model holds rows of its own.
fn is_stored(node: &Node) -> bool {
    node.config.materialized != "view"
}

/// A snapshot's strategy reads its own compiled query.
fn with_compiled_code(context: &NodeContext, sql: &str) -> Arc<NodeContext> {
    let mut context = context.clone();
    if let Some(model) = context.model.as_object_mut() {
        model.insert("compiled_code".to_owned(), sql.into());
    }
    Arc::new(context)
}
