//! dbt's node selection: `--select`, `--exclude`, `--selector`, `--resource-type`.
//!
//! [`Selection::parse`] reads what the user wrote, [`Selection::resolve`] finds the nodes.
//! Text becomes a tree of criteria (`criterion`, `selectors`), the tree becomes sets of nodes
//! (`evaluate`), and a criterion that finds nothing is told with what may have been meant.

mod criterion;
mod evaluate;
mod matches;
mod method;
mod nothing;
mod pattern;
mod selectors;
mod set;
mod spec;
#[cfg(test)]
mod tests;

pub use method::StateCheck;
pub use selectors::Selectors;
pub use spec::IndirectSelection;

use std::collections::{HashMap, HashSet};

use self::evaluate::Evaluation;
use self::method::{Method, RESOURCE_TYPES};
use self::spec::{Combine, Criterion, Reach, Spec};
use super::{Graph, NodeIx, ResourceKind};
use crate::diag::{Diagnostic, codes, nearest};
use crate::names::NodeId;

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct SelectArgs<'a> {
    /// `--select`, each with blanks and commas as written.
    pub select: &'a [String],
    /// `--exclude`, likewise.
    pub exclude: &'a [String],
    /// `--selector`.
    pub selector: Option<&'a str>,
    /// Of `selectors.yml`.
    pub selectors: Option<&'a Selectors>,
    /// `--indirect-selection`.
    pub indirect: IndirectSelection,
    /// `--resource-type`; none means all that the command covers.
    pub resource_types: &'a [String],
    /// `--exclude-resource-type`.
    pub exclude_resource_types: &'a [String],
}

/// What is known of earlier runs, where the user gave it.
#[derive(Clone, Copy, Default)]
pub struct Earlier<'a> {
    /// The comparison with an earlier manifest, for `state:`.
    pub state: Option<&'a dyn StateAnswers>,
    /// How nodes ended, in dbt's words, for `result:`.
    pub results: Option<&'a HashMap<NodeId, String>>,
    /// Sources that have newer rows than then, for `source_status:fresher`.
    pub fresher: Option<&'a HashSet<NodeId>>,
}

/// Answers how a node compares with itself in an earlier manifest.
pub trait StateAnswers {
    /// Whether the check holds for the node.
    fn holds(&self, node: NodeIx, check: StateCheck) -> bool;
}

/// What selecting needs beside the graph.
#[derive(Clone, Copy)]
pub struct SelectContext<'a> {
    /// The root project's name, for `package:this`.
    pub root_package: &'a str,
    /// Earlier runs.
    pub earlier: Earlier<'a>,
}

/// Artifacts of earlier runs that a selection needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compares {
    /// `manifest.json`.
    pub state: bool,
    /// `run_results.json`.
    pub results: bool,
    /// `sources.json`.
    pub fresher: bool,
}

/// A selection that was understood.
#[derive(Clone, Debug)]
pub struct Selection {
    spec: Spec,
    /// dbt's words for kinds; `None` means all.
    kinds: Option<Vec<&'static str>>,
    not_kinds: Vec<&'static str>,
    warnings: Vec<Diagnostic>,
}

/// The selected nodes.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// In the order of the graph, each once.
    pub nodes: Vec<NodeIx>,
    /// Criteria that matched nothing.
    pub warnings: Vec<Diagnostic>,
}

impl Selection {
    /// Reads a selection. Without any criterion it is the default selector of
    /// `selectors.yml`, else everything.
    ///
    /// # Errors
    /// A criterion that cannot be understood, or an unknown selector or resource type.
    pub fn parse(args: &SelectArgs<'_>) -> Result<Self, Diagnostic> {
        let no_selectors = Selectors::default();
        let selectors = args.selectors.unwrap_or(&no_selectors);
        let mut warnings = Vec::new();
        let by_text = !args.select.is_empty() || !args.exclude.is_empty();
        let spec = match (args.selector, selectors.default_spec()) {
            (Some(name), _) => {
                if by_text {
                    warnings.push(selector_wins(name));
                }
                selectors.find(name)?.clone()
            }
            (None, Some(default)) if !by_text => default.clone(),
            _ => {
                let included = if args.select.is_empty() {
                    everything(args.indirect)
                } else {
                    criterion::union(args.select, args.indirect)?
                };
                let excluded = criterion::union(args.exclude, args.indirect)?;
                Spec::group(Combine::Difference, vec![included, excluded])
            }
        };
        Ok(Self {
            spec: named_selectors(spec, selectors)?,
            kinds: match args.resource_types {
                [] => None,
                words => Some(kinds(words)?),
            },
            not_kinds: kinds(args.exclude_resource_types)?,
            warnings,
        })
    }

    /// Everything there is.
    pub fn all() -> Self {
        Self {
            spec: everything(IndirectSelection::Eager),
            kinds: None,
            not_kinds: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Finds the nodes.
    ///
    /// # Errors
    /// A method that compares with earlier artifacts, which are not there.
    pub fn resolve(
        &self,
        graph: &Graph,
        context: &SelectContext<'_>,
    ) -> Result<Selected, Diagnostic> {
        let mut evaluation = Evaluation {
            graph,
            context,
            warnings: self.warnings.clone(),
        };
        let found = evaluation.spec(&self.spec)?;
        let nodes = found.direct.iter();
        Ok(Selected {
            nodes: nodes
                .filter(|ix| self.wants(graph.node(*ix).kind))
                .collect(),
            warnings: evaluation.warnings,
        })
    }

    /// Which artifacts of earlier runs the selection compares with.
    pub fn compares(&self) -> Compares {
        let mut compares = Compares::default();
        self.spec.each(&mut |criterion| match &criterion.method {
            Method::State(_) => compares.state = true,
            Method::Result(_) => compares.results = true,
            Method::Fresher => compares.fresher = true,
            _ => {}
        });
        compares
    }

    /// Whether the user named resource types, this one or not.
    pub fn wants(&self, kind: ResourceKind) -> bool {
        let word = kind.as_str();
        self.kinds
            .as_ref()
            .is_none_or(|kinds| kinds.contains(&word))
            && !self.not_kinds.contains(&word)
    }

    /// Whether the user named resource types at all.
    pub fn names_resource_types(&self) -> bool {
        self.kinds.is_some()
    }
}

fn selector_wins(name: &str) -> Diagnostic {
    Diagnostic::warning(
        codes::SELECTION,
        format!("`--selector {name}` is used, and `--select` and `--exclude` are not"),
    )
    .hint("give one or the other")
}

fn everything(indirect: IndirectSelection) -> Spec {
    Spec::Criterion(Box::new(Criterion {
        text: "*".to_owned(),
        method: Method::Package(pattern::Pattern::All),
        childrens_parents: false,
        parents: Reach::Nothing,
        children: Reach::Nothing,
        indirect,
    }))
}

/// Puts the selectors that `selector:` criteria name in their places.
fn named_selectors(spec: Spec, selectors: &Selectors) -> Result<Spec, Diagnostic> {
    match spec {
        Spec::Criterion(criterion) => match &criterion.method {
            Method::Selector(name) => selectors.find(name).cloned(),
            _ => Ok(Spec::Criterion(criterion)),
        },
        Spec::Group {
            combine,
            parts,
            indirect,
            expects,
        } => {
            let parts = parts.into_iter().map(|p| named_selectors(p, selectors));
            Ok(Spec::Group {
                combine,
                parts: parts.collect::<Result<_, _>>()?,
                indirect,
                expects,
            })
        }
    }
}

/// Resource types as the command line writes them, `all` and `default` included.
fn kinds(words: &[String]) -> Result<Vec<&'static str>, Diagnostic> {
    let mut kinds = Vec::new();
    for word in words.iter().flat_map(|word| word.split_whitespace()) {
        match RESOURCE_TYPES.iter().find(|known| **known == word) {
            Some(known) => kinds.push(*known),
            None if word == "all" => kinds.extend(RESOURCE_TYPES),
            None if word == "default" => {
                let usual = |known: &&str| !matches!(*known, "analysis" | "operation");
                kinds.extend(RESOURCE_TYPES.into_iter().filter(usual));
            }
            None => {
                let hint = match nearest(word, RESOURCE_TYPES) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("use one of {}, all, default", RESOURCE_TYPES.join(", ")),
                };
                return Err(Diagnostic::error(
                    codes::SELECTION,
                    format!("`{word}` is no resource type"),
                )
                .hint(hint));
            }
        }
    }
    Ok(kinds)
}
