//! A selection as a tree: criteria, combined by union, intersection and difference.

use super::method::Method;
use crate::diag::{Diagnostic, codes, nearest};

/// Which tests come along with a selected parent (`--indirect-selection`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndirectSelection {
    /// Tests of which any parent is selected.
    #[default]
    Eager,
    /// Tests of which all parents are selected.
    Cautious,
    /// Tests whose parents are selected or are read by what is selected.
    Buildable,
    /// None.
    Empty,
}

impl IndirectSelection {
    /// The mode of a word of the command line.
    ///
    /// # Errors
    /// There is no such mode.
    pub fn parse(word: &str) -> Result<Self, Diagnostic> {
        const WORDS: [&str; 4] = ["eager", "cautious", "buildable", "empty"];
        match word {
            "eager" => Ok(Self::Eager),
            "cautious" => Ok(Self::Cautious),
            "buildable" => Ok(Self::Buildable),
            "empty" => Ok(Self::Empty),
            _ => {
                let message = format!("`{word}` is no way to select tests with their parents");
                let hint = match nearest(word, WORDS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("use one of {}", WORDS.join(", ")),
                };
                Err(Diagnostic::error(codes::SELECTION, message).hint(hint))
            }
        }
    }
}

/// How far a `+` reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reach {
    /// There is no `+`.
    #[default]
    Nothing,
    /// `2+`.
    Steps(usize),
    /// `+`.
    All,
}

/// One criterion, for example `2+tag:nightly+`.
#[derive(Clone, Debug)]
pub(super) struct Criterion {
    /// As the user wrote it.
    pub(super) text: String,
    pub(super) method: Method,
    /// `@`: all that reads it, and all that those need.
    pub(super) childrens_parents: bool,
    pub(super) parents: Reach,
    pub(super) children: Reach,
    pub(super) indirect: IndirectSelection,
}

/// How the parts of a group make one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Combine {
    Union,
    Intersection,
    /// The first without all others.
    Difference,
}

/// A tree of criteria.
#[derive(Clone, Debug)]
pub(super) enum Spec {
    Criterion(Box<Criterion>),
    Group {
        combine: Combine,
        parts: Vec<Spec>,
        indirect: IndirectSelection,
        /// What the user wrote, where a warning is due if it matches nothing.
        expects: Option<String>,
    },
}

impl Spec {
    /// Visits every criterion.
    pub(super) fn each(&self, visit: &mut dyn FnMut(&Criterion)) {
        match self {
            Self::Criterion(criterion) => visit(criterion),
            Self::Group { parts, .. } => parts.iter().for_each(|part| part.each(visit)),
        }
    }

    /// A group that says nothing when it is empty.
    pub(super) fn group(combine: Combine, parts: Vec<Self>) -> Self {
        Self::Group {
            combine,
            parts,
            // What dbt does for groups of selectors.yml: only criteria have their own mode.
            indirect: IndirectSelection::Eager,
            expects: None,
        }
    }
}
