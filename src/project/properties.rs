//! Property files: what YAML beside the models says of models, sources, seeds and the rest.
//!
//! Jinja is rendered where dbt renders it: everywhere but in tests and hooks, and without `doc` in descriptions.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::codes::UNKNOWN_KEY;
use crate::diag::{Diagnostic, Spanned, nearest};

use super::config::canonical;
use super::data_tests::{self, declarations};
use super::declarations::{ColumnProperties, Properties, ResourceProperties};
use super::keys;
use super::render::Renderer;
use super::sources;
use super::versions;
use super::yaml::{Check, Document, Fields, Node, unknown_key};

/// What the readers of one property file share.
pub(crate) struct Context<'a> {
    /// The file, relative to the package.
    pub(crate) path: &'a str,
    /// Renders values.
    pub(crate) renderer: &'a Renderer,
}

/// Adds what a property file says to `properties`.
pub(crate) fn read(
    document: &Document,
    context: &Context<'_>,
    properties: &mut Properties,
    check: &mut Check,
) {
    let Some(mut fields) = Fields::of(&document.root, "the property file", check) else {
        return;
    };
    let kinds: [(&str, &str, &[&str], &mut Vec<ResourceProperties>); 6] = [
        ("models", "model", keys::MODEL, &mut properties.models),
        ("seeds", "seed", keys::SEED, &mut properties.seeds),
        (
            "snapshots",
            "snapshot",
            keys::SNAPSHOT,
            &mut properties.snapshots,
        ),
        (
            "analyses",
            "analysis",
            keys::ANALYSIS,
            &mut properties.analyses,
        ),
        ("macros", "macro", keys::MACRO, &mut properties.macros),
        (
            "functions",
            "function",
            keys::FUNCTION,
            &mut properties.functions,
        ),
    ];
    for (key, kind, known, into) in kinds {
        for item in fields.list(key, check) {
            into.extend(resource(item, &Kind { key, kind, known }, context, check));
        }
    }
    for key in ["data_tests", "tests"] {
        let kind = Kind {
            key,
            kind: "singular test",
            known: keys::SINGULAR_TEST,
        };
        for item in fields.list(key, check) {
            if key == "tests" && item.get("name").is_none() {
                check.push(test_of_nothing(item));
                continue;
            }
            properties
                .singular_tests
                .extend(resource(item, &kind, context, check));
        }
    }
    for item in fields.list("sources", check) {
        sources::read(item, context, &mut properties.sources, check);
    }
    for item in fields.list("unit_tests", check) {
        let read = super::unit_tests::read(item, context, check);
        properties.unit_tests.extend(read);
    }
    fields.take("version");
    keep_others(&mut fields, context, properties, check);
}

/// dbt passes over `tests:` beside `models:`, so there are projects that have such.
fn test_of_nothing(item: &Node) -> Diagnostic {
    let message = "a test stands beside the models and belongs to none of them: it does not run";
    Diagnostic::warning(UNKNOWN_KEY, message)
        .at(item.span, "")
        .hint("indent `tests:` to the keys of the model that it is for")
}

fn keep_others(
    fields: &mut Fields<'_>,
    context: &Context<'_>,
    properties: &mut Properties,
    check: &mut Check,
) {
    for (key, node) in fields.rest() {
        if !keys::PROPERTY_FILE.contains(&key.value.as_str()) {
            unknown_key("the property file", key, keys::PROPERTY_FILE, check);
            continue;
        }
        let items = match &node.value {
            super::yaml::Yaml::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for item in items {
            properties.other.push((
                key.value.clone(),
                Spanned {
                    value: item.to_json(),
                    span: item.span,
                },
                context.path.to_owned(),
            ));
        }
    }
}

/// How a section's entries are called and which keys they know.
struct Kind<'a> {
    key: &'a str,
    kind: &'a str,
    known: &'a [&'a str],
}

fn resource(
    node: &Node,
    kind: &Kind<'_>,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<ResourceProperties> {
    let mut fields = Fields::of(node, format!("an entry of `{}`", kind.key), check)?;
    let name = fields.required_text("name", check)?;
    fields.rename(format!("{} `{}`", kind.kind, name.value));
    let description = context
        .renderer
        .description(fields.text("description", check));
    let config = config(&mut fields, config_keys(kind.key), context, check);
    let columns = columns(&mut fields, context, check);
    let tests = declarations(&mut fields, context, check);
    let versions = versions::read(&fields, context, check);
    let other = rest(&mut fields, kind.known, context, check);
    Some(ResourceProperties {
        path: context.path.to_owned(),
        name,
        description,
        config,
        columns,
        tests,
        versions,
        version: None,
        other,
    })
}

fn config_keys(section: &str) -> Vec<&'static str> {
    keys::config_of_tree(section)
}

/// `config:` of a resource; hooks stay as written.
pub(crate) fn config(
    fields: &mut Fields<'_>,
    known: Vec<&'static str>,
    context: &Context<'_>,
    check: &mut Check,
) -> IndexMap<String, Spanned<Json>> {
    let what = fields.what().to_owned();
    let mut config = IndexMap::new();
    for (key, node) in fields.mapping("config", check).into_iter().flatten() {
        let name = key.value.trim_start_matches('+');
        if !known.contains(&name)
            && let Some(near) = nearest(name, known.iter().copied())
        {
            check.push(
                Diagnostic::warning(
                    UNKNOWN_KEY,
                    format!("`{name}` of {what} is not a config that marts knows"),
                )
                .at(key.span, "")
                .hint(format!("did you mean `{near}`?")),
            );
        }
        let value = context.renderer.value(name, node, check);
        let span = if node.span.end > node.span.start {
            node.span
        } else {
            key.span
        };
        config.insert(canonical(name).to_owned(), Spanned { value, span });
    }
    config
}

/// `columns:` of a resource or source table.
pub(crate) fn columns(
    fields: &mut Fields<'_>,
    context: &Context<'_>,
    check: &mut Check,
) -> Vec<ColumnProperties> {
    let owner = fields.what().to_owned();
    let mut columns: Vec<ColumnProperties> = Vec::new();
    for item in fields.list("columns", check) {
        columns.extend(column(item, &owner, context, check));
    }
    columns
}

pub(crate) fn column(
    node: &Node,
    owner: &str,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<ColumnProperties> {
    let mut fields = Fields::of(node, format!("a column of {owner}"), check)?;
    let name = fields.required_text("name", check)?;
    fields.rename(format!("column `{}` of {owner}", name.value));
    let description = context
        .renderer
        .description(fields.text("description", check));
    let data_type = fields
        .text("data_type", check)
        .and_then(|text| context.renderer.text(text, check));
    let quote = fields.boolean("quote", check);
    let tests = data_tests::declarations(&mut fields, context, check);
    let other = rest(&mut fields, keys::COLUMN, context, check);
    Some(ColumnProperties {
        name,
        description,
        data_type,
        quote,
        tests,
        other,
    })
}

/// Keys that are kept as they are written.
const LATE: &[&str] = &[
    "versions",
    "arguments",
    "semantic_model",
    "metrics",
    "derived_semantics",
];

/// Every other key, rendered, with a word on those that are not known.
pub(crate) fn rest(
    fields: &mut Fields<'_>,
    known: &[&str],
    context: &Context<'_>,
    check: &mut Check,
) -> IndexMap<String, Json> {
    let what = fields.what().to_owned();
    let mut kept = IndexMap::new();
    for (key, node) in fields.rest() {
        if !known.contains(&key.value.as_str()) {
            misplaced_or_unknown(&what, key, known, check);
        }
        // These hold descriptions, tests and filters, whose Jinja is for later.
        let value = if LATE.contains(&key.value.as_str()) {
            node.to_json()
        } else {
            context.renderer.value(&key.value, node, check)
        };
        kept.insert(key.value.clone(), value);
    }
    kept
}

/// A config key written beside `config:` is the commonest mistake of all.
fn misplaced_or_unknown(what: &str, key: &Spanned<String>, known: &[&str], check: &mut Check) {
    let name = key.value.trim_start_matches('+');
    let is_config = keys::CONFIG_COMMON.contains(&name)
        || keys::CONFIG_MODEL.contains(&name)
        || keys::CONFIG_SNAPSHOT.contains(&name);
    let near_known = nearest(name, known.iter().copied()).is_some();
    if is_config && !near_known && known.contains(&"config") {
        let diagnostic = check
            .lint(
                UNKNOWN_KEY,
                format!("`{name}` of {what} is a config, but stands outside `config:`"),
            )
            .at(key.span, "")
            .hint("indent it under `config:`, else it has no effect");
        check.push(diagnostic);
    } else {
        unknown_key(what, key, known, check);
    }
}
