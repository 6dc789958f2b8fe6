//! YAML as dbt's users write it (PyYAML's reading of YAML 1.1), every value with its place.
//!
//! [`parse`] gives a [`Node`] tree: anchors are resolved, merge keys applied, plain scalars
//! typed by PyYAML's rules (`yes` is true, `010` is eight). Keys keep their order.

mod convert;
mod fields;
mod raw;
mod scalar;
mod syntax;

pub(crate) use fields::{Check, Fields, scalar_text, unknown_key};

use serde_json::Value as Json;

use crate::diag::{FileId, Span, Spanned};

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it was written; for an alias, the alias.
    pub(crate) span: Span,
    /// What it is.
    pub(crate) value: Yaml,
}

/// The entries of a mapping, in order.
pub(crate) type Entries = Vec<(Spanned<String>, Node)>;

/// A YAML value.
#[derive(Clone, Debug)]
pub(crate) enum Yaml {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on` and their opposites.
    Bool(bool),
    /// An integer or a float.
    Number(serde_json::Number),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping; keys are text, as written.
    Mapping(Entries),
}

/// A key that was written twice in one mapping; the later one won, as in PyYAML.
#[derive(Debug)]
pub(crate) struct DuplicateKey {
    /// The key.
    pub(crate) key: String,
    /// Where it was written first.
    pub(crate) first: Span,
    /// Where it was written again.
    pub(crate) second: Span,
}

/// A parsed document.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its content; null for an empty file.
    pub(crate) root: Node,
    /// Keys that were written twice.
    pub(crate) duplicates: Vec<DuplicateKey>,
}

impl Node {
    /// The value as JSON; places are lost.
    pub(crate) fn to_json(&self) -> Json {
        match &self.value {
            Yaml::Null => Json::Null,
            Yaml::Bool(value) => Json::Bool(*value),
            Yaml::Number(value) => Json::Number(value.clone()),
            Yaml::String(value) => Json::String(value.clone()),
            Yaml::Sequence(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Yaml::Mapping(entries) => Json::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.value.clone(), node.to_json()))
                    .collect(),
            ),
        }
    }

    /// The text, if it is text.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Yaml::String(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub(crate) fn as_mapping(&self) -> Option<&Entries> {
        match &self.value {
            Yaml::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether it is null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Yaml::Null)
    }

    /// The value of a key, if it is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?
            .iter()
            .find(|(k, _)| k.value == key)
            .map(|(_, node)| node)
    }

    /// What it is, for a message: `a list`, `the text "x"`.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Yaml::Null => "nothing".to_owned(),
            Yaml::Bool(value) => format!("the boolean {value}"),
            Yaml::Number(value) => format!("the number {value}"),
            Yaml::String(text) => describe_text(text),
            Yaml::Sequence(_) => "a list".to_owned(),
            Yaml::Mapping(_) => "a mapping".to_owned(),
        }
    }
}

fn describe_text(text: &str) -> String {
    if text.chars().count() > 40 || text.contains('\n') {
        "text".to_owned()
    } else {
        format!("the text \"{text}\"")
    }
}

/// Reads one document. The error says what is wrong with the syntax and where.
pub(crate) fn parse(file: FileId, text: &str) -> Result<Document, crate::diag::Diagnostic> {
    let (body, offset) = match text.strip_prefix('\u{feff}') {
        Some(rest) => (rest, '\u{feff}'.len_utf8()),
        None => (text, 0),
    };
    match raw::load(body) {
        Ok(raw) => convert::Converter::new(file, body, offset).document(raw),
        Err(error) => Err(syntax::diagnose(&error, file, body, offset)),
    }
}

#[cfg(test)]
mod tests;
