//! `--warn-error` and `--warn-error-options`: which warnings are errors and which are not told.
//!
//! Warnings are named by marts' codes, or by dbt's names for the same.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::args::Global;
use super::failure::Failure;
use crate::diag::{Diagnostic, Severity, SourceMap, codes, nearest};
use crate::project;

/// dbt's names and what they are here. A name of dbt's that is not here has no counterpart.
const NAMES: &[(&str, &[&str])] = &[
    ("ConfigDataPathDeprecation", &["project-renamed-key"]),
    ("ConfigSourcePathDeprecation", &["project-renamed-key"]),
    ("CustomKeyInConfigDeprecation", &["project-unknown-key"]),
    ("CustomKeyInObjectDeprecation", &["project-unknown-key"]),
    ("CustomTopLevelKeyDeprecation", &["project-unknown-key"]),
    ("DeprecatedModel", &["model-deprecated"]),
    ("DeprecatedReference", &["model-deprecated"]),
    (
        "Deprecations",
        &[
            "project-renamed-key",
            "project-unknown-key",
            "yaml-duplicate-key",
        ],
    ),
    ("DuplicateYAMLKeysDeprecation", &["yaml-duplicate-key"]),
    ("JinjaLogWarning", &[NODES]),
    ("LogTestResult", &[TESTS]),
    ("MacroNotFoundForPatch", &["unknown-resource"]),
    ("MicrobatchModelNoEventTimeInputs", &["node-config"]),
    ("NoNodeForYamlKey", &["unknown-resource"]),
    ("NoNodesForSelectionCriteria", &["selection-empty"]),
    ("NoNodesSelected", &["selection-empty"]),
    ("UnusedResourceConfigPath", &["config-unused-path"]),
    ("UpcomingReferenceDeprecation", &["model-deprecated"]),
];

/// Warnings of tests.
const TESTS: &str = "test-warning";
/// Warnings of models while they are built.
const NODES: &str = "node-warning";

/// What becomes of warnings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WarnErrors {
    all: bool,
    error: BTreeSet<String>,
    warn: BTreeSet<String>,
    silence: BTreeSet<String>,
}

/// What becomes of one warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Error,
    Warning,
    Silence,
}

impl WarnErrors {
    /// The command line, else the project's `flags:`.
    pub(super) fn read(global: &Global, project: &project::Project) -> Result<Self, Failure> {
        let flags = &project.root_package().file.flags;
        let of_project = |key: &str| flags.get(key).cloned().filter(|v| !v.is_null());
        if global.warn_error && global.warn_error_options.is_some() {
            return Err(wrong(
                "--warn-error and --warn-error-options are both given",
            ));
        }
        let options = match &global.warn_error_options {
            Some(text) => {
                let sources = SourceMap::default();
                let read = project::parse_vars(text, &sources);
                let read = read.map_err(|_| wrong("--warn-error-options is no mapping"))?;
                Some(Json::Object(read.into_iter().collect()))
            }
            None if global.warn_error => None,
            None => of_project("warn_error_options"),
        };
        let all = global.warn_error
            || options.is_none() && of_project("warn_error") == Some(Json::Bool(true));
        match options {
            Some(options) => Self::from_options(&options),
            None => Ok(Self {
                all,
                ..Self::default()
            }),
        }
    }

    fn from_options(options: &Json) -> Result<Self, Failure> {
        let Json::Object(map) = options else {
            return Err(wrong("warn_error_options is no mapping"));
        };
        let mut policy = Self::default();
        for (key, value) in map {
            let (all, names) = names(key, value)?;
            match key.as_str() {
                "error" | "include" => {
                    policy.all |= all;
                    policy.error.extend(names);
                }
                "warn" | "exclude" => policy.warn.extend(names),
                "silence" => policy.silence.extend(names),
                _ => {
                    let known = ["error", "warn", "silence", "include", "exclude"];
                    let near = nearest(key, known).unwrap_or("error, warn and silence");
                    return Err(wrong(&format!(
                        "warn_error_options has the key {key:?}; it may have {near}"
                    )));
                }
            }
        }
        Ok(policy)
    }

    fn judge(&self, code: &str) -> Judged {
        let has = |set: &BTreeSet<String>| set.contains(code);
        match () {
            () if has(&self.silence) => Judged::Silence,
            () if has(&self.warn) => Judged::Warning,
            () if self.all || has(&self.error) => Judged::Error,
            () => Judged::Warning,
        }
    }

    /// Whether a test that warns is to fail.
    pub(super) fn tests(&self) -> bool {
        self.judge(TESTS) == Judged::Error
    }

    /// Whether a model that warns while it is built fails.
    pub(super) fn nodes(&self) -> bool {
        self.judge(NODES) == Judged::Error
    }

    /// Leaves out what is to be silent; fails where one is an error.
    pub(super) fn sort(
        &self,
        warnings: Vec<Diagnostic>,
        sources: &SourceMap,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let mut told = Vec::new();
        let mut errors = Vec::new();
        for mut warning in warnings {
            match self.judge(warning.code.as_str()) {
                Judged::Silence => {}
                Judged::Warning => told.push(warning),
                Judged::Error => {
                    warning.severity = Severity::Error;
                    errors.push(warning.note("warnings are errors (--warn-error)"));
                }
            }
        }
        match errors.is_empty() {
            true => Ok(told),
            false => Err(Failure::new(errors, sources.clone())),
        }
    }
}

/// The warnings that a value names, and whether it means all.
fn names(key: &str, value: &Json) -> Result<(bool, Vec<String>), Failure> {
    let list = match value {
        Json::Null => Vec::new(),
        Json::String(one) => vec![one.clone()],
        Json::Array(list) => list
            .iter()
            .map(|name| {
                name.as_str()
                    .map_or_else(|| name.to_string(), str::to_owned)
            })
            .collect(),
        _ => {
            return Err(wrong(&format!(
                "`{key}` of warn_error_options is no list of names"
            )));
        }
    };
    let all = list.iter().any(|name| name == "all" || name == "*");
    let mut out = Vec::new();
    for name in list
        .iter()
        .filter(|name| !["all", "*"].contains(&name.as_str()))
    {
        if let Some((_, ours)) = NAMES.iter().find(|(dbt, _)| dbt == name) {
            out.extend(ours.iter().map(|code| (*code).to_owned()));
            continue;
        }
        let known = || {
            codes::ALL
                .iter()
                .map(|code| code.as_str())
                .chain([TESTS, NODES])
        };
        // A name of dbt's that has no counterpart here can never be told.
        let is_dbts = name.starts_with(|c: char| c.is_ascii_uppercase());
        if !is_dbts && !known().any(|code| code == name) {
            let near = nearest(name, known().chain(NAMES.iter().map(|(dbt, _)| *dbt)));
            let near = near
                .map(|near| format!("; did you mean {near}?"))
                .unwrap_or_default();
            return Err(wrong(&format!("no warning is called {name:?}{near}")));
        }
        out.push(name.clone());
    }
    Ok((all, out))
}

fn wrong(message: &str) -> Failure {
    Failure::message(
        codes::CLI_USAGE,
        message.to_owned(),
        "write for example --warn-error-options '{error: all, warn: [NoNodesForSelectionCriteria]}'",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exceptions_win_over_all_and_silence_over_both() {
        let options = json!({
            "error": "all", "warn": ["UnusedResourceConfigPath", "LogTestResult"],
            "silence": ["model-deprecated"],
        });
        let Ok(policy) = WarnErrors::from_options(&options) else {
            panic!("it is right");
        };
        assert_eq!(policy.judge("config-unused-path"), Judged::Warning);
        assert_eq!(policy.judge("model-deprecated"), Judged::Silence);
        assert_eq!(policy.judge("selection-empty"), Judged::Error);
        assert!(!policy.tests() && policy.nodes());
    }

    #[test]
    fn older_words_and_names_without_counterpart_are_read() {
        let options = json!({"include": ["NoNodesForSelectionCriteria", "TestsConfigDeprecation"]});
        let Ok(policy) = WarnErrors::from_options(&options) else {
            panic!("it is right");
        };
        assert_eq!(policy.judge("selection-empty"), Judged::Error);
        assert_eq!(policy.judge("yaml-duplicate-key"), Judged::Warning);
        assert!(WarnErrors::from_options(&json!({"error": ["selection-emty"]})).is_err());
        assert!(WarnErrors::from_options(&json!({"errors": []})).is_err());
    }
}
