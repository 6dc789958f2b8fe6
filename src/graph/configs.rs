//! Typed configs of nodes, each kept once: thousands of tests are configured alike, and a typed
//! config takes more memory than all the rest of a test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Node, ResourceKind, draft};
use crate::diag::{Diagnostic, Severity, Span};
use crate::project::{ConfigMap, ConfigOrigin, NodeConfig, Project};

/// Configs by what they were made of: the default materialization and the merged map as text, in
/// which keys have an order as they have in the manifest.
pub(super) struct Configs<'a> {
    project: &'a Project,
    known: Mutex<HashMap<String, Arc<NodeConfig>>>,
}

impl<'a> Configs<'a> {
    pub(super) fn new(project: &'a Project) -> Self {
        Self {
            project,
            known: Mutex::default(),
        }
    }

    /// The merged config of a node with its types. Errors: values of wrong types, at their places.
    pub(super) fn typed(
        &self,
        node: &Node,
        merged: ConfigMap,
        in_yaml: &dyn Fn(&str) -> Option<Span>,
    ) -> Result<Arc<NodeConfig>, Vec<Diagnostic>> {
        let default = match node.kind {
            ResourceKind::Model => "view",
            kind => kind.as_str(),
        };
        let key = format!("{default} {}", serde_json::json!(merged));
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(&key).map(Arc::clone);
        if let Some(found) = found {
            return Ok(found);
        }
        let what = format!("{} `{}`", node.kind.as_str(), node.name);
        let place = |key: &str| self.place(node, key, in_yaml);
        let origin = ConfigOrigin {
            what: &what,
            place: &place,
            file: Some(&node.path),
        };
        let (config, problems) = NodeConfig::new(merged, default, &origin);
        if problems.iter().any(|p| p.severity == Severity::Error) {
            return Err(problems);
        }
        let config = Arc::new(config);
        known().insert(key, Arc::clone(&config));
        Ok(config)
    }

    /// The line of the node's own file that names a config key, else its property file's value,
    /// else where the project file sets it.
    pub(super) fn place(
        &self,
        node: &Node,
        key: &str,
        in_yaml: &dyn Fn(&str) -> Option<Span>,
    ) -> Option<Span> {
        let in_code = node.raw_code.lines().position(|line| line.contains(key));
        if let (Some(file), Some(line)) = (node.file, in_code) {
            return Some(self.project.sources.line_span(file, node.first_line + line));
        }
        let trees = &self.project.root_package().file.configs;
        in_yaml(key).or_else(|| draft::tree(trees, node.kind).place(&node.fqn, key))
    }
}
