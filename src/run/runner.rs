//! A run from its first statement to its last: prepare the target, run the plan between the
//! project's hooks, clear up.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::cancel::Cancel;
use super::database::Message;
use super::dispatcher::{Emit, Options, dispatch};
use super::evidence::Keeping;
use super::names::{GraphNames, Stage};
use super::orphans::Orphans;
use super::query_comment::QueryComment;
use super::retry::Committed;
use super::schemas::{create_schemas, needs_schemas};
use super::session::RunSession;
use super::{emptied, garbage};
use crate::artifact::run_results::BatchResults;
use crate::checks::additivity::Catalog;
use crate::checks::money::Amounts;
use crate::diag::{SourceMap, codes};
use crate::event::{Event, RunRecord};
use crate::graph::manifest::config_json;
use crate::graph::microbatch::{Batch, Times};
use crate::graph::{Graph, NodeIx, ResourceKind, model_json};
use crate::jinja::{Engine, Names, NodeContext};
use crate::ledger::Origin;
use crate::materialize::Candidate;
use crate::names::{NodeId, Relation, quote_ident};
use crate::pg::{ConnectConfig, Connection, Pool};
use crate::plan::Plan;
use crate::publish::home::{retired_schema, shadow_schema};
use crate::publish::target_lock::{self, Hold};
use crate::publish::{CandidateHome, Pending, RunTag, leftovers};
use crate::session::{Session, SessionError};

/// How many replaced relations wait before they are dropped in the middle of a run.
const GARBAGE_AT_ONCE: usize = 50;

/// How often a run asks whether the target is free.
const HELD_AGAIN: Duration = Duration::from_millis(300);

/// What a run needs.
pub struct Setup {
    /// The resolved project.
    pub graph: Arc<Graph>,
    /// The template engine.
    pub engine: Engine,
    /// All files.
    pub sources: SourceMap,
    /// At least one connection more than there are threads.
    pub pool: Pool,
    /// The project's folder.
    pub project_root: PathBuf,
    /// The folder for compiled SQL, relative to the project's.
    pub target_path: String,
    /// This invocation's id.
    pub run_id: String,
    /// `--full-refresh`.
    pub full_refresh: bool,
    /// Whether tests of one relation share scans; not with `--no-fuse`.
    pub fuse: bool,
    /// Whether seeds are read by our rules rather than by dbt's.
    pub strict_seeds: bool,
    /// Whether errors are rendered with colours.
    pub color: bool,
    /// The root project's name, whose macros the run's hooks use.
    pub project_name: String,
    /// Whether the project's hooks run; a clone runs none.
    pub runs_hooks: bool,
    /// Whether nodes are skipped where a hook of `on-run-start` fails.
    pub skip_after_failed_hook: bool,
    /// Whether to end at once when another run holds the target.
    pub no_wait: bool,
    /// Whether to say what would be published instead of publishing it.
    pub dry_run: bool,
    /// Whether a dry run compares rows by key as well.
    pub compare_rows: bool,
    /// `--defer`: nodes that are read where another target has them.
    pub deferred: HashMap<NodeIx, Relation>,
    /// `--empty`: refs and sources are read without rows.
    pub empty: bool,
    /// `--sample`: models and snapshots read only this time of what has event times.
    pub sample: Option<Batch>,
    /// `--store-failures`.
    pub store_failures: bool,
    /// Patterns of column names whose values no report shows.
    pub sensitive_columns: Vec<String>,
    /// What every statement says of its origin.
    pub query_comment: Option<QueryComment>,
    /// What the ledger's entries of this run share; `None` keeps it out of the ledger.
    pub ledger: Option<Origin>,
    /// Whether a node that warns while it is built counts as failed.
    pub warnings_fail: bool,
    /// `retry`: what of a microbatch model the earlier run built and did not build.
    pub batches: HashMap<NodeId, BatchResults>,
    /// Which time microbatch models are built for.
    pub times: Times,
    /// What is done about relations that removed models left behind; `None` for nothing.
    pub orphans: Option<Orphans>,
    /// Stops it.
    pub cancel: Cancel,
}

/// A run in progress.
pub struct Runner {
    pub(super) setup: Setup,
    stage: Arc<Stage>,
    pending: Pending,
    /// Built and not yet published.
    candidates: Mutex<HashMap<NodeIx, Candidate>>,
    /// The connection that outlives all steps, holds the run's locks and publishes groups.
    keeper: OnceLock<Arc<RunSession>>,
    /// Groups are published one after another on that connection.
    pub(super) publishing: tokio::sync::Mutex<()>,
    contexts: Vec<OnceLock<Arc<NodeContext>>>,
    /// What every model's sums are asked about.
    sums: OnceLock<(Amounts, Catalog)>,
    garbage: Mutex<Vec<String>>,
    /// What is kept of the run: failing rows and entries of the ledger.
    pub(super) keeping: Keeping,
    log: UnboundedSender<Message>,
}

impl Runner {
    /// Runs a plan between the project's hooks and tells what happens. Fails only where nothing could
    /// be started (no connection, no schema) and where a hook's template cannot be rendered.
    pub async fn run(
        setup: Setup,
        plan: &Plan,
        options: &Options,
        emit: &mut Emit<'_>,
    ) -> Result<RunRecord, SessionError> {
        let (log, mut messages) = unbounded_channel();
        let runner = Arc::new(Self::prepare(setup, plan, log, emit).await?);
        let keeper = runner.kept()?;
        if !plan.steps.is_empty() {
            runner.open_ledger(&keeper, emit).await;
        }
        let began = Instant::now();
        emit(Event::RunStarted {
            command: options.command.clone(),
            run_id: runner.run_id().to_owned(),
            nodes: plan.nodes().count() + runner.hook_count(plan),
            threads: options.threads,
            target: options.target.clone(),
        });
        let mut record = RunRecord::new(runner.run_id(), &options.command);
        let mut broken = runner.start_hooks(plan, &keeper, &mut record, emit).await;
        if broken.is_none() {
            dispatch(&runner, plan, (options, &mut record), &mut messages, emit).await;
            broken = runner.end_hooks(plan, &keeper, &mut record, emit).await;
        }
        record.elapsed = began.elapsed();
        drain(&mut messages, emit);
        emit(Event::RunFinished {
            elapsed: record.elapsed,
            counts: record.counts,
        });
        runner.clear_up(plan, &keeper, emit).await;
        runner.record(&record, &keeper, emit).await;
        drain(&mut messages, emit);
        match broken {
            Some(error) => Err(runner.masked_all(error)),
            None => Ok(record),
        }
    }

    /// A run that has touched nothing yet.
    pub(super) fn new(setup: Setup, log: UnboundedSender<Message>) -> Self {
        let nodes = setup.graph.nodes().len();
        let tag = RunTag::from_unique(&setup.run_id);
        Self {
            stage: Arc::new(Stage {
                home: CandidateHome::ShadowSchemas(tag),
                group_of: HashMap::new(),
                schemas: Vec::new(),
            }),
            pending: Pending::default(),
            candidates: Mutex::default(),
            keeper: OnceLock::new(),
            publishing: tokio::sync::Mutex::default(),
            contexts: (0..nodes).map(|_| OnceLock::new()).collect(),
            sums: OnceLock::new(),
            garbage: Mutex::default(),
            keeping: Keeping::new(&setup.sensitive_columns),
            log,
            setup,
        }
    }

    /// Schemas, the run's locks, leftovers of dead runs, the catalog.
    async fn prepare(
        setup: Setup,
        plan: &Plan,
        log: UnboundedSender<Message>,
        emit: &mut Emit<'_>,
    ) -> Result<Self, SessionError> {
        let tag = RunTag::from_unique(&setup.run_id);
        let mut runner = Self::new(setup, log);
        let keeper = Arc::new(runner.keeper().await?);
        let _ = runner.keeper.set(Arc::clone(&keeper));
        let schemas = runner.built_schemas(plan);
        if schemas.is_empty() {
            return Ok(runner);
        }
        // The keeper waits for long while others build; a server may end what idles.
        let hold = format!(
            "set idle_session_timeout = 0; {}",
            leftovers::hold_tag(&tag)
        );
        keeper.execute((&hold).into()).await?;
        let list: Vec<String> = schemas.iter().cloned().collect();
        let how = if plan.groups.is_empty() {
            Hold::Shared
        } else {
            Hold::Exclusive
        };
        runner.hold_target(&keeper, &list, how, emit).await?;
        for removed in leftovers::sweep(&*keeper, &list).await? {
            let message = format!("removed {removed}, left by an earlier run");
            emit(Event::Logged { message });
        }
        let home = create_schemas(&keeper, &schemas, tag).await?;
        if !plan.groups.is_empty() && matches!(home, CandidateHome::SameSchema(_)) {
            return Err(needs_schemas(&keeper).await);
        }
        runner.stage = Arc::new(Stage {
            home,
            group_of: plan.group_of.clone(),
            schemas: list,
        });
        let views = runner.failure_views(plan);
        runner.pending = Pending::new(runner.built(plan).chain(&views));
        for name in emptied::tables(&*keeper, runner.built(plan)).await? {
            emit(Event::Warned {
                code: codes::TABLE_EMPTIED.as_str().to_owned(),
                message: emptied::message(&name),
            });
        }
        Ok(runner)
    }

    /// Waits until no other run publishes into the same schemas.
    async fn hold_target(
        &self,
        keeper: &RunSession,
        schemas: &[String],
        how: Hold,
        emit: &mut Emit<'_>,
    ) -> Result<(), SessionError> {
        let mut told = false;
        while let Some(holder) = target_lock::try_acquire(keeper, schemas, how).await? {
            if self.setup.no_wait {
                return Err(target_lock::refusal(&holder));
            }
            if !told {
                let message = format!(
                    "waiting: schema {} is held by another run, {}",
                    quote_ident(&holder.schema),
                    holder.who
                );
                emit(Event::Logged { message });
                told = true;
            }
            tokio::select! {
                () = tokio::time::sleep(HELD_AGAIN) => {}
                () = self.setup.cancel.asked() => {
                    let text = "the run was cancelled while it waited for another";
                    return Err(SessionError::message(codes::TARGET_HELD, text));
                }
            }
        }
        Ok(())
    }

    /// The connection that outlives all steps, made when the run was prepared.
    pub(super) fn kept(&self) -> Result<Arc<RunSession>, SessionError> {
        let kept = self.keeper.get().cloned();
        kept.ok_or_else(|| SessionError::message(codes::DB_LOST, "the run was never prepared"))
    }

    /// A session that belongs to no node.
    pub(super) async fn keeper(&self) -> Result<RunSession, SessionError> {
        let root = &self.setup.project_name;
        let context = NodeContext {
            id: NodeId::new(format!("operation.{root}.run")),
            package: root.clone(),
            this: None,
            model: serde_json::Value::Null,
            config: IndexMap::new(),
            extra: IndexMap::new(),
            execute: true,
        };
        self.commented(RunSession {
            connection: Arc::new(self.connect().await?),
            engine: self.setup.engine.clone(),
            context: Arc::new(context),
            names: self.names(None),
            sources: self.setup.sources.clone(),
            compiled: None,
            file: None,
            log: self.log.clone(),
            cancel: None,
            limits: None,
            committed: Committed::default(),
        })
        .await
    }

    /// A session whose statements say where they come from.
    pub(super) async fn commented(&self, session: RunSession) -> Result<RunSession, SessionError> {
        if let Some(comment) = &self.setup.query_comment {
            comment.apply(&session).await?;
        }
        Ok(session)
    }

    /// The relations that a plan builds.
    pub(super) fn built<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a Relation> {
        let nodes = plan.nodes().map(|ix| self.setup.graph.node(ix));
        nodes
            .filter(|node| !node.is_test() && node.kind != ResourceKind::Source)
            .filter_map(|node| node.relation.as_ref())
    }

    fn built_schemas(&self, plan: &Plan) -> BTreeSet<String> {
        self.built(plan).map(|r| r.schema.clone()).collect()
    }

    /// Drops what was replaced and the run's own schemas. What cannot be dropped now is
    /// removed by the next run.
    async fn clear_up(&self, plan: &Plan, keeper: &RunSession, emit: &mut Emit<'_>) {
        // The keeper may have lost its connection, for example to a server that restarted.
        let fresh = match keeper.execute("select 1".into()).await {
            Ok(_) => None,
            Err(_) => self.keeper().await.ok(),
        };
        let keeper = fresh.as_ref().unwrap_or(keeper);
        let statements = self.take_garbage();
        let mut left = garbage::drop_all(keeper, &statements).await.len();
        // What was not published stays until the next run, so that it can be looked at.
        let kept = !self.candidates().is_empty();
        if let CandidateHome::ShadowSchemas(tag) = &self.stage.home {
            let schemas = if kept {
                BTreeSet::new()
            } else {
                self.built_schemas(plan)
            };
            let drops: Vec<String> = schemas
                .iter()
                .flat_map(|schema| [shadow_schema(schema, tag), retired_schema(schema, tag)])
                .map(|schema| format!("drop schema if exists {}", quote_ident(&schema)))
                .collect();
            if !drops.is_empty() {
                left += garbage::drop_all(keeper, &drops).await.len();
            }
        }
        if left > 0 {
            let message =
                "some relations of this run cannot be dropped yet; the next run removes them"
                    .to_owned();
            emit(Event::Logged { message });
        }
    }

    pub(super) fn take_garbage(&self) -> Vec<String> {
        std::mem::take(&mut self.garbage.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps drop statements for later; every so often drops what has gathered.
    pub(super) async fn collect_garbage(&self, statements: Vec<String>) {
        let due = {
            let mut garbage = self.garbage.lock().unwrap_or_else(PoisonError::into_inner);
            garbage.extend(statements);
            if garbage.len() < GARBAGE_AT_ONCE {
                return;
            }
            std::mem::take(&mut *garbage)
        };
        if let Ok(session) = self.keeper().await {
            let kept = garbage::drop_all(&session, &due).await;
            let mut garbage = self.garbage.lock().unwrap_or_else(PoisonError::into_inner);
            garbage.extend(kept);
        }
    }

    /// A connection for one step.
    pub(super) async fn connect(&self) -> Result<Connection, SessionError> {
        self.setup.pool.get().await.map_err(|error| SessionError {
            diagnostic: Box::new(error.diagnostic(None)),
            sqlstate: error.sqlstate().map(str::to_owned),
            transient: error.is_transient(),
        })
    }

    /// How the target is connected to.
    pub(super) fn target(&self) -> &ConnectConfig {
        self.setup.pool.config()
    }

    /// A node's variables, made once.
    pub(super) fn context(&self, ix: NodeIx) -> Arc<NodeContext> {
        let make = || {
            let graph = &self.setup.graph;
            let node = graph.node(ix);
            let mut model = model_json(node, |parent| graph.node(parent).id.to_string());
            model["config"] = config_json(node);
            graph.resolve_constraints(ix, &mut model, |parent| {
                self.stage.not_checkable(ix, parent)
            });
            self.home().name_constraints(&mut model);
            Arc::new(NodeContext {
                id: node.id.clone(),
                package: node.package.clone(),
                this: node.relation.clone(),
                model,
                config: node.config_for_templates(),
                extra: IndexMap::new(),
                execute: true,
            })
        };
        Arc::clone(self.contexts[ix.index()].get_or_init(make))
    }

    /// Whether a node is to be built anew; its own config wins over the command line.
    pub(super) fn full_refresh(&self, ix: NodeIx) -> bool {
        let own = self.setup.graph.node(ix).config.full_refresh;
        own.unwrap_or(self.setup.full_refresh)
    }

    pub(super) fn runs_hooks(&self) -> bool {
        self.setup.runs_hooks
    }

    pub(super) fn skips_after_failed_hook(&self) -> bool {
        self.setup.skip_after_failed_hook
    }

    pub(super) fn fuses(&self) -> bool {
        self.setup.fuse
    }

    pub(super) fn strict_seeds(&self) -> bool {
        self.setup.strict_seeds
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.setup.graph
    }

    pub(super) fn shared_graph(&self) -> Arc<Graph> {
        Arc::clone(&self.setup.graph)
    }

    pub(super) fn sums(&self) -> &(Amounts, Catalog) {
        let graph = self.graph();
        let read = || (Amounts::of(graph), Catalog::of(graph));
        self.sums.get_or_init(read)
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.setup.engine
    }

    pub(super) fn sources(&self) -> &SourceMap {
        &self.setup.sources
    }

    pub(super) fn cancel(&self) -> &Cancel {
        &self.setup.cancel
    }

    pub(super) fn pending(&self) -> &Pending {
        &self.pending
    }

    pub(super) fn home(&self) -> &CandidateHome {
        &self.stage.home
    }

    pub(super) fn stage(&self) -> &Stage {
        &self.stage
    }

    pub(super) fn project_name(&self) -> &str {
        &self.setup.project_name
    }

    pub(super) fn orphans_wanted(&self) -> Option<&Orphans> {
        self.setup.orphans.as_ref()
    }

    pub(super) fn dry_run(&self) -> bool {
        self.setup.dry_run
    }

    pub(super) fn compare_rows(&self) -> bool {
        self.setup.compare_rows
    }

    /// What is built and not yet published.
    pub(super) fn candidates(&self) -> MutexGuard<'_, HashMap<NodeIx, Candidate>> {
        self.candidates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the names that a node's SQL asks for.
    pub(super) fn names(&self, reader: Option<NodeIx>) -> Arc<dyn Names> {
        Arc::new(self.graph_names(reader))
    }

    /// The same, where inputs with event times are read for one batch.
    pub(super) fn names_of_batch(&self, reader: NodeIx, batch: Batch) -> Arc<dyn Names> {
        Arc::new(self.graph_names(Some(reader)).of_batch(batch))
    }

    fn graph_names(&self, reader: Option<NodeIx>) -> GraphNames {
        let graph = Arc::clone(&self.setup.graph);
        let names = GraphNames::new(graph, Arc::clone(&self.stage), reader);
        let deferred = self.setup.deferred.clone();
        let names = names.emptied(self.setup.empty).deferring(deferred);
        names.sampled(self.setup.sample)
    }

    pub(super) fn log(&self) -> UnboundedSender<Message> {
        self.log.clone()
    }

    pub(super) fn color(&self) -> bool {
        self.setup.color
    }

    pub(super) fn run_id(&self) -> &str {
        &self.setup.run_id
    }

    pub(super) fn target_path(&self) -> &str {
        &self.setup.target_path
    }

    pub(super) fn project_root(&self) -> &Path {
        &self.setup.project_root
    }
}

fn drain(messages: &mut UnboundedReceiver<Message>, emit: &mut Emit<'_>) {
    while let Ok(Message::Log(message) | Message::Warn(message)) = messages.try_recv() {
        emit(Event::Logged { message });
    }
}
