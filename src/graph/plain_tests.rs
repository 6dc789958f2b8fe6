//! Scans of the commonest generic tests, kept: rendering thousands of `not_null` only to learn
//! what each refers to is otherwise half of the time of parsing.
//!
//! A test is plain if the project has put no macro of its own in the built-in one's place, it has
//! no `where` and its arguments hold no Jinja. Then it refers to what it tests, sets no
//! config, and calls the same macros as the next one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::{Detail, GenericTest, Node, ResourceKind};
use crate::diag::Diagnostic;
use crate::jinja::{Engine, RefCall, Scan, SourceCall};
use crate::project::ConfigMap;

const PLAIN: &[&str] = &["not_null", "unique", "accepted_values"];

/// What a scan of a test told, but for what it refers to.
struct Kept {
    line: usize,
    macros: Vec<String>,
}

/// Kept scans by the test, the package whose macros it sees, and whether it tests a source.
#[derive(Default)]
pub(super) struct PlainTests(Mutex<HashMap<(String, String, bool), Arc<Kept>>>);

impl PlainTests {
    /// The scan of a test of `target`; `scan` makes it where none is kept.
    pub(super) fn scan(
        &self,
        engine: &Engine,
        (node, target): (&Node, &Node),
        config: &ConfigMap,
        scan: impl FnOnce() -> Result<Scan, Diagnostic>,
    ) -> Result<Scan, Diagnostic> {
        let Detail::GenericTest(test) = &node.detail else {
            return scan();
        };
        if !is_plain(engine, node, test, target, config) {
            return scan();
        }
        let source = target.kind == ResourceKind::Source;
        let key = (test.test.clone(), node.package.clone(), source);
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept().get(&key).map(Arc::clone);
        if let Some(found) = found {
            return Ok(found.of(target));
        }
        let scan = scan()?;
        let line = scan.refs.first().map(|(_, line)| *line);
        let line = line.or(scan.sources.first().map(|(_, line)| *line));
        let made = line.map(|line| Kept {
            line,
            macros: scan.macros.clone(),
        });
        // Only what would give the same again.
        if let Some(made) = made.filter(|made| made.of(target) == scan) {
            kept().insert(key, Arc::new(made));
        }
        Ok(scan)
    }
}

impl Kept {
    fn of(&self, target: &Node) -> Scan {
        let mut scan = Scan {
            macros: self.macros.clone(),
            ..Scan::default()
        };
        match &target.detail {
            Detail::Source { source, .. } => {
                let source = SourceCall {
                    source: source.clone(),
                    table: target.name.clone(),
                };
                scan.sources.push((source, self.line));
            }
            _ => {
                let model = RefCall {
                    package: None,
                    name: target.name.clone(),
                    version: None,
                };
                scan.refs.push((model, self.line));
            }
        }
        scan
    }
}

fn is_plain(
    engine: &Engine,
    node: &Node,
    test: &GenericTest,
    target: &Node,
    config: &ConfigMap,
) -> bool {
    let built_in = |name: &str| engine.is_builtin(name, &node.package);
    test.namespace.is_none()
        && PLAIN.contains(&test.test.as_str())
        && !config.contains_key("where")
        && target.model.version.is_none()
        && test.arguments.values().all(is_literal)
        && built_in(&format!("test_{}", test.test))
        && built_in("get_where_subquery")
}

/// Whether it says what it says: no call, no expression.
fn is_literal(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => true,
        Json::String(text) => !text.contains(['{', '(']),
        Json::Array(values) => values.iter().all(is_literal),
        Json::Object(_) => false,
    }
}
