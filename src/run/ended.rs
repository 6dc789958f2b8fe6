//! What `on-run-end` hooks know of the run: dbt's `results`, `schemas` and `database_schemas`.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::runner::Runner;
use crate::event::{Outcome, RunRecord, Status};
use crate::graph::{ResourceKind, model_json};
use crate::jinja::{Arg, NodeContext};
use crate::names::NodeId;

/// The context of the run's hooks with what came of its nodes.
pub(super) fn context(runner: &Runner, record: &RunRecord, of: &NodeContext) -> Arc<NodeContext> {
    let mut results = Vec::new();
    let mut schemas: IndexSet<(String, String)> = IndexSet::new();
    for (id, outcome) in &record.results {
        let Some(ix) = runner.graph().find(id) else {
            results.extend(failed_hook(runner, id, outcome));
            continue;
        };
        let node = runner.graph().node(ix);
        results.push(result(&runner.context(ix).model, outcome));
        let is_built = matches!(
            node.kind,
            ResourceKind::Model | ResourceKind::Seed | ResourceKind::Snapshot
        );
        if let Some(relation) = node.relation.as_ref().filter(|_| is_built)
            && outcome.status.is_ok()
        {
            schemas.insert((relation.database.clone(), relation.schema.clone()));
        }
    }
    let names: Vec<&str> = schemas.iter().map(|(_, schema)| schema.as_str()).collect();
    let names: IndexSet<&str> = names.into_iter().collect();
    let extra = [
        ("results", json!(results)),
        ("schemas", json!(names)),
        ("database_schemas", json!(schemas)),
    ];
    let extra: IndexMap<String, Arg> = extra
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Arg::Json(value)))
        .collect();
    Arc::new(NodeContext {
        extra,
        ..of.clone()
    })
}

/// As in dbt a hook is among the results only where it failed.
fn failed_hook(runner: &Runner, id: &NodeId, outcome: &Outcome) -> Option<Json> {
    let mut hooks = runner.graph().all_run_hooks();
    let hook = hooks.find(|hook| hook.id == *id && outcome.status == Status::Error)?;
    let name = |parent| runner.graph().node(parent).id.to_string();
    Some(result(&model_json(hook, name), outcome))
}

fn result(model: &Json, outcome: &Outcome) -> Json {
    let status = match outcome.status {
        Status::Success => "success",
        Status::Pass => "pass",
        Status::Warn => "warn",
        Status::Fail => "fail",
        Status::Error => "error",
        Status::Skipped | Status::Cancelled => "skipped",
    };
    let end = Timestamp::now();
    let begin = end.checked_sub(outcome.elapsed).unwrap_or(end);
    let timing = |name: &str, from: Timestamp, to: Timestamp| json!({"name": name, "started_at": format!("{from:.6}"), "completed_at": format!("{to:.6}")});
    let timing = match outcome.status {
        Status::Skipped | Status::Cancelled => json!([]),
        _ => json!([
            timing("compile", begin, begin),
            timing("execute", begin, end)
        ]),
    };
    let mut response = Map::new();
    if let Some(rows) = outcome.rows {
        response.insert("_message".to_owned(), json!(format!("{rows} rows")));
        response.insert("rows_affected".to_owned(), json!(rows));
    }
    json!({
        "status": status,
        "unique_id": model.get("unique_id"),
        "node": model,
        "message": outcome.message,
        "failures": outcome.failures,
        "execution_time": outcome.elapsed.as_secs_f64(),
        "thread_id": "Thread-1",
        "adapter_response": response,
        "timing": timing,
    })
}
