//! How `ref` and `source` find their node, and the engine's question for it at run time.

use std::collections::HashMap;

use super::{Node, NodeIx, ResourceKind};
use crate::diag::nearest;
use crate::jinja::{FunctionCall, LookupError, Names, NodeContext, RefCall, SourceCall};
use crate::names::Relation;

/// Names to nodes. Models, seeds and snapshots share one namespace per package.
#[derive(Clone, Debug, Default)]
pub struct NameTable {
    /// Name to the nodes of that name, each with its package; the root project's first.
    refs: HashMap<String, Vec<Named>>,
    sources: HashMap<(String, String), Vec<(String, NodeIx)>>,
    functions: HashMap<String, Vec<(String, NodeIx)>>,
    /// Disabled names, to say so.
    disabled: HashMap<String, String>,
}

/// A node that a ref may mean.
#[derive(Clone, Debug)]
struct Named {
    package: String,
    ix: NodeIx,
    /// Its version as text, and whether it is the latest.
    version: Option<(String, bool)>,
}

impl Named {
    fn is_meant(&self, version: Option<&str>) -> bool {
        match (&self.version, version) {
            (Some((own, _)), Some(wanted)) => own == wanted,
            (Some((_, latest)), None) => *latest,
            (None, wanted) => wanted.is_none(),
        }
    }
}

impl NameTable {
    pub(super) fn new(nodes: &[Box<Node>], disabled: &[Box<Node>]) -> Self {
        let mut table = Self::default();
        for (index, node) in nodes.iter().enumerate() {
            let entry = (node.package.clone(), NodeIx(index as u32));
            match (&node.kind, &node.detail) {
                (ResourceKind::Model | ResourceKind::Seed | ResourceKind::Snapshot, _) => {
                    let (package, ix) = entry;
                    let version = node.model.version.as_ref();
                    let version = version.map(|v| (v.text(), v.is_latest()));
                    table
                        .refs
                        .entry(node.name.clone())
                        .or_default()
                        .push(Named {
                            package,
                            ix,
                            version,
                        });
                }
                (ResourceKind::Function, _) => {
                    let name = node.name.clone();
                    table.functions.entry(name).or_default().push(entry);
                }
                (_, super::Detail::Source { source, .. }) => {
                    let key = (source.clone(), node.name.clone());
                    table.sources.entry(key).or_default().push(entry);
                }
                _ => {}
            }
        }
        for node in disabled {
            table.disabled.insert(node.name.clone(), node.path.clone());
        }
        table
    }

    /// The node of a ref made in `package`: of the named package, else of the caller's, else
    /// of the root project, else the only one there is.
    pub fn find_ref(&self, package: &str, call: &RefCall) -> Result<NodeIx, LookupError> {
        let candidates = self.refs.get(&call.name).map_or(&[][..], Vec::as_slice);
        let meant = || {
            let version = call.version.as_deref();
            candidates
                .iter()
                .filter(move |named| named.is_meant(version))
        };
        let of = |wanted: &str| meant().find(|n| n.package == wanted).map(|n| n.ix);
        let found = match &call.package {
            Some(wanted) => of(wanted),
            None => of(package).or_else(|| meant().next().map(|n| n.ix)),
        };
        found.ok_or_else(|| self.unknown_ref(call))
    }

    /// The versions of a model that a package's property files mean by this name, as written.
    pub(super) fn versions(&self, package: &str, name: &str) -> Vec<String> {
        let candidates = self.refs.get(name).map_or(&[][..], Vec::as_slice);
        let own = candidates.iter().filter(|n| n.package == package);
        own.filter_map(|n| Some(n.version.as_ref()?.0.clone()))
            .collect()
    }

    /// Why a version is not there.
    fn unknown_version(&self, call: &RefCall) -> Option<LookupError> {
        let wanted = call.version.as_ref()?;
        let candidates = self.refs.get(&call.name)?;
        let mut known: Vec<&str> = candidates
            .iter()
            .filter_map(|n| Some(n.version.as_ref()?.0.as_str()))
            .collect();
        known.sort_unstable();
        let (message, hint) = match known.as_slice() {
            [] => (
                format!("`{}` has no versions, so none is {wanted}", call.name),
                format!("write ref('{}'), or give the model `versions:`", call.name),
            ),
            known => (
                format!("`{}` has no version {wanted}", call.name),
                format!("it has {}", known.join(", ")),
            ),
        };
        Some(LookupError {
            message,
            hint: Some(hint),
        })
    }

    fn unknown_ref(&self, call: &RefCall) -> LookupError {
        if let Some(error) = self.unknown_version(call) {
            return error;
        }
        if let Some(path) = self.disabled.get(&call.name) {
            return LookupError {
                message: format!("`{}` is disabled, so nothing can ref it", call.name),
                hint: Some(format!(
                    "set `enabled: true` for {path}, or remove this ref"
                )),
            };
        }
        let shown = match &call.package {
            Some(package) => format!("{package}.{}", call.name),
            None => call.name.clone(),
        };
        let near = nearest(&call.name, self.refs.keys().map(String::as_str));
        LookupError {
            message: format!("there is no model, seed or snapshot named `{shown}`"),
            hint: Some(match near {
                Some(name) => format!("did you mean `{name}`?"),
                None => "check the name, or add the model".to_owned(),
            }),
        }
    }

    /// The node of a user-defined function.
    pub fn find_function(&self, package: &str, call: &FunctionCall) -> Result<NodeIx, LookupError> {
        let candidates = self
            .functions
            .get(&call.name)
            .map_or(&[][..], Vec::as_slice);
        let of = |wanted: &str| candidates.iter().find(|(p, _)| p == wanted);
        let found = match &call.package {
            Some(wanted) => of(wanted),
            None => of(package).or(candidates.first()),
        };
        found.map(|(_, ix)| *ix).ok_or_else(|| {
            let near = nearest(&call.name, self.functions.keys().map(String::as_str));
            LookupError {
                message: format!("there is no function named `{}`", call.name),
                hint: Some(match near {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => "add it under `function-paths`, with its `returns:`".to_owned(),
                }),
            }
        })
    }

    /// The node of a source's table.
    pub fn find_source(&self, package: &str, call: &SourceCall) -> Result<NodeIx, LookupError> {
        let key = (call.source.clone(), call.table.clone());
        let candidates = self.sources.get(&key).map_or(&[][..], Vec::as_slice);
        let own = candidates.iter().find(|(p, _)| p == package);
        own.or_else(|| candidates.first())
            .map(|(_, ix)| *ix)
            .ok_or_else(|| {
                let shown = format!("{}.{}", call.source, call.table);
                let known: Vec<String> = self
                    .sources
                    .keys()
                    .map(|(s, t)| format!("{s}.{t}"))
                    .collect();
                let near = nearest(&shown, known.iter().map(String::as_str));
                LookupError {
                    message: format!("there is no source table `{shown}`"),
                    hint: Some(match near {
                        Some(name) => format!("did you mean `{name}`?"),
                        None => "declare it under `sources:` in a property file".to_owned(),
                    }),
                }
            })
    }
}

/// Answers nothing: for macros that run before the graph is there.
#[derive(Debug)]
pub(crate) struct NoNames;

impl Names for NoNames {
    fn resolve_ref(&self, _: &NodeContext, call: &RefCall) -> Result<Relation, LookupError> {
        Err(too_early(&format!("ref('{}')", call.name)))
    }

    fn resolve_source(&self, _: &NodeContext, call: &SourceCall) -> Result<Relation, LookupError> {
        Err(too_early(&format!(
            "source('{}', '{}')",
            call.source, call.table
        )))
    }
}

fn too_early(call: &str) -> LookupError {
    LookupError {
        message: format!("{call} cannot be known while names are still being made"),
        hint: Some("do not call it in a generate_*_name macro".to_owned()),
    }
}
