//! `target/run_results.json`: the run in dbt's form, written when it ends.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::Reporter;
use super::format::{count, plain};
use super::lanes::Lanes;
use crate::artifact::run_results::{BatchResults, NodeResult, ResultStatus, RunResults, Timing};
use crate::artifact::{self, ArtifactError};
use crate::event::{Event, Outcome, Status};
use crate::names::NodeId;

/// Where and of what the artifact is.
#[derive(Clone, Debug, Default)]
pub struct RunResultsOptions {
    /// The project's folder, to which the events' paths are relative.
    pub root: PathBuf,
    /// The file to write.
    pub path: PathBuf,
    /// dbt's `args`: `which`, `select`, `threads`, ...
    pub args: Map<String, Json>,
    /// What the environment adds to the artifact's head.
    pub env: BTreeMap<String, String>,
    /// Nodes of a build for which there is nothing to do, known once it has selected its nodes.
    pub idle: Arc<OnceLock<Vec<Idle>>>,
}

/// A node that has a result although nothing is done for it: an exposure, a saved query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    /// The node.
    pub node: NodeId,
    /// What it reads, and the tests of that: where one of them is not well, it counts as skipped.
    pub needs: Vec<NodeId>,
}

/// Writes `run_results.json`.
pub struct RunResultsFile {
    options: RunResultsOptions,
    results: RunResults,
    lanes: Lanes,
    has_begun: bool,
    clock: fn() -> Timestamp,
    on_error: Box<dyn FnMut(ArtifactError) + Send>,
}

impl RunResultsFile {
    /// Writes at [`Reporter::finish`]; `on_error` is told when that fails, since a reporter
    /// cannot stop a run.
    pub fn new(
        options: RunResultsOptions,
        on_error: impl FnMut(ArtifactError) + Send + 'static,
    ) -> Self {
        Self {
            options,
            results: RunResults::new(""),
            lanes: Lanes::default(),
            has_begun: false,
            clock: Timestamp::now,
            on_error: Box::new(on_error),
        }
    }

    fn add(&mut self, node: &NodeId, outcome: &Outcome) {
        let mut result = NodeResult::new(node.clone(), status(outcome.status));
        result.execution_time = outcome.elapsed.as_secs_f64();
        result.thread_id = format!("Thread-{}", self.lanes.end(node) + 1);
        result.message = Some(match outcome.status {
            Status::Error => error_message(node, outcome),
            _ => message(outcome),
        });
        // dbt counts the rows of a test that its thresholds let pass as none.
        result.failures = match outcome.status {
            Status::Pass => outcome.failures.map(|_| 0),
            _ => outcome.failures,
        };
        result.relation_name = outcome.relation.clone();
        if !matches!(outcome.status, Status::Skipped | Status::Cancelled) {
            result.timing = self.timing(outcome.elapsed);
            result.compiled_code = self.compiled(outcome);
            result.compiled = Some(result.compiled_code.is_some());
        }
        if let Some(batches) = &outcome.batches {
            result.failures = result.failures.or(Some(0));
            let (built, failed) = (batches.successful.len(), batches.failed.len());
            if built > 0 && failed > 0 {
                result.status = ResultStatus::PartialSuccess;
                let told = result.message.take().unwrap_or_default();
                let total = built + failed;
                result.message = Some(format!("PARTIAL SUCCESS ({built}/{total}): {told}"));
            }
            result.batch_results = Some(BatchResults {
                successful: batches.successful.clone(),
                failed: batches.failed.clone(),
            });
        }
        if let Some(rows) = outcome.rows {
            let response = &mut result.adapter_response;
            response.insert("_message".into(), count(rows, "row").into());
            response.insert("rows_affected".into(), rows.into());
        }
        self.results.results.push(result);
    }

    /// Built nodes that became visible, or did not and why.
    fn published(&mut self, nodes: &[NodeId], reason: Option<(&str, bool)>) {
        let nodes: HashSet<&NodeId> = nodes.iter().collect();
        let results = self.results.results.iter_mut();
        for result in results.filter(|result| nodes.contains(&result.unique_id)) {
            let response = &mut result.adapter_response;
            response.insert("published".into(), reason.is_none().into());
            match reason {
                None => {}
                Some((reason, true)) => {
                    result.status = ResultStatus::Error;
                    result.message = Some(format!("not published: {reason}"));
                }
                Some((reason, false)) => {
                    let built = result.message.take().unwrap_or_default();
                    let built = format!("{built}; built, not published: {reason}");
                    result.message = Some(built.trim_start_matches("; ").to_owned());
                }
            }
        }
    }

    /// Results of nodes for which nothing is done.
    fn add_idle(&mut self) {
        let held = |result: &&NodeResult| {
            use ResultStatus::{Error, Fail, Skipped};
            matches!(result.status, Error | Fail | Skipped)
        };
        let results = self.results.results.iter();
        let held: HashSet<NodeId> = results.filter(held).map(|r| r.unique_id.clone()).collect();
        for idle in self.options.idle.get().into_iter().flatten() {
            let (status, message, failures) = match idle.needs.iter().any(|id| held.contains(id)) {
                true => (ResultStatus::Skipped, None, None),
                false => (ResultStatus::NoOp, Some("NO-OP".to_owned()), Some(0)),
            };
            self.results.results.push(NodeResult {
                message,
                failures,
                thread_id: "Thread-1".to_owned(),
                ..NodeResult::new(idle.node.clone(), status)
            });
        }
    }

    fn timing(&self, elapsed: Duration) -> Vec<Timing> {
        let end = (self.clock)();
        let begin = end.checked_sub(elapsed).unwrap_or(end);
        vec![Timing {
            name: "execute".to_owned(),
            started_at: Some(format!("{begin:.6}")),
            completed_at: Some(format!("{end:.6}")),
        }]
    }

    fn compiled(&self, outcome: &Outcome) -> Option<String> {
        let path = self.options.root.join(outcome.compiled_path.as_ref()?);
        std::fs::read_to_string(path).ok()
    }
}

impl Reporter for RunResultsFile {
    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted { run_id, .. } => {
                self.has_begun = true;
                self.results = RunResults::new(run_id);
                self.results.args = self.options.args.clone();
                self.results.metadata.env = self.options.env.clone();
            }
            Event::NodeFinished {
                node,
                outcome,
                label,
                ..
            } => {
                self.add(node, outcome);
                if let Some(result) = self.results.results.last_mut().filter(|_| is_hook(node)) {
                    as_hook(result, label);
                }
            }
            Event::RunFinished { elapsed, .. } => {
                self.add_idle();
                self.results.elapsed_time = elapsed.as_secs_f64();
            }
            Event::NodeStarted { node, .. } => self.lanes.begin(node),
            Event::Published { nodes, .. } => self.published(nodes, None),
            Event::NotPublished {
                nodes,
                reason,
                failed,
            } => self.published(nodes, Some((plain(reason).trim(), *failed))),
            // The one place for text of our own that dbt's schema leaves.
            Event::LedgerWritten { seq, head } => {
                let env = &mut self.results.metadata.env;
                env.insert("MARTS_LEDGER_SEQ".to_owned(), seq.to_string());
                env.insert("MARTS_LEDGER_HEAD".to_owned(), head.clone());
            }
            Event::Warned { .. }
            | Event::Logged { .. }
            | Event::Changes { .. }
            | Event::Failed { .. }
            | Event::Cancelled => {}
        }
    }

    fn finish(&mut self) {
        // What did not begin has no results: those of the last run stay, for `retry`.
        if !self.has_begun {
            return;
        }
        self.results.metadata.generated_at = format!("{:.6}", (self.clock)());
        if let Err(error) = artifact::write(&self.options.path, &self.results) {
            (self.on_error)(error);
        }
    }
}

fn is_hook(node: &NodeId) -> bool {
    node.as_str().starts_with("operation.")
}

/// A hook's result in dbt's words, which readers of artifacts know hooks by.
fn as_hook(result: &mut NodeResult, label: &str) {
    let told = result.message.take().unwrap_or_default();
    result.thread_id = "main".to_owned();
    result.message = Some(match result.status {
        ResultStatus::Success => format!("{label} passed"),
        ResultStatus::Skipped => format!("{label} skipped"),
        _ => format!("{label} failed, error:\n {told}"),
    });
    if result.status == ResultStatus::Skipped {
        result.compiled = Some(false);
        return;
    }
    result.compiled = Some(true);
    result.compiled_code.get_or_insert_default();
}

fn status(status: Status) -> ResultStatus {
    match status {
        Status::Success => ResultStatus::Success,
        Status::Pass => ResultStatus::Pass,
        Status::Warn => ResultStatus::Warn,
        Status::Fail => ResultStatus::Fail,
        Status::Error => ResultStatus::Error,
        Status::Skipped | Status::Cancelled => ResultStatus::Skipped,
    }
}

/// An error under the heading by which dbt's readers of artifacts sort errors.
fn error_message(node: &NodeId, outcome: &Outcome) -> String {
    let text = message(outcome);
    let code = text
        .strip_prefix("error[")
        .and_then(|rest| rest.split(']').next())
        .unwrap_or_default();
    let kind = match code {
        code if code.starts_with("db-") => "Database Error",
        "sql-error" | "sql-limit" => "Database Error",
        "" => "Runtime Error",
        _ => "Compilation Error",
    };
    let mut parts = node.as_str().splitn(3, '.');
    let (what, name) = (parts.next().unwrap_or_default(), parts.nth(1));
    let name = name.unwrap_or_default();
    let file = outcome
        .file
        .as_ref()
        .map(|file| format!(" ({})", file.display()));
    let indented = text.replace('\n', "\n  ");
    format!(
        "{kind} in {what} {name}{}\n  {indented}",
        file.unwrap_or_default()
    )
}

/// What happened in words, without colours.
fn message(outcome: &Outcome) -> String {
    if let Some(message) = &outcome.message {
        return plain(message);
    }
    match (outcome.status, outcome.failures, outcome.rows) {
        (Status::Fail | Status::Warn, Some(failures), _) => {
            let expected = outcome.expected.as_deref().unwrap_or("no rows");
            format!("{}, expected {expected}", count(failures, "row"))
        }
        (_, _, Some(rows)) => count(rows, "row"),
        _ => "OK".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::stories;
    use crate::report::terminal::tests::story;

    fn written(folder: &std::path::Path, events: &[Event]) -> RunResults {
        let options = RunResultsOptions {
            root: folder.to_owned(),
            path: folder.join("target/run_results.json"),
            args: Map::from_iter([("which".to_owned(), Json::from("build"))]),
            ..RunResultsOptions::default()
        };
        let path = options.path.clone();
        let mut reporter = RunResultsFile::new(options, |error| panic!("{error}"));
        reporter.clock = || Timestamp::UNIX_EPOCH;
        for event in events {
            reporter.event(event);
        }
        reporter.finish();
        artifact::read(&path).unwrap()
    }

    #[test]
    fn a_run_is_written_in_dbts_form() {
        let folder = tempfile::tempdir().unwrap();
        let compiled = folder
            .path()
            .join("target/compiled/shop/models/gold/mart_x.sql");
        std::fs::create_dir_all(compiled.parent().unwrap()).unwrap();
        std::fs::write(compiled, "select amuont\n").unwrap();
        let results = written(folder.path(), &story());
        insta::assert_json_snapshot!(results);
    }

    #[test]
    fn what_there_is_nothing_to_do_for_has_a_result_too() {
        let idle = |node: &str, needs: &str| Idle {
            node: NodeId::new(node),
            needs: vec![NodeId::new(needs)],
        };
        let mut reporter = RunResultsFile::new(RunResultsOptions::default(), |_| {});
        let broken = NodeResult::new(NodeId::new("model.shop.broken"), ResultStatus::Error);
        reporter.results.results.push(broken);
        let all = vec![
            idle("exposure.shop.held", "model.shop.broken"),
            idle("exposure.shop.fine", "model.shop.other"),
        ];
        reporter.options.idle.get_or_init(|| all);
        reporter.add_idle();
        let statuses: Vec<ResultStatus> =
            reporter.results.results.iter().map(|r| r.status).collect();
        assert_eq!(
            statuses,
            [
                ResultStatus::Error,
                ResultStatus::Skipped,
                ResultStatus::NoOp
            ]
        );
    }

    #[test]
    fn what_became_of_candidates_stands_in_their_results() {
        let folder = tempfile::tempdir().unwrap();
        let of = |events: &[Event]| -> Vec<String> {
            let results = written(folder.path(), events).results;
            let line = |r: &NodeResult| {
                let published = r.adapter_response.get("published");
                let published = published.map_or("untold".to_owned(), Json::to_string);
                let message = r.message.as_deref().unwrap_or_default();
                let message = message.lines().next().unwrap_or_default();
                format!("{} {:?} {published}: {message}", r.unique_id, r.status)
            };
            results.iter().map(line).collect()
        };
        assert_eq!(
            of(&stories::refused()),
            [
                "model.shop.a Success true: 1 row",
                "model.shop.b Error false: not published: error[publish-refused]: view \
                 reports.daily of role bi reads gold.b",
                "model.shop.c Skipped untold: the run was cancelled",
            ]
        );
        assert_eq!(
            of(&stories::gate())[1],
            "model.shop.orders Success false: 1,204,567 rows; built, not published: test \
             `safe_text` failed"
        );
        let env = written(folder.path(), &stories::gate()).metadata.env;
        assert!(env["MARTS_LEDGER_HEAD"].len() == 64);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = RunResultsOptions {
            path: file.path().join("run_results.json"),
            ..RunResultsOptions::default()
        };
        let told = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let heard = std::sync::Arc::clone(&told);
        let mut reporter = RunResultsFile::new(options, move |error| {
            *heard.lock().unwrap() = error.to_string();
        });
        reporter.finish();
        assert_eq!(*told.lock().unwrap(), "", "nothing began");
        reporter.event(&story()[0]);
        reporter.finish();
        assert!(told.lock().unwrap().starts_with("cannot write "));
    }
}
