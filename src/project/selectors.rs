//! `selectors.yml` as written; what the words select is decided by the graph.

use crate::diag::codes::{SELECTOR_FORM, SELECTOR_NAME_TWICE};
use crate::diag::{Diagnostic, Spanned};

use super::render::Renderer;
use super::yaml::{Check, Document, Fields, Node, Yaml, scalar_text};

/// A named selection.
#[derive(Clone, Debug)]
pub struct Selector {
    /// `name`.
    pub name: Spanned<String>,
    /// `description`.
    pub description: String,
    /// `default`: used when a command selects nothing.
    pub default: bool,
    /// `definition`.
    pub definition: SelectorDefinition,
    /// The whole entry as it is written, for the manifest.
    pub written: serde_json::Value,
}

/// What a selector selects.
#[derive(Clone, Debug)]
pub enum SelectorDefinition {
    /// As on the command line: `tag:nightly+`.
    Text(Spanned<String>),
    /// One method with its value.
    Criterion(Box<SelectorCriterion>),
    /// All that any of them selects, less what the last list selects.
    Union(Vec<SelectorDefinition>, Vec<SelectorDefinition>),
    /// What all of them select, less what the last list selects.
    Intersection(Vec<SelectorDefinition>, Vec<SelectorDefinition>),
}

/// A method with its value and graph operators.
#[derive(Clone, Debug)]
pub struct SelectorCriterion {
    /// `method`, for example `tag` or `config.materialized`.
    pub method: Spanned<String>,
    /// `value`.
    pub value: Spanned<String>,
    /// `children`: as `+` behind.
    pub children: bool,
    /// `children_depth`.
    pub children_depth: Option<u32>,
    /// `parents`: as `+` in front.
    pub parents: bool,
    /// `parents_depth`.
    pub parents_depth: Option<u32>,
    /// `childrens_parents`: as `@`.
    pub childrens_parents: bool,
    /// `indirect_selection`.
    pub indirect_selection: Option<Spanned<String>>,
    /// `exclude`.
    pub exclude: Vec<SelectorDefinition>,
}

const CRITERION: &[&str] = &[
    "method",
    "value",
    "children",
    "children_depth",
    "parents",
    "parents_depth",
    "childrens_parents",
    "indirect_selection",
    "exclude",
];

/// Reads `selectors.yml`.
pub(crate) fn read(document: &Document, renderer: &Renderer, check: &mut Check) -> Vec<Selector> {
    let mut selectors: Vec<Selector> = Vec::new();
    let Some(mut fields) = Fields::of(&document.root, "selectors.yml", check) else {
        return selectors;
    };
    for item in fields.list("selectors", check) {
        let Some(selector) = selector(item, renderer, check) else {
            continue;
        };
        if let Some(first) = selectors
            .iter()
            .find(|s| s.name.value == selector.name.value)
        {
            check.push(
                Diagnostic::error(
                    SELECTOR_NAME_TWICE,
                    format!("two selectors are called `{}`", selector.name.value),
                )
                .at(selector.name.span, "")
                .at(first.name.span, "the first one")
                .hint("rename one of them"),
            );
        }
        selectors.push(selector);
    }
    fields.take("version");
    fields.rest_known(&["selectors", "version"], check);
    selectors
}

fn selector(node: &Node, renderer: &Renderer, check: &mut Check) -> Option<Selector> {
    let mut fields = Fields::of(node, "an entry of `selectors`", check)?;
    let name = fields.required_text("name", check)?;
    fields.rename(format!("selector `{}`", name.value));
    let description = fields.text("description", check).map(|t| t.value);
    let default = match fields.take("default") {
        Some(node) => is_true(&renderer.json(node, check)),
        None => false,
    };
    let definition = match fields.take("definition") {
        Some(node) => definition(node, fields.what(), check)?,
        None => {
            check.push(malformed(node, fields.what()));
            return None;
        }
    };
    fields.rest_known(&["name", "description", "default", "definition"], check);
    Some(Selector {
        name,
        description: description.unwrap_or_default(),
        default,
        definition,
        written: renderer.json_or_raw(node),
    })
}

fn is_true(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Bool(flag) => *flag,
        serde_json::Value::String(text) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn definition(node: &Node, what: &str, check: &mut Check) -> Option<SelectorDefinition> {
    match &node.value {
        Yaml::String(text) => Some(SelectorDefinition::Text(Spanned {
            value: text.clone(),
            span: node.span,
        })),
        Yaml::Mapping(entries) => match entries.as_slice() {
            _ if node.get("method").is_some() => criterion(node, what, check),
            [(key, list)] if key.value == "union" => {
                let (of, less) = parts(list, what, check);
                Some(SelectorDefinition::Union(of, less))
            }
            [(key, list)] if key.value == "intersection" => {
                let (of, less) = parts(list, what, check);
                Some(SelectorDefinition::Intersection(of, less))
            }
            // `tag: nightly` is short for method and value.
            [(key, value)] if key.value != "exclude" && scalar_text(value).is_some() => {
                let value = Spanned {
                    value: scalar_text(value)?,
                    span: value.span,
                };
                Some(SelectorDefinition::Criterion(Box::new(plain(
                    key.clone(),
                    value,
                ))))
            }
            _ => {
                check.push(malformed(node, what));
                None
            }
        },
        _ => {
            check.push(malformed(node, what));
            None
        }
    }
}

/// The members of a union or intersection, and those of its `exclude` entries.
fn parts(
    node: &Node,
    what: &str,
    check: &mut Check,
) -> (Vec<SelectorDefinition>, Vec<SelectorDefinition>) {
    let (mut of, mut less) = (Vec::new(), Vec::new());
    let Yaml::Sequence(items) = &node.value else {
        check.push(malformed(node, what));
        return (of, less);
    };
    for item in items {
        match item.as_mapping().map(Vec::as_slice) {
            Some([(key, list)]) if key.value == "exclude" => {
                less.extend(list_of(list, what, check))
            }
            _ => of.extend(definition(item, what, check)),
        }
    }
    (of, less)
}

fn list_of(node: &Node, what: &str, check: &mut Check) -> Vec<SelectorDefinition> {
    match &node.value {
        Yaml::Sequence(items) => items
            .iter()
            .filter_map(|item| definition(item, what, check))
            .collect(),
        _ => definition(node, what, check).into_iter().collect(),
    }
}

fn plain(method: Spanned<String>, value: Spanned<String>) -> SelectorCriterion {
    SelectorCriterion {
        method,
        value,
        children: false,
        children_depth: None,
        parents: false,
        parents_depth: None,
        childrens_parents: false,
        indirect_selection: None,
        exclude: Vec::new(),
    }
}

fn criterion(node: &Node, what: &str, check: &mut Check) -> Option<SelectorDefinition> {
    let mut fields = Fields::of(node, format!("the definition of {what}"), check)?;
    let method = fields.required_text("method", check)?;
    let value = fields.required_text("value", check)?;
    let exclude = fields
        .take("exclude")
        .map(|node| list_of(node, what, check))
        .unwrap_or_default();
    let criterion = SelectorCriterion {
        children: fields.boolean("children", check).unwrap_or(false),
        children_depth: depth(&mut fields, "children_depth", check),
        parents: fields.boolean("parents", check).unwrap_or(false),
        parents_depth: depth(&mut fields, "parents_depth", check),
        childrens_parents: fields.boolean("childrens_parents", check).unwrap_or(false),
        indirect_selection: fields.text("indirect_selection", check),
        exclude,
        ..plain(method, value)
    };
    fields.rest_known(CRITERION, check);
    Some(SelectorDefinition::Criterion(Box::new(criterion)))
}

fn depth(fields: &mut Fields<'_>, key: &str, check: &mut Check) -> Option<u32> {
    let node = fields.take(key)?;
    let depth = scalar_text(node).and_then(|text| text.parse().ok());
    if depth.is_none() && !node.is_null() {
        let what = fields.what().to_owned();
        check.wrong_type(&what, key, node, "a whole number");
    }
    depth
}

fn malformed(node: &Node, what: &str) -> Diagnostic {
    let span = node
        .as_mapping()
        .and_then(|entries| entries.first())
        .map_or(node.span, |(key, _)| key.span);
    Diagnostic::error(
        SELECTOR_FORM,
        format!("the definition of {what} is not understood"),
    )
    .at(
        span,
        "expected text, `method:` with `value:`, `union:` or `intersection:`",
    )
    .hint("write for example `definition: {method: tag, value: nightly}`")
}
