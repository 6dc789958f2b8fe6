//! `versions:` of a model: what each version changes of the model's own properties.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::Spanned;

use super::data_tests::declarations;
use super::declarations::{ColumnProperties, TestDeclaration};
use super::keys;
use super::properties::{Context, column, config, rest};
use super::yaml::{Check, Fields, Node, Yaml};

/// One version of a model.
#[derive(Clone, Debug)]
pub struct VersionProperties {
    /// `v`, as text.
    pub v: Spanned<String>,
    /// `defined_in`: the file's name without extension, where it is not `<model>_v<v>`.
    pub defined_in: Option<String>,
    /// `description`; without it the model's.
    pub description: Option<String>,
    /// `config:`, over the model's.
    pub config: IndexMap<String, Spanned<Json>>,
    /// `columns:`.
    pub columns: VersionColumns,
    /// Tests of the version; without the key the model's.
    pub tests: Option<Vec<TestDeclaration>>,
    /// Every other key, as written.
    pub other: IndexMap<String, Json>,
}

/// Which of the model's columns a version has, and those of its own.
#[derive(Clone, Debug, Default)]
pub struct VersionColumns {
    /// `include`: names; `None` means all.
    pub include: Option<Vec<String>>,
    /// `exclude`: names.
    pub exclude: Vec<String>,
    /// Columns of this version, new ones or instead of the model's.
    pub own: Vec<ColumnProperties>,
}

/// Reads `versions:`, without taking it from the fields.
pub(crate) fn read(
    fields: &Fields<'_>,
    context: &Context<'_>,
    check: &mut Check,
) -> Vec<VersionProperties> {
    let Some(node) = fields.peek("versions") else {
        return Vec::new();
    };
    let Yaml::Sequence(items) = &node.value else {
        if !node.is_null() {
            check.wrong_type(fields.what(), "versions", node, "a list, each with `v:`");
        }
        return Vec::new();
    };
    let mut versions = Vec::new();
    for item in items {
        versions.extend(version(item, fields.what(), context, check));
    }
    versions
}

fn version(
    node: &Node,
    model: &str,
    context: &Context<'_>,
    check: &mut Check,
) -> Option<VersionProperties> {
    let mut fields = Fields::of(node, format!("a version of {model}"), check)?;
    let v = fields.required_text("v", check)?;
    fields.rename(format!("version {} of {model}", v.value));
    let defined_in = fields.text("defined_in", check).map(|t| t.value);
    let description = fields.text("description", check).map(|t| t.value);
    let config = config(&mut fields, keys::config_of_tree("models"), context, check);
    let has_tests = fields.peek("data_tests").or(fields.peek("tests")).is_some();
    let tests = declarations(&mut fields, context, check);
    let columns = columns(&mut fields, context, check);
    let other = rest(&mut fields, keys::VERSION, context, check);
    Some(VersionProperties {
        v,
        defined_in,
        description,
        config,
        columns,
        tests: has_tests.then_some(tests),
        other,
    })
}

fn columns(fields: &mut Fields<'_>, context: &Context<'_>, check: &mut Check) -> VersionColumns {
    let owner = fields.what().to_owned();
    let mut columns = VersionColumns::default();
    for item in fields.list("columns", check) {
        if item.get("include").is_none() && item.get("exclude").is_none() {
            columns.own.extend(column(item, &owner, context, check));
            continue;
        }
        let Some(mut entry) = Fields::of(item, format!("`columns` of {owner}"), check) else {
            continue;
        };
        let include = names(entry.texts("include", check));
        let all = include.iter().any(|name| name == "all" || name == "*");
        if !all && item.get("include").is_some() {
            columns.include = Some(include);
        }
        columns.exclude = names(entry.texts("exclude", check));
        entry.rest_known(&["include", "exclude"], check);
    }
    columns
}

fn names(texts: Option<Vec<Spanned<String>>>) -> Vec<String> {
    texts
        .unwrap_or_default()
        .into_iter()
        .map(|t| t.value)
        .collect()
}
