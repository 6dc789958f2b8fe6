//! `retry`: the last run's command and arguments again, for the nodes that did not get through.
//!
//! A node that was built but not published counts as not done, and so do the tests that say
//! whether it may be.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;

use super::args::Global;
use super::failure::Failure;
use super::generate::say;
use super::invocation::{Invocation, project_dir};
use super::recorded::{COMMANDS, Recorded};
use super::{EXIT_OK, World, build};
use crate::artifact::run_results::{BatchResults, NodeResult, ResultStatus};
use crate::artifact::{self, ArtifactError, RunResults};
use crate::diag::codes;
use crate::event::Event;
use crate::graph::{Graph, Node, NodeIx};
use crate::names::NodeId;
use crate::plan::Work;
use crate::report::Reporter;

/// `retry`.
#[derive(Args, Clone, Debug, Default)]
pub struct RetryArgs {
    /// The folder of the earlier run's artifacts [default: the target folder]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Build incremental models anew, whatever the earlier run did
    #[arg(long, short = 'f')]
    pub full_refresh: bool,
    /// Start nothing more after the first failure
    #[arg(long, short = 'x', visible_alias = "failfast")]
    pub fail_fast: bool,
    /// Write a report: junit=PATH, github=PATH, markdown=PATH or html=PATH; may be repeated
    #[arg(long, value_name = "FORM=PATH")]
    pub report: Vec<String>,
}

/// Runs the command.
pub(super) fn run(global: &Global, args: &RetryArgs, world: &mut World) -> Result<u8, Failure> {
    let folder = match &args.state {
        Some(folder) => folder.clone(),
        None => artifacts(global, world)?,
    };
    let last: RunResults = artifact::read(&folder.join("run_results.json")).map_err(unreadable)?;
    let recorded = Recorded(&last.args);
    let again = unfinished(&last.results);
    let Some(work) = recorded.work() else {
        // What builds nothing and went well is no reason for an error, as in dbt.
        let is_well = again.is_empty()
            && matches!(recorded.command(), Some("compile" | "clone" | "generate"));
        return match is_well {
            true => Ok(nothing(world)),
            false => Err(not_a_run(&recorded)),
        };
    };
    if recorded.is_by_url() && global.url.is_none() {
        return Err(Failure::message(
            codes::RETRY_IMPOSSIBLE,
            "the last run's database was given by --url, which is not kept",
            "give --url again, or set DATABASE_URL",
        ));
    }
    let global = recorded.global(global);
    let mut args_then = recorded.args();
    args_then.full_refresh |= args.full_refresh;
    args_then.fail_fast |= args.fail_fast;
    args_then.report.clone_from(&args.report);
    if again.is_empty() {
        return Ok(nothing(world));
    }
    args_then.only = Some(again);
    if !args_then.full_refresh {
        args_then.batches = partly_built(last.results);
    }
    build::run(&global, &args_then, work, world)
}

fn nothing(world: &World) -> u8 {
    if !world.stderr_style.quiet {
        say("Nothing to retry: every node of the last run got through.\n");
    }
    EXIT_OK
}

/// Where the last run's artifacts are.
fn artifacts(global: &Global, world: &World) -> Result<PathBuf, Failure> {
    let target_path = match &global.target_path {
        Some(path) => path.clone(),
        None => super::invocation::read(global, world)?
            .0
            .root_package()
            .file
            .target_path
            .clone(),
    };
    Ok(project_dir(global).join(target_path))
}

fn unreadable(error: ArtifactError) -> Failure {
    Failure::message(
        codes::RETRY_IMPOSSIBLE,
        format!("there is no earlier run to continue: {error}"),
        "run `marts build` first, or name the folder of its artifacts with --state",
    )
}

fn not_a_run(recorded: &Recorded<'_>) -> Failure {
    let what = match recorded.command() {
        Some(command) => format!("the last run was `{command}`, which cannot be continued"),
        None => "run_results.json does not say which command it is of".to_owned(),
    };
    let known: Vec<&str> = COMMANDS.iter().map(|(word, _)| *word).collect();
    Failure::message(
        codes::RETRY_IMPOSSIBLE,
        what,
        format!("run one of {} first", known.join(", ")),
    )
}

/// The nodes to run again: those that did not end well, and those that nobody can read.
fn unfinished(results: &[NodeResult]) -> Vec<NodeId> {
    let is_open = |result: &&NodeResult| result.status.is_retried() || is_unpublished(result);
    // Hooks of the run run again whatever became of them.
    let is_hook = |result: &&NodeResult| result.unique_id.as_str().starts_with("operation.");
    let open = results.iter().filter(is_open).filter(|r| !is_hook(r));
    open.map(|result| result.unique_id.clone()).collect()
}

/// Microbatch models of which some batches were built and others not.
fn partly_built(results: Vec<NodeResult>) -> Vec<(NodeId, BatchResults)> {
    let partly = |result: NodeResult| {
        let batches = result.batch_results?;
        let is_partly = !batches.successful.is_empty() && !batches.failed.is_empty();
        is_partly.then_some((result.unique_id, batches))
    };
    results.into_iter().filter_map(partly).collect()
}

/// Whether a node was built and then not published, because something else went wrong.
fn is_unpublished(result: &NodeResult) -> bool {
    let published = result.adapter_response.get("published");
    result.status == ResultStatus::Success && published.and_then(|p| p.as_bool()) == Some(false)
}

/// The nodes of these ids; with them, where models are built and tested, the tests of those
/// that are built again: what a test said of an earlier candidate does not hold for the next.
pub(super) fn selected(
    invocation: &Invocation,
    ids: &[NodeId],
    work: Work,
    reporter: &mut dyn Reporter,
) -> Vec<NodeIx> {
    let graph = &invocation.graph;
    let known: HashSet<&NodeId> = graph.nodes().map(|(_, node)| &node.id).collect();
    // dbt counts the hooks of a run as nodes.
    let is_gone = |id: &&NodeId| !known.contains(*id) && !id.as_str().starts_with("operation.");
    for id in ids.iter().filter(is_gone) {
        reporter.event(&Event::Warned {
            code: codes::SELECTION_EMPTY.as_str().to_owned(),
            message: format!("{id} of the last run is not in the project any more"),
        });
    }
    again(graph, ids, matches!(work, Work::Build))
}

fn again(graph: &Graph, ids: &[NodeId], with_tests: bool) -> Vec<NodeIx> {
    let wanted: HashSet<&NodeId> = ids.iter().collect();
    let is_wanted = |node: &Node| wanted.contains(&node.id);
    let tests_built = |node: &Node| {
        let mut parents = node.parents.iter().map(|ix| graph.node(*ix));
        node.is_test() && parents.any(is_wanted)
    };
    let nodes = graph.nodes();
    nodes
        .filter(|(_, node)| is_wanted(node) || with_tests && tests_built(node))
        .map(|(ix, _)| ix)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(name: &str, status: ResultStatus) -> NodeResult {
        NodeResult::new(NodeId::new(name), status)
    }

    #[test]
    fn what_failed_was_skipped_or_was_not_published_is_open() {
        let mut held = result("model.shop.held", ResultStatus::Success);
        held.adapter_response
            .insert("published".into(), false.into());
        let mut out = result("model.shop.out", ResultStatus::Success);
        out.adapter_response.insert("published".into(), true.into());
        let results = [
            result("model.shop.ok", ResultStatus::Success),
            result("test.shop.warned", ResultStatus::Warn),
            result("test.shop.failed", ResultStatus::Fail),
            result("model.shop.broken", ResultStatus::Error),
            result("model.shop.behind", ResultStatus::Skipped),
            held,
            out,
        ];
        let open: Vec<String> = unfinished(&results)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            open,
            [
                "test.shop.failed",
                "model.shop.broken",
                "model.shop.behind",
                "model.shop.held"
            ]
        );
    }
}
