//! Reading the keys of a mapping with checks: each mistake becomes a diagnostic and the
//! reading goes on.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::codes::{MISSING_KEY, UNKNOWN_KEY, WRONG_TYPE};
use crate::diag::{Code, Diagnostic, Severity, Span, Spanned, nearest};

use super::{Entries, Node, Yaml};

/// Where findings go, and how hard an unknown key is judged.
#[derive(Debug, Default)]
pub(crate) struct Check {
    /// What was found so far.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Unknown keys are errors (a project of our own) instead of warnings (dbt's).
    pub(crate) strict: bool,
}

impl Check {
    /// A check for a project of our own (`strict`) or dbt's.
    pub(crate) fn new(strict: bool) -> Self {
        Self {
            diagnostics: Vec::new(),
            strict,
        }
    }

    /// Adds a finding.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A finding that stops our own projects and only warns in dbt's.
    pub(crate) fn lint(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        let severity = if self.strict {
            Severity::Error
        } else {
            Severity::Warning
        };
        Diagnostic {
            severity,
            ..Diagnostic::error(code, message)
        }
    }

    /// A value of the wrong type.
    pub(crate) fn wrong_type(&mut self, what: &str, key: &str, node: &Node, expected: &str) {
        self.push(
            Diagnostic::error(
                WRONG_TYPE,
                format!("`{key}` of {what} is {}", node.describe()),
            )
            .at(node.span, format!("expected {expected}"))
            .hint(type_hint(key, node, expected)),
        );
    }
}

fn type_hint(key: &str, node: &Node, expected: &str) -> String {
    match (&node.value, expected) {
        (Yaml::Null, _) => format!("give `{key}` a value, or remove it"),
        (Yaml::String(_), e) if e.contains("list") => {
            format!("write it as a list: `{key}: [...]`")
        }
        _ => format!("write {expected} here"),
    }
}

/// The keys of one mapping, each to be taken once; what is left is unknown.
pub(crate) struct Fields<'n> {
    what: String,
    span: Span,
    entries: &'n [(Spanned<String>, Node)],
    taken: Vec<bool>,
}

impl<'n> Fields<'n> {
    /// The keys of a mapping that is called `what` in messages; nothing counts as empty.
    pub(crate) fn of(node: &'n Node, what: impl Into<String>, check: &mut Check) -> Option<Self> {
        let what = what.into();
        match &node.value {
            Yaml::Mapping(entries) => Some(Self::over(entries, what, node.span)),
            Yaml::Null => Some(Self::over(&[], what, node.span)),
            _ => {
                check.push(
                    Diagnostic::error(WRONG_TYPE, format!("{what} is {}", node.describe()))
                        .at(node.span, "expected keys with values")
                        .hint("write `key: value` lines here"),
                );
                None
            }
        }
    }

    fn over(entries: &'n [(Spanned<String>, Node)], what: String, span: Span) -> Self {
        Self {
            what,
            span,
            entries,
            taken: vec![false; entries.len()],
        }
    }

    /// What the mapping is called in messages.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Calls it something better from here on.
    pub(crate) fn rename(&mut self, what: impl Into<String>) {
        self.what = what.into();
    }

    /// The value of a key, with the key's place.
    pub(crate) fn take_entry(&mut self, key: &str) -> Option<&'n (Spanned<String>, Node)> {
        let at = self.entries.iter().position(|(k, _)| k.value == key)?;
        self.taken[at] = true;
        Some(&self.entries[at])
    }

    /// The value of a key.
    pub(crate) fn take(&mut self, key: &str) -> Option<&'n Node> {
        self.take_entry(key).map(|(_, node)| node)
    }

    /// The value of a key that somebody else takes.
    pub(crate) fn peek(&self, key: &str) -> Option<&'n Node> {
        let found = self.entries.iter().find(|(k, _)| k.value == key);
        found.map(|(_, node)| node)
    }

    /// Text; numbers and booleans count as text, nothing as absent.
    pub(crate) fn text(&mut self, key: &str, check: &mut Check) -> Option<Spanned<String>> {
        let node = self.take(key)?;
        if node.is_null() {
            return None;
        }
        let text = scalar_text(node);
        if text.is_none() {
            check.wrong_type(&self.what, key, node, "text");
        }
        text.map(|value| Spanned {
            value,
            span: node.span,
        })
    }

    /// Text that must be there and not be empty.
    pub(crate) fn required_text(
        &mut self,
        key: &str,
        check: &mut Check,
    ) -> Option<Spanned<String>> {
        let entry = self.take_entry(key);
        if let Some((_, node)) = entry
            && !node.is_null()
            && node.as_str() != Some("")
        {
            return self.text(key, check);
        }
        let span = entry.map_or(first_line_of(self.span, self.entries), |(k, _)| k.span);
        check.push(
            Diagnostic::error(MISSING_KEY, format!("{} has no `{key}`", self.what))
                .at(span, "")
                .hint(format!("add `{key}: ...` here")),
        );
        None
    }

    /// A boolean.
    pub(crate) fn boolean(&mut self, key: &str, check: &mut Check) -> Option<bool> {
        let node = self.take(key)?;
        match node.value {
            Yaml::Bool(value) => Some(value),
            Yaml::Null => None,
            _ => {
                check.wrong_type(&self.what, key, node, "true or false");
                None
            }
        }
    }

    /// A list; nothing counts as empty.
    pub(crate) fn list(&mut self, key: &str, check: &mut Check) -> &'n [Node] {
        match self.take(key) {
            None => &[],
            Some(node) => match &node.value {
                Yaml::Sequence(items) => items,
                Yaml::Null => &[],
                _ => {
                    check.wrong_type(&self.what, key, node, "a list");
                    &[]
                }
            },
        }
    }

    /// A list of texts, or one text.
    pub(crate) fn texts(&mut self, key: &str, check: &mut Check) -> Option<Vec<Spanned<String>>> {
        let node = self.take(key)?;
        let items: &[Node] = match &node.value {
            Yaml::Sequence(items) => items,
            Yaml::Null => &[],
            _ => std::slice::from_ref(node),
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match scalar_text(item) {
                Some(value) => texts.push(Spanned {
                    value,
                    span: item.span,
                }),
                None => check.wrong_type(&self.what, key, item, "text, or a list of texts"),
            }
        }
        Some(texts)
    }

    /// The entries of a mapping; nothing counts as empty.
    pub(crate) fn mapping(&mut self, key: &str, check: &mut Check) -> Option<&'n Entries> {
        let node = self.take(key)?;
        match &node.value {
            Yaml::Mapping(entries) => Some(entries),
            Yaml::Null => None,
            _ => {
                check.wrong_type(&self.what, key, node, "keys with values");
                None
            }
        }
    }

    /// Takes everything that is left.
    pub(crate) fn rest(&mut self) -> Vec<&'n (Spanned<String>, Node)> {
        let entries = self.entries;
        let mut rest = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            if !std::mem::replace(&mut self.taken[at], true) {
                rest.push(entry);
            }
        }
        rest
    }

    /// Takes everything that is left as JSON, and says which keys are none of `known`.
    pub(crate) fn rest_known(
        &mut self,
        known: &[&str],
        check: &mut Check,
    ) -> IndexMap<String, Json> {
        let mut kept = IndexMap::new();
        for (key, node) in self.rest() {
            if !known.contains(&key.value.as_str()) {
                unknown_key(&self.what, key, known, check);
            }
            kept.insert(key.value.clone(), node.to_json());
        }
        kept
    }
}

/// Says that a key is not known, with the nearest one that is.
pub(crate) fn unknown_key(what: &str, key: &Spanned<String>, known: &[&str], check: &mut Check) {
    let diagnostic = check
        .lint(
            UNKNOWN_KEY,
            format!("{what} has the unknown key `{}`", key.value),
        )
        .at(key.span, "");
    let hint = match nearest(&key.value, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("remove `{}`, or move it under `meta:`", key.value),
    };
    check.push(diagnostic.hint(hint));
}

/// A scalar as text; `None` for lists and mappings.
pub(crate) fn scalar_text(node: &Node) -> Option<String> {
    match &node.value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(value) => Some(value.to_string()),
        Yaml::Null | Yaml::Sequence(_) | Yaml::Mapping(_) => None,
    }
}

fn first_line_of(span: Span, entries: &[(Spanned<String>, Node)]) -> Span {
    entries.first().map_or(span, |(key, _)| key.span)
}
