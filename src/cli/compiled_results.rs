//! `run_results.json` of commands that build nothing: `compile`, `docs generate` and `show`.

use std::time::Duration;

use jiff::Timestamp;

use super::args::{Global, RunArgs, SelectArgs};
use super::failure::Failure;
use super::invocation::Invocation;
use super::recorded;
use super::recording::run_results_path;
use crate::artifact;
use crate::artifact::run_results::{NodeResult, ResultStatus, RunResults, Timing};
use crate::diag::codes;
use crate::graph::{NodeIx, ResourceKind};
use crate::names::NodeId;
use crate::run::CompiledNode;

/// The results of what was compiled, and of seeds, which are with it in dbt's.
pub(super) fn of_compiled(
    invocation: &Invocation,
    selected: (&SelectArgs, &[NodeIx]),
    compiled: &[CompiledNode],
) -> Vec<NodeResult> {
    let (select, selected) = selected;
    let named = !select.select.is_empty();
    let results = selected.iter().filter_map(|ix| {
        let node = invocation.graph.node(*ix);
        let id = node.id.clone();
        match node.kind {
            ResourceKind::Seed => Some(success(id, Duration::ZERO)),
            ResourceKind::Model
            | ResourceKind::Test
            | ResourceKind::Snapshot
            | ResourceKind::Analysis
            | ResourceKind::Function
                if named || !node.is_ephemeral() =>
            {
                let done = compiled.iter().find(|done| done.node == *ix)?;
                let relation = node.relation.as_ref().or(node.failures.as_ref());
                let relation = relation.filter(|_| !node.is_ephemeral());
                Some(NodeResult {
                    compiled: Some(true),
                    compiled_code: Some(done.sql.clone()),
                    relation_name: relation.map(ToString::to_string),
                    ..success(id, done.elapsed)
                })
            }
            _ => None,
        }
    });
    results.collect()
}

/// A result that has ended now.
pub(super) fn success(id: NodeId, elapsed: Duration) -> NodeResult {
    let end = Timestamp::now();
    let begin = end.checked_sub(elapsed).unwrap_or(end);
    let timing = |name: &str, from: Timestamp| Timing {
        name: name.to_owned(),
        started_at: Some(format!("{from:.6}")),
        completed_at: Some(format!("{end:.6}")),
    };
    NodeResult {
        execution_time: elapsed.as_secs_f64(),
        thread_id: "Thread-1".to_owned(),
        timing: vec![timing("compile", begin), timing("execute", end)],
        ..NodeResult::new(id, ResultStatus::Success)
    }
}

/// Writes the results of a command.
pub(super) fn write(
    global: &Global,
    invocation: &Invocation,
    command: (&str, &SelectArgs),
    results: Vec<NodeResult>,
) -> Result<(), Failure> {
    let (which, select) = command;
    let args = RunArgs {
        select: select.clone(),
        ..RunArgs::default()
    };
    let mut all = RunResults::new(&invocation.run_id);
    all.metadata.env = invocation.custom_env.clone();
    all.args = recorded::record(global, &args, which, invocation);
    all.elapsed_time = results.iter().map(|result| result.execution_time).sum();
    all.results = results;
    artifact::write(&run_results_path(invocation), &all).map_err(|error| {
        let hint = "make the folder writable, or give another with --target-path";
        Failure::message(codes::TARGET_UNWRITABLE, error.to_string(), hint)
    })
}
