//! Named selections of `selectors.yml`.
//!
//! The file is read elsewhere; here its content, as JSON, becomes selections. A definition
//! may name selectors that stand above it.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::criterion::{check, criterion};
use super::method::Method;
use super::spec::{Combine, Criterion, IndirectSelection, Reach, Spec};
use crate::diag::{Diagnostic, codes, nearest};

/// The selectors of a project, in order.
#[derive(Clone, Debug, Default)]
pub struct Selectors {
    named: IndexMap<String, Named>,
}

#[derive(Clone, Debug)]
struct Named {
    is_default: bool,
    spec: Spec,
}

impl Selectors {
    /// Reads the content of `selectors.yml` (`{"selectors": [...]}`); `file` is for messages,
    /// `indirect` holds where a definition does not say otherwise.
    ///
    /// # Errors
    /// Every definition that is wrong.
    pub fn parse(
        file: &str,
        content: &Json,
        indirect: IndirectSelection,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut selectors = Self::default();
        let mut problems = Vec::new();
        let Some(list) = content.get("selectors").and_then(Json::as_array) else {
            let problem = wrong("there is no list under `selectors:`").in_file(file);
            return Err(vec![problem.hint("begin the file with `selectors:`")]);
        };
        for entry in list {
            if let Err(problem) = selectors.add(entry, indirect) {
                problems.push(problem.in_file(file));
            }
        }
        let defaults: Vec<&str> = selectors
            .named
            .iter()
            .filter(|(_, named)| named.is_default)
            .map(|(name, _)| name.as_str())
            .collect();
        if defaults.len() > 1 {
            let all = defaults.join("`, `");
            problems.push(
                wrong(&format!("several selectors are the default: `{all}`"))
                    .in_file(file)
                    .hint("leave `default: true` at one of them"),
            );
        }
        if problems.is_empty() {
            Ok(selectors)
        } else {
            Err(problems)
        }
    }

    fn add(&mut self, entry: &Json, indirect: IndirectSelection) -> Result<(), Diagnostic> {
        let Some(name) = entry.get("name").and_then(Json::as_str) else {
            return Err(wrong("a selector has no name").hint("give it a `name:`"));
        };
        let reader = Reader {
            selectors: self,
            name,
            indirect,
        };
        let definition = entry.get("definition").ok_or_else(|| {
            let message = format!("the selector `{name}` has no definition");
            wrong(&message).hint("give it a `definition:`")
        })?;
        let spec = reader.definition(definition)?;
        let is_default = match entry.get("default") {
            Some(Json::Bool(flag)) => *flag,
            Some(Json::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        };
        let named = Named { is_default, spec };
        if self.named.insert(name.to_owned(), named).is_some() {
            let message = format!("two selectors are named `{name}`");
            return Err(wrong(&message).hint("rename one of them"));
        }
        Ok(())
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    pub(super) fn default_spec(&self) -> Option<&Spec> {
        let default = self.named.values().find(|named| named.is_default);
        default.map(|named| &named.spec)
    }

    pub(super) fn find(&self, name: &str) -> Result<&Spec, Diagnostic> {
        self.named.get(name).map(|n| &n.spec).ok_or_else(|| {
            let near = nearest(name, self.names());
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.named.is_empty() => {
                    "define it in selectors.yml beside the project file".to_owned()
                }
                None => {
                    let names: Vec<&str> = self.names().collect();
                    format!("selectors.yml has {}", names.join(", "))
                }
            };
            Diagnostic::error(
                codes::UNKNOWN_SELECTOR,
                format!("there is no selector named `{name}`"),
            )
            .hint(hint)
        })
    }
}

fn wrong(message: &str) -> Diagnostic {
    Diagnostic::error(codes::SELECTOR_DEFINITION, message)
}

/// Reads one selector's definition.
struct Reader<'a> {
    /// Those above it in the file.
    selectors: &'a Selectors,
    name: &'a str,
    indirect: IndirectSelection,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> Diagnostic {
        wrong(&format!("the selector `{}` {what}", self.name))
    }

    fn definition(&self, json: &Json) -> Result<Spec, Diagnostic> {
        match json {
            Json::String(text) => self.text(text),
            Json::Object(map) => {
                if let Some(list) = map.get("union") {
                    self.group(Combine::Union, list)
                } else if let Some(list) = map.get("intersection") {
                    self.group(Combine::Intersection, list)
                } else {
                    self.criterion(map)
                }
            }
            other => {
                let problem = self.wrong(&format!("has {other} where a selection is due"));
                Err(problem.hint("write text such as `tag:nightly`, or `union:` and a list"))
            }
        }
    }

    fn text(&self, text: &str) -> Result<Spec, Diagnostic> {
        let criterion = criterion(text, self.indirect)?;
        match &criterion.method {
            Method::Selector(name) => self.selectors.find(name).cloned(),
            _ => Ok(Spec::Criterion(Box::new(criterion))),
        }
    }

    fn group(&self, combine: Combine, list: &Json) -> Result<Spec, Diagnostic> {
        let mut parts = Vec::new();
        let mut excluded = None;
        for item in self.list(list)? {
            let exclude = item.as_object().filter(|map| !map.contains_key("method"));
            match exclude.and_then(|map| map.get("exclude")) {
                Some(_) if excluded.is_some() => {
                    let problem = self.wrong("has two `exclude:` in one list");
                    return Err(problem.hint("put both into one `exclude:` list"));
                }
                Some(list) => excluded = Some(self.excluded(list)?),
                None => parts.push(self.definition(item)?),
            }
        }
        let group = Spec::group(combine, parts);
        Ok(match excluded {
            Some(excluded) => Spec::group(Combine::Difference, vec![group, excluded]),
            None => group,
        })
    }

    fn list<'j>(&self, json: &'j Json) -> Result<&'j [Json], Diagnostic> {
        json.as_array().map(Vec::as_slice).ok_or_else(|| {
            let problem = self.wrong(&format!("has {json} where a list is due"));
            problem.hint("write a list: one `- …` a line")
        })
    }

    fn excluded(&self, list: &Json) -> Result<Spec, Diagnostic> {
        let parts = self.list(list)?.iter().map(|item| self.definition(item));
        Ok(Spec::group(
            Combine::Union,
            parts.collect::<Result<_, _>>()?,
        ))
    }

    fn criterion(&self, map: &Map<String, Json>) -> Result<Spec, Diagnostic> {
        let (method, value) = match (map.get("method"), map.get("value")) {
            (Some(method), Some(value)) => (method.as_str().map(str::to_owned), value),
            _ => match map.iter().next() {
                Some((method, value)) if map.len() == 1 => (Some(method.clone()), value),
                _ => (None, &Json::Null),
            },
        };
        let (Some(method), Some(value)) = (method, text_of(value)) else {
            let keys: Vec<&str> = map.keys().map(String::as_str).collect();
            let problem = self.wrong(&format!("has a part with the keys {}", keys.join(", ")));
            return Err(problem.hint("write `method:` and `value:`, or one `method: value`"));
        };
        self.known_keys(map)?;
        if method == "selector" {
            return self.selectors.find(&value).cloned();
        }
        let text = format!("{method}:{value}");
        let criterion = check(Criterion {
            method: Method::parse(&method, &value, &text)?,
            childrens_parents: flag(map, "childrens_parents"),
            parents: reach(map, "parents"),
            children: reach(map, "children"),
            indirect: self.mode(map)?,
            text,
        })?;
        let spec = Spec::Criterion(Box::new(criterion));
        Ok(match map.get("exclude") {
            Some(list) => Spec::group(Combine::Difference, vec![spec, self.excluded(list)?]),
            None => spec,
        })
    }

    fn known_keys(&self, map: &Map<String, Json>) -> Result<(), Diagnostic> {
        const KEYS: [&str; 9] = [
            "method",
            "value",
            "parents",
            "children",
            "parents_depth",
            "children_depth",
            "childrens_parents",
            "indirect_selection",
            "exclude",
        ];
        let unknown = map.keys().find(|key| !KEYS.contains(&key.as_str()));
        match unknown.filter(|_| map.len() > 1) {
            Some(key) => {
                let problem = self.wrong(&format!("has the unknown key `{key}`"));
                Err(match nearest(key, KEYS) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem.hint(format!("use {}", KEYS.join(", "))),
                })
            }
            None => Ok(()),
        }
    }

    fn mode(&self, map: &Map<String, Json>) -> Result<IndirectSelection, Diagnostic> {
        let Some(word) = map.get("indirect_selection") else {
            return Ok(self.indirect);
        };
        let mode = word.as_str().and_then(IndirectSelection::parse);
        mode.ok_or_else(|| {
            let problem = self.wrong(&format!("has {word} as its `indirect_selection`"));
            problem.hint(format!("use {}", IndirectSelection::WORDS.join(", ")))
        })
    }
}

fn text_of(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(_) | Json::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn flag(map: &Map<String, Json>, key: &str) -> bool {
    match map.get(key) {
        Some(Json::Bool(flag)) => *flag,
        Some(Json::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn reach(map: &Map<String, Json>, key: &str) -> Reach {
    let depth = map.get(&format!("{key}_depth"));
    let depth = depth.and_then(|d| d.as_u64().or_else(|| d.as_str()?.parse().ok()));
    match (flag(map, key), depth) {
        (false, _) => Reach::Nothing,
        (true, Some(steps)) => Reach::Steps(usize::try_from(steps).unwrap_or(usize::MAX)),
        (true, None) => Reach::All,
    }
}
