//! `on-run-start` and `on-run-end` as they run: one after another on the run's own connection, each
//! with a result. After one that fails the others of its moment are skipped, as in dbt.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;

use super::dispatcher::Emit;
use super::ended;
use super::retry::Committed;
use super::runner::Runner;
use super::session::RunSession;
use crate::diag::{RenderOptions, render};
use crate::event::{Event, Outcome, RunRecord, Status};
use crate::graph::{Node, ON_RUN_END, ON_RUN_START, model_json};
use crate::jinja::{NodeContext, Template};
use crate::plan::Plan;
use crate::session::{Embedded, Session, SessionError};

/// A moment's hooks.
struct Moment<'a> {
    tag: &'a str,
    keeper: &'a RunSession,
    /// What templates know beside the hook's own variables.
    extra: IndexMap<String, crate::jinja::Arg>,
}

impl Runner {
    /// How many hooks a run of this plan has; where nothing runs, none run either.
    pub(super) fn hook_count(&self, plan: &Plan) -> usize {
        match self.has_hooks(plan) {
            true => self.graph().all_run_hooks().count(),
            false => 0,
        }
    }

    fn has_hooks(&self, plan: &Plan) -> bool {
        self.runs_hooks() && !plan.steps.is_empty()
    }

    /// Hooks before all nodes. The error is that of a template, which ends the run.
    pub(super) async fn start_hooks(
        &self,
        plan: &Plan,
        keeper: &RunSession,
        record: &mut RunRecord,
        emit: &mut Emit<'_>,
    ) -> Option<SessionError> {
        let moment = Moment {
            tag: ON_RUN_START,
            keeper,
            extra: IndexMap::new(),
        };
        match self.has_hooks(plan) {
            true => self.moment(moment, record, emit).await,
            false => None,
        }
    }

    /// Hooks after all nodes, which know how these ended.
    pub(super) async fn end_hooks(
        &self,
        plan: &Plan,
        keeper: &RunSession,
        record: &mut RunRecord,
        emit: &mut Emit<'_>,
    ) -> Option<SessionError> {
        let has_any = self.graph().run_hooks(ON_RUN_END).next().is_some();
        if !self.has_hooks(plan) || record.cancelled || !has_any {
            return None;
        }
        let moment = Moment {
            tag: ON_RUN_END,
            keeper,
            extra: ended::context(self, record, &keeper.context).extra.clone(),
        };
        self.moment(moment, record, emit).await
    }

    async fn moment(
        &self,
        moment: Moment<'_>,
        record: &mut RunRecord,
        emit: &mut Emit<'_>,
    ) -> Option<SessionError> {
        let mut failed = false;
        for (index, hook) in self.graph().run_hooks(moment.tag).enumerate() {
            let label = format!("{}.{}.{index}", hook.package, moment.tag);
            let outcome = if failed {
                Outcome {
                    message: Some("an earlier hook failed".to_owned()),
                    failures: Some(1),
                    ..Outcome::new(Status::Skipped)
                }
            } else {
                emit(Event::NodeStarted {
                    node: hook.id.clone(),
                    kind: "hook".to_owned(),
                    label: label.clone(),
                    index: record.results.len() + 1,
                });
                match self.hook(hook, &moment).await {
                    Ok(outcome) => outcome,
                    Err(error) => return Some(error),
                }
            };
            failed |= !outcome.status.is_ok();
            record.counts.add(outcome.status);
            record.results.push((hook.id.clone(), outcome.clone()));
            emit(Event::NodeFinished {
                node: hook.id.clone(),
                kind: "hook".to_owned(),
                label,
                index: record.results.len(),
                outcome,
            });
        }
        None
    }

    /// Renders a hook and sends what it gives.
    async fn hook(&self, hook: &Node, moment: &Moment<'_>) -> Result<Outcome, SessionError> {
        let began = Instant::now();
        let Some(file) = hook.file else {
            return Ok(Outcome::new(Status::Success));
        };
        let template = Template {
            file,
            text: Arc::from(hook.raw_code.as_str()),
            first_line: hook.first_line,
        };
        let context = Arc::new(self.hook_context(hook, moment));
        let sql = moment
            .keeper
            .render_template(&template, Arc::clone(&context))?;
        let path = hook_path(self.target_path(), hook);
        let mut outcome = Outcome::new(Status::Success);
        outcome.failures = Some(0);
        outcome.file = Some(PathBuf::from("dbt_project.yml"));
        outcome.line = Some(hook.first_line);
        if !sql.trim().is_empty() {
            self.write_compiled(&path, &sql).await?;
            if let Err(error) = self.send_hook(&sql, &path, context, moment.keeper).await {
                let options = RenderOptions {
                    color: self.color(),
                };
                let error = self.masked_all(error);
                outcome.status = Status::Error;
                outcome.failures = Some(1);
                outcome.message = Some(render(&error.diagnostic, self.sources(), options));
            }
            outcome.compiled_path = Some(path);
        }
        outcome.elapsed = began.elapsed();
        Ok(outcome)
    }

    /// On the run's connection, where an error shows the hook's own SQL.
    async fn send_hook(
        &self,
        sql: &str,
        path: &Path,
        context: Arc<NodeContext>,
        keeper: &RunSession,
    ) -> Result<(), SessionError> {
        let session = RunSession {
            connection: Arc::clone(&keeper.connection),
            engine: self.engine().clone(),
            context,
            names: self.names(None),
            sources: self.sources().clone(),
            compiled: Some(self.sources().add(path, sql)),
            file: None,
            log: self.log(),
            cancel: None,
            limits: None,
            committed: Committed::default(),
        };
        let whole = Embedded {
            text: sql,
            compiled_at: Some(0),
        };
        session.execute(whole).await.map(|_| ())
    }

    fn hook_context(&self, hook: &Node, moment: &Moment<'_>) -> NodeContext {
        let graph = self.graph();
        NodeContext {
            id: hook.id.clone(),
            package: hook.package.clone(),
            model: model_json(hook, |parent| graph.node(parent).id.to_string()),
            config: hook.config_for_templates(),
            extra: moment.extra.clone(),
            ..(*moment.keeper.context).clone()
        }
    }
}

/// Where dbt puts a hook's compiled SQL.
fn hook_path(target_path: &str, hook: &Node) -> PathBuf {
    let folder = Path::new(target_path).join("compiled").join(&hook.package);
    folder.join(format!("dbt_project.yml/hooks/{}.sql", hook.name))
}
