//! From the library's tree to ours: byte places, PyYAML's scalars, anchors, merge keys and
//! duplicate keys.
//!
//! The library's marker after an alias points behind the anchor instead, so the place of the
//! value that follows an alias is found in the text.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::diag::codes::{YAML_SYNTAX, YAML_TAG};
use crate::diag::{Diagnostic, FileId, Span, Spanned};

use super::raw::{Raw, RawValue};
use super::{Document, DuplicateKey, Entries, Node, Yaml, scalar};

/// A byte inside the text, on a character's border.
pub(super) fn clamp(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

pub(super) struct Converter<'t> {
    file: FileId,
    text: &'t str,
    /// Bytes before `text` in the file.
    offset: usize,
    anchors: HashMap<String, Node>,
    duplicates: Vec<DuplicateKey>,
    /// The end of an alias, when the last value was one.
    after_alias: Option<usize>,
}

impl<'t> Converter<'t> {
    pub(super) fn new(file: FileId, text: &'t str, offset: usize) -> Self {
        Self {
            file,
            text,
            offset,
            anchors: HashMap::new(),
            duplicates: Vec::new(),
            after_alias: None,
        }
    }

    pub(super) fn document(mut self, raw: Raw) -> Result<Document, Diagnostic> {
        let root = self.node(raw)?;
        Ok(Document {
            root,
            duplicates: self.duplicates,
        })
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            file: self.file,
            start: (start + self.offset) as u32,
            end: (end.max(start) + self.offset) as u32,
        }
    }

    fn node(&mut self, raw: Raw) -> Result<Node, Diagnostic> {
        let limit = clamp(self.text, raw.end);
        let start = match self.after_alias.take() {
            Some(end) => self.skip_separators(end),
            None => clamp(self.text, raw.start),
        };
        let (anchor, body) = self.properties(start);
        if self.text[body..].starts_with('*') && is_filled(&raw.value) {
            return self.alias(body);
        }
        let node = match raw.value {
            RawValue::Tagged(tag) => return Err(self.tagged(start, &tag)),
            RawValue::Sequence(items) => self.sequence(body, items)?,
            RawValue::Mapping(entries) => self.mapping(body, entries)?,
            RawValue::Text(text) => self.text_scalar(body, limit, text),
            RawValue::Typed(json) => self.typed_scalar(body, limit, json),
        };
        if let Some(name) = anchor {
            self.anchors.insert(name, node.clone());
        }
        Ok(node)
    }

    /// The anchor's name, and where the value begins behind anchor and tag.
    fn properties(&self, start: usize) -> (Option<String>, usize) {
        let mut at = start;
        let mut anchor = None;
        while let Some(first) = self.text[at..].chars().next() {
            if first != '&' && first != '!' {
                break;
            }
            let word = self.text[at..]
                .find(|c: char| c.is_whitespace() || ",[]{}".contains(c))
                .unwrap_or(self.text.len() - at);
            if first == '&' {
                anchor = Some(self.text[at + 1..at + word].to_owned());
            }
            at = self.skip_separators(at + word);
        }
        (anchor, at)
    }

    fn alias(&mut self, start: usize) -> Result<Node, Diagnostic> {
        let name_len = self.text[start + 1..]
            .find(|c: char| c.is_whitespace() || ",[]{}".contains(c))
            .unwrap_or(self.text.len() - start - 1);
        let end = start + 1 + name_len;
        let name = &self.text[start + 1..end];
        let span = self.span(start, end);
        self.after_alias = Some(end);
        match self.anchors.get(name) {
            Some(node) => Ok(Node {
                span,
                value: node.value.clone(),
            }),
            None => Err(Diagnostic::error(
                YAML_SYNTAX,
                format!("anchor `{name}` is not defined above"),
            )
            .at(span, "used here")
            .hint(format!("define it with `&{name}` before its first use"))),
        }
    }

    fn tagged(&self, start: usize, tag: &str) -> Diagnostic {
        let length = self.text[start..]
            .find(char::is_whitespace)
            .unwrap_or(self.text.len() - start);
        Diagnostic::error(YAML_TAG, format!("YAML tag `!{tag}` is not known"))
            .at(self.span(start, start + length), "")
            .hint("remove the tag, or put the text in quotes")
    }

    fn sequence(&mut self, start: usize, items: Vec<Raw>) -> Result<Node, Diagnostic> {
        let mut nodes = Vec::with_capacity(items.len());
        for item in items {
            nodes.push(self.node(item)?);
        }
        let last = nodes.last().map(|n| n.span);
        Ok(Node {
            span: self.collection_span(start, last, '[', ']'),
            value: Yaml::Sequence(nodes),
        })
    }

    fn mapping(&mut self, start: usize, raw: Vec<(Raw, Raw)>) -> Result<Node, Diagnostic> {
        let mut entries: Entries = Vec::with_capacity(raw.len());
        let mut merges: Vec<Node> = Vec::new();
        let mut last = None;
        for (raw_key, raw_value) in raw {
            let key = self.key(raw_key)?;
            let value = self.node(raw_value)?;
            last = Some(value.span);
            if key.value == "<<" {
                merges.push(value);
                continue;
            }
            self.put(&mut entries, key, value);
        }
        for merge in merges {
            merge_into(&mut entries, merge)?;
        }
        Ok(Node {
            span: self.collection_span(start, last, '{', '}'),
            value: Yaml::Mapping(entries),
        })
    }

    fn put(&mut self, entries: &mut Entries, key: Spanned<String>, value: Node) {
        // Small mappings are the rule; a linear search beats a set there.
        let found = entries.iter().position(|(k, _)| k.value == key.value);
        match found {
            None => entries.push((key, value)),
            Some(at) => {
                self.duplicates.push(DuplicateKey {
                    key: key.value.clone(),
                    first: entries[at].0.span,
                    second: key.span,
                });
                entries[at] = (key, value);
            }
        }
    }

    fn key(&mut self, raw: Raw) -> Result<Spanned<String>, Diagnostic> {
        let written_as_is = !matches!(raw.value, RawValue::Text(_));
        let node = self.node(raw)?;
        let text = match (&node.value, written_as_is) {
            (Yaml::String(text), _) => text.clone(),
            (Yaml::Sequence(_) | Yaml::Mapping(_), _) => {
                return Err(self.key_of_values(&node));
            }
            _ => {
                let (start, end) = (node.span.start as usize, node.span.end as usize);
                self.text[start - self.offset..end - self.offset].to_owned()
            }
        };
        Ok(Spanned {
            value: text,
            span: node.span,
        })
    }

    /// A list or mapping as a key; in all likelihood Jinja without quotes.
    fn key_of_values(&self, node: &Node) -> Diagnostic {
        let start = node.span.start as usize - self.offset;
        if self.text[..start].ends_with('{') && self.text[start..].starts_with('{') {
            let rest = self.text[start - 1..].lines().next().unwrap_or_default();
            let end = rest.find("}}").map_or(rest.len(), |at| at + 2);
            return Diagnostic::error(YAML_SYNTAX, "YAML syntax: Jinja without quotes around it")
                .at(self.span(start - 1, start - 1 + end), "")
                .hint(format!("write \"{}\"", rest[..end].replace('"', "'")));
        }
        Diagnostic::error(
            YAML_SYNTAX,
            "YAML syntax: a list or mapping stands where a key belongs",
        )
        .at(node.span, "")
        .hint("put quotes around it, or write the list below a key")
    }

    fn collection_span(&self, start: usize, last: Option<Span>, open: char, close: char) -> Span {
        let last_end = last.map_or(start, |s| (s.end as usize).saturating_sub(self.offset));
        let mut end = last_end.max(start);
        if self.text[start..].starts_with(open) {
            end = self.text[end..]
                .find(close)
                .map_or(end, |at| end + at + close.len_utf8());
        }
        self.span(start, end)
    }

    fn text_scalar(&self, start: usize, limit: usize, text: String) -> Node {
        let rest = &self.text[start..];
        let (value, end) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => (Yaml::String(text), start + quoted_len(rest, quote)),
            Some('|' | '>') => {
                let end = start + self.text[start..limit.max(start)].trim_end().len();
                (Yaml::String(text), end)
            }
            _ if rest.starts_with(text.as_str()) => {
                let end = start + text.len();
                (scalar::resolve(&text), end)
            }
            _ => {
                let end = start + rest.lines().next().map_or(0, |line| line.trim_end().len());
                (Yaml::String(text), end)
            }
        };
        Node {
            span: self.span(start, end),
            value,
        }
    }

    fn typed_scalar(&self, start: usize, limit: usize, json: Json) -> Node {
        let rest = &self.text[start..limit.max(start)];
        let end = rest
            .find(|c: char| c.is_whitespace() || ",]}".contains(c))
            .unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches(':');
        let span = self.span(start, start + word.len());
        let value = match json {
            Json::Null => Yaml::Null,
            Json::Bool(value) => Yaml::Bool(value),
            // An explicit tag (`!!int "3"`) has quotes in the text; else PyYAML's rules decide.
            Json::Number(number) if word.starts_with(['"', '\'']) => Yaml::Number(number),
            _ => scalar::resolve(word),
        };
        let span = if matches!(value, Yaml::Null) && !is_null_word(word) {
            self.span(start, start)
        } else {
            span
        };
        Node { span, value }
    }

    /// The first byte of the next value behind `at`.
    fn skip_separators(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = at;
        while at < bytes.len() {
            match bytes[at] {
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}' | b':' => at += 1,
                b'-' if bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace) => at += 1,
                b'#' => {
                    while at < bytes.len() && bytes[at] != b'\n' {
                        at += 1;
                    }
                }
                _ => break,
            }
        }
        at
    }
}

fn is_filled(value: &RawValue) -> bool {
    // `*` begins no other plain scalar, so only an empty one can stand before it.
    !matches!(value, RawValue::Tagged(_))
}

fn is_null_word(word: &str) -> bool {
    matches!(word, "~" | "null" | "Null" | "NULL")
}

fn quoted_len(text: &str, quote: char) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if quote == '"' && bytes[at] == b'\\' {
            at += 2;
            continue;
        }
        if bytes[at] == quote as u8 {
            if quote == '\'' && bytes.get(at + 1) == Some(&b'\'') {
                at += 2;
                continue;
            }
            return at + 1;
        }
        at += 1;
    }
    text.len()
}

/// `<<: *base`: what is already there wins, then earlier merges.
fn merge_into(entries: &mut Entries, merge: Node) -> Result<(), Diagnostic> {
    match merge.value {
        Yaml::Mapping(base) => {
            for (key, value) in base {
                if !entries.iter().any(|(k, _)| k.value == key.value) {
                    entries.push((key, value));
                }
            }
            Ok(())
        }
        Yaml::Sequence(items) => {
            for item in items {
                merge_into(entries, item)?;
            }
            Ok(())
        }
        _ => Err(Diagnostic::error(
            YAML_SYNTAX,
            "a merge key `<<` needs a mapping or a list of mappings",
        )
        .at(merge.span, "")
        .hint("point it at an anchored mapping: `<<: *name`")),
    }
}
