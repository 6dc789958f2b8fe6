//! Models whose materialization is a macro of the project or a package. It builds and publishes
//! by itself, so such a model is always immediate, and is not tried again: nobody knows what of
//! it has happened.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};

use super::runner::Runner;
use super::session::{RunSession, rows_of};
use super::step::StepDone;
use crate::diag::{Diagnostic, codes};
use crate::event::{Outcome, Status};
use crate::graph::NodeIx;
use crate::jinja::{Arg, Materialized, NodeContext};
use crate::project::Hook;
use crate::session::{Session, SessionError};

impl Runner {
    /// Runs a model's own materialization.
    pub(super) async fn custom(
        &self,
        ix: NodeIx,
        unique_id: &str,
        sql: &str,
        session: &RunSession,
    ) -> Result<StepDone, SessionError> {
        let context = context(&session.context, self, ix, sql);
        session.committed.store(true, Ordering::SeqCst);
        let transaction = Arc::new(Mutex::new(false));
        let result = session
            .materialize(context, unique_id, Arc::clone(&transaction))
            .await;
        let open = *transaction.lock().unwrap_or_else(PoisonError::into_inner);
        if open || result.is_err() {
            let _ = session.without_cancel().execute("rollback".into()).await;
        }
        let done = result?;
        let name = &self.graph().node(ix).name;
        check(name, &done)?;
        let warnings = open.then(|| {
            format!(
                "{name}: its materialization `{unique_id}` left a transaction open, which was \
                 rolled back; end it with adapter.commit()"
            )
        });
        Ok(StepDone {
            outcome: Outcome {
                rows: done.main.as_deref().and_then(rows_of),
                ..Outcome::new(Status::Success)
            },
            warnings: warnings.into_iter().collect(),
        })
    }
}

/// What a materialization finds beside the model's own variables.
fn context(base: &NodeContext, runner: &Runner, ix: NodeIx, sql: &str) -> Arc<NodeContext> {
    let mut context = base.clone();
    let node = runner.graph().node(ix);
    let hooks = |hooks: &[Hook]| {
        let hook = |h: &Hook| json!({"sql": h.sql, "transaction": h.transaction, "index": null});
        Arg::Json(hooks.iter().map(hook).collect())
    };
    if let Some(model) = context.model.as_object_mut() {
        model.insert("compiled_code".to_owned(), sql.into());
        model.insert("compiled".to_owned(), true.into());
    }
    let relation = node.relation.as_ref();
    let part = |text: Option<&String>| Arg::Json(json!(text));
    let extra = &mut context.extra;
    for key in ["sql", "compiled_code"] {
        extra.insert(key.to_owned(), Arg::Json(Json::from(sql)));
    }
    extra.insert("pre_hooks".to_owned(), hooks(&node.config.pre_hook));
    extra.insert("post_hooks".to_owned(), hooks(&node.config.post_hook));
    extra.insert("schema".to_owned(), part(relation.map(|r| &r.schema)));
    extra.insert("database".to_owned(), part(relation.map(|r| &r.database)));
    Arc::new(context)
}

/// dbt's two rules: it says which relations it made, and has a statement called `main`.
fn check(name: &str, done: &Materialized) -> Result<(), SessionError> {
    let fail = |message: String, hint: &str| {
        let error = Diagnostic::error(codes::MATERIALIZATION, message);
        Err(SessionError::new(error.hint(hint)))
    };
    if !done.value.get("relations").is_some_and(Json::is_array) {
        return fail(
            format!("the materialization of {name} does not say which relations it made"),
            "end it with {{ return({'relations': [target_relation]}) }}",
        );
    }
    if done.main.is_none() {
        return fail(
            format!("the materialization of {name} has no statement called `main`"),
            "build the relation in {% call statement('main') %} … {% endcall %}",
        );
    }
    Ok(())
}
