//! A microbatch model: one batch after another, each rendered with inputs of its span of time.
//!
//! Under `immediate` each batch is visible when it is built, and what failed can be retried by
//! itself. A model that is published later gathers all its batches first: one that fails fails it.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::compile::{compile, compiled_path};
use super::place;
use super::runner::Runner;
use super::session::{CANCELLED, RunSession};
use super::step::StepDone;
use crate::event::{Batches, Outcome, Status};
use crate::graph::microbatch::{self, Batch, BatchSize};
use crate::graph::{Node, NodeIx};
use crate::jinja::{EngineOverrides, NodeContext};
use crate::ledger;
use crate::materialize::{self, Built, Spec};
use crate::names::RelationKind;
use crate::project::Hook;
use crate::session::{Session, SessionError};

/// One batch of a run.
#[derive(Clone, Copy)]
struct Turn {
    batch: Batch,
    is_first: bool,
    is_last: bool,
    /// Whether there is a table to continue, one that an earlier batch made included.
    incremental: bool,
}

impl Runner {
    /// Builds the batches of a microbatch model.
    pub(super) async fn batches(
        &self,
        ix: NodeIx,
        existing: Option<RelationKind>,
        session: RunSession,
        path: &mut Option<PathBuf>,
    ) -> Result<StepDone, SessionError> {
        let node = self.graph().node(ix);
        let incremental = existing == Some(RelationKind::Table) && !self.full_refresh(ix);
        let earlier = self.setup.batches.get(&node.id);
        let batches = match earlier {
            Some(earlier) => earlier.failed.iter().filter_map(Batch::from_iso).collect(),
            None => microbatch::batches(&node.config, self.setup.times, incremental),
        };
        if self.stage().is_staged(ix) {
            return self.gather(ix, existing, &batches, session, path).await;
        }
        let mut told = Told {
            done: earlier.map_or_else(Vec::new, |e| e.successful.clone()),
            ..Told::default()
        };
        let mut there = existing;
        for (at, batch) in batches.iter().enumerate() {
            // Without the first there may be no table for the others.
            if told.stops() {
                told.failed.push(batch.iso());
                continue;
            }
            let turn = Turn {
                batch: *batch,
                is_first: at == 0,
                is_last: at + 1 == batches.len(),
                incremental: incremental || !told.built.is_empty(),
            };
            match self.build_batch(ix, turn, there, &session, path).await {
                Ok(built) => {
                    there = Some(RelationKind::Table);
                    told.built(*batch, built);
                }
                // The whole node is tried again: building a batch twice does no harm.
                Err(error) if error.transient => return Err(error),
                Err(error) => {
                    // What it had begun would stand in the way of the next.
                    let _ = session.without_cancel().execute("rollback".into()).await;
                    told.failed(*batch, error, at == 0, path.clone());
                }
            }
        }
        Ok(self.told_of(ix, told, path))
    }

    fn told_of(&self, ix: NodeIx, told: Told, path: &mut Option<PathBuf>) -> StepDone {
        let total = told.built.len() + told.failed.len();
        let mut batches = Batches {
            successful: told.built,
            failed: told.failed,
        };
        let built = batches.successful.len();
        batches.successful.extend(told.done);
        let mut done = match told.error {
            None => StepDone {
                outcome: Outcome {
                    rows: told.rows,
                    ..Outcome::new(Status::Success)
                },
                warnings: Vec::new(),
            },
            Some((batch, mut error, compiled)) => {
                *path = compiled;
                let size = BatchSize::of(&self.graph().node(ix).config);
                let note = format!(
                    "batch {} failed; {built} of {total} batches are built",
                    size.name(batch)
                );
                error.diagnostic = Box::new(error.diagnostic.note(note));
                let error = self.masked(ix, error);
                let mut done = self.failed(&error);
                let at = (self.graph().node(ix), path.as_deref());
                place::of_error(&mut done.outcome, &error.diagnostic, at, self.sources());
                done
            }
        };
        done.warnings = told.warnings;
        done.outcome.batches = Some(Box::new(batches));
        done
    }

    /// Builds one batch into the live table.
    async fn build_batch(
        &self,
        ix: NodeIx,
        turn: Turn,
        existing: Option<RelationKind>,
        session: &RunSession,
        path: &mut Option<PathBuf>,
    ) -> Result<Built, SessionError> {
        let (session, sql) = self.rendered(ix, turn, session, path).await?;
        let node = of_turn(self.graph().node(ix), &[turn.batch], turn);
        let live_sql = self.stage().live_text(&sql);
        let spec = self.spec(&node, &sql, &live_sql, existing)?;
        let full_refresh = !turn.incremental && self.full_refresh(ix);
        let spec = Spec {
            full_refresh,
            ..spec
        };
        let mut built = materialize::materialize(spec, &session).await?;
        self.collect_garbage(std::mem::take(&mut built.garbage))
            .await;
        Ok(built)
    }

    /// Renders one batch; a session whose macros see it as dbt's do.
    async fn rendered(
        &self,
        ix: NodeIx,
        turn: Turn,
        session: &RunSession,
        path: &mut Option<PathBuf>,
    ) -> Result<(RunSession, String), SessionError> {
        let node = self.graph().node(ix);
        let name = BatchSize::of(&node.config).name(turn.batch);
        let mut session = session.again();
        session.cancel = Some(self.cancel().clone());
        session.names = self.names_of_batch(ix, turn.batch);
        session.context = context(&session.context, turn.batch, &name);
        if turn.incremental {
            let mut overrides = EngineOverrides::default();
            let mut returns = |name: &str, value: bool| {
                overrides.macros.insert(name.to_owned(), json!(value));
            };
            returns("is_incremental", true);
            returns("should_full_refresh", false);
            session.engine = session.engine.with_overrides(&overrides);
        }
        let own = Arc::clone(&session.context);
        let context_of = |at| {
            if at == ix {
                Arc::clone(&own)
            } else {
                self.context(at)
            }
        };
        let sql = compile(self.graph(), ix, &session, &context_of)?;
        let whole = compiled_path(self.target_path(), node);
        let stem = whole.file_stem().unwrap_or_default().to_string_lossy();
        let relative = whole.with_extension("").join(format!("{stem}_{name}.sql"));
        let live = self.stage().live_text(&sql);
        self.write_compiled(&relative, &live).await?;
        session.compiled = Some(self.sources().add(&relative, sql.as_str()));
        *path = Some(relative);
        Ok((session, sql))
    }

    /// Builds all batches as one candidate.
    async fn gather(
        &self,
        ix: NodeIx,
        existing: Option<RelationKind>,
        batches: &[Batch],
        session: RunSession,
        path: &mut Option<PathBuf>,
    ) -> Result<StepDone, SessionError> {
        let node = self.graph().node(ix);
        let continues = existing == Some(RelationKind::Table) && !self.full_refresh(ix);
        let mut hash = String::new();
        for (at, batch) in batches.iter().enumerate() {
            let turn = Turn {
                batch: *batch,
                is_first: at == 0,
                is_last: at + 1 == batches.len(),
                incremental: continues || at > 0,
            };
            let (session, sql) = self.rendered(ix, turn, &session, path).await?;
            let live_sql = self.stage().live_text(&sql);
            hash.push_str(&live_sql);
            let spec = self.spec(node, &sql, &live_sql, existing)?;
            materialize::gather(spec, at == 0, &session).await?;
        }
        let whole = Turn {
            batch: batches[0],
            is_first: true,
            is_last: true,
            incremental: continues,
        };
        let node = of_turn(node, batches, whole);
        let spec = self.spec(&node, "", "", existing)?;
        let sql = format!("select * from {}", materialize::gathered(spec));
        let spec = Spec {
            sql: &sql,
            live_sql: &sql,
            full_refresh: self.full_refresh(ix),
            ..spec
        };
        let candidate = materialize::candidate(spec, &session).await?;
        let drop = format!("drop table if exists {}", materialize::gathered(spec));
        session.execute((&drop).into()).await?;
        let (rows, warnings) = (candidate.rows, candidate.warnings.clone());
        self.candidates().insert(ix, candidate);
        Ok(StepDone {
            outcome: Outcome {
                rows,
                sql_sha256: Some(ledger::chain::of_text(&hash)),
                batches: Some(Box::new(Batches {
                    successful: batches.iter().map(|batch| batch.iso()).collect(),
                    failed: Vec::new(),
                })),
                ..Outcome::new(Status::Success)
            },
            warnings,
        })
    }
}

/// What became of the batches so far.
#[derive(Default)]
struct Told {
    /// Built by an earlier run.
    done: Vec<(String, String)>,
    built: Vec<(String, String)>,
    failed: Vec<(String, String)>,
    /// The first error.
    error: Option<(Batch, SessionError, Option<PathBuf>)>,
    stopped: bool,
    rows: Option<u64>,
    warnings: Vec<String>,
}

impl Told {
    fn stops(&self) -> bool {
        self.stopped
    }

    fn built(&mut self, batch: Batch, built: Built) {
        self.built.push(batch.iso());
        self.rows = built
            .rows
            .map(|rows| rows + self.rows.unwrap_or(0))
            .or(self.rows);
        for warning in built.warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }

    fn failed(&mut self, batch: Batch, error: SessionError, is_first: bool, path: Option<PathBuf>) {
        self.failed.push(batch.iso());
        self.stopped |= is_first || error.is(CANCELLED);
        self.error.get_or_insert((batch, error, path));
    }
}

/// The node as one batch builds it: hooks before the first and after the last batch only; without
/// a key, a batch replaces the rows of its span of time.
fn of_turn(node: &Node, batches: &[Batch], turn: Turn) -> Node {
    let mut node = node.clone();
    let config = Arc::make_mut(&mut node.config);
    let none: fn(&mut Vec<Hook>) = Vec::clear;
    if !turn.is_first {
        none(&mut config.pre_hook);
    }
    if !turn.is_last {
        none(&mut config.post_hook);
    }
    if let (true, Some(column)) = (config.unique_key.is_empty(), &config.event_time) {
        let spans: Vec<String> = batches
            .iter()
            .map(|batch| {
                format!(
                    "({})",
                    batch.condition(&format!("DBT_INTERNAL_DEST.{column}"))
                )
            })
            .collect();
        config
            .incremental_predicates
            .push(format!("({})", spans.join(" or ")));
    }
    node
}

/// `model.batch`, as dbt has it.
fn context(base: &NodeContext, batch: Batch, name: &str) -> Arc<NodeContext> {
    let mut context = base.clone();
    let (start, end) = batch.iso();
    if let Some(model) = context.model.as_object_mut() {
        let batch = json!({
            "id": name.replace('-', ""), "event_time_start": start, "event_time_end": end,
        });
        model.insert("batch".to_owned(), batch);
    }
    Arc::new(context)
}
