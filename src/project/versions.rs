//! `versions:` of a model: what each version changes of the model's own properties.

use std::cmp::Ordering;
use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::codes::MODEL_VERSIONS;
use crate::diag::{Diagnostic, Spanned};

use super::data_tests::declarations;
use super::declarations::{ColumnProperties, Package, ResourceProperties, TestDeclaration};
use super::keys;
use super::properties::{Context, column, config, rest};
use super::yaml::{Check, Fields, Node, Yaml};

/// Which version of a model a node is.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVersion {
    /// `v`, a number or text.
    pub v: Json,
    /// The model's `latest_version`, or the greatest `v`.
    pub latest: Json,
    /// The name, without extension, of the file that has it.
    pub file: String,
}

impl ModelVersion {
    /// `v` as text, for example `2`.
    pub fn text(&self) -> String {
        text(&self.v)
    }

    /// Whether a `ref` that names no version means it.
    pub fn is_latest(&self) -> bool {
        self.text() == text(&self.latest)
    }

    /// How it compares with the latest one.
    pub fn against_latest(&self) -> Ordering {
        compare(&self.text(), &text(&self.latest))
    }
}

/// Versions compare as numbers where both are, else as text.
fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    }
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Puts one entry for each version in the place of an entry that has versions.
pub(crate) fn expand(package: &mut Package, check: &mut Check) {
    let entries = std::mem::take(&mut package.properties.models);
    let files: HashSet<&str> = package.models.iter().map(|f| f.name.as_str()).collect();
    for entry in entries {
        if entry.versions.is_empty() {
            package.properties.models.push(entry);
            continue;
        }
        let Some(latest) = latest(&entry, check) else {
            continue;
        };
        for version in &entry.versions {
            let one = one_version(&entry, version, &latest, &files);
            package.properties.models.push(one);
        }
    }
}

/// The version that is the latest; what is wrong with the versions is told.
fn latest(entry: &ResourceProperties, check: &mut Check) -> Option<Json> {
    let name = &entry.name.value;
    for (at, version) in entry.versions.iter().enumerate() {
        let v = &version.v;
        let before = entry.versions[..at].iter().find(|b| b.v.value == v.value);
        if let Some(first) = before {
            let message = format!("model `{name}` has version {} twice", v.value);
            check.push(
                Diagnostic::error(MODEL_VERSIONS, message)
                    .at(v.span, "")
                    .at(first.v.span, "the first one")
                    .hint("give one of them another `v:`"),
            );
            return None;
        }
    }
    let written = entry.other.get("latest_version").filter(|v| !v.is_null());
    let Some(written) = written else {
        let greatest = entry
            .versions
            .iter()
            .max_by(|a, b| compare(&a.v.value, &b.v.value));
        return greatest.map(|version| version.value.clone());
    };
    let found = entry.versions.iter().find(|v| v.v.value == text(written));
    if found.is_none() {
        let known: Vec<&str> = entry.versions.iter().map(|v| v.v.value.as_str()).collect();
        let message = format!(
            "latest_version of model `{name}` is {}, which is none of its versions",
            text(written)
        );
        check.push(
            Diagnostic::error(MODEL_VERSIONS, message)
                .at(
                    entry.name.span,
                    format!("has the versions {}", known.join(", ")),
                )
                .hint("name one of these, or add the version"),
        );
    }
    found.map(|version| version.value.clone())
}

/// The model's entry as one of its versions changes it.
fn one_version(
    entry: &ResourceProperties,
    version: &VersionProperties,
    latest: &Json,
    files: &HashSet<&str>,
) -> ResourceProperties {
    let name = &entry.name.value;
    let suffixed = format!("{name}_v{}", version.v.value);
    let is_latest = version.value == *latest;
    let file = match &version.defined_in {
        Some(file) => file.clone(),
        // The latest one may live in a file without a suffix.
        None if is_latest && !files.contains(suffixed.as_str()) => name.clone(),
        None => suffixed,
    };
    let mut other = entry.other.clone();
    for key in ["versions", "latest_version", "deprecation_date"] {
        other.shift_remove(key);
    }
    other.extend(version.other.iter().map(|(k, v)| (k.clone(), v.clone())));
    let mut config = entry.config.clone();
    for (key, value) in &version.config {
        match config.get_mut(key) {
            Some(base) => merge(&mut base.value, &value.value),
            None => {
                config.insert(key.clone(), value.clone());
            }
        }
    }
    let description = version.description.clone().filter(|d| !d.is_empty());
    ResourceProperties {
        description: description.unwrap_or_else(|| entry.description.clone()),
        config,
        columns: version.columns.of(&entry.columns),
        tests: version.tests.clone().unwrap_or_else(|| entry.tests.clone()),
        versions: Vec::new(),
        version: Some(ModelVersion {
            v: version.value.clone(),
            latest: latest.clone(),
            file,
        }),
        other,
        ..entry.clone()
    }
}

/// Mappings merge deeply; everything else is replaced.
fn merge(base: &mut Json, over: &Json) {
    match (base, over) {
        (Json::Object(base), Json::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(key) {
                    Some(below) => merge(below, value),
                    None => {
                        base.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

impl VersionColumns {
    /// The columns of a version of a model that has the columns `base`.
    fn of(&self, base: &[ColumnProperties]) -> Vec<ColumnProperties> {
        let has = |name: &String| {
            self.include.as_ref().is_none_or(|list| list.contains(name))
                && !self.exclude.contains(name)
        };
        let is_own = |name: &String| self.own.iter().any(|own| own.name.value == *name);
        let kept = base
            .iter()
            .filter(|c| has(&c.name.value) && !is_own(&c.name.value));
        kept.chain(&self.own).cloned().collect()
    }
}

/// One version of a model.
#[derive(Clone, Debug)]
pub struct VersionProperties {
    /// `v`, as text.
    pub v: Spanned<String>,
    /// The same as a number where it was written as one.
    pub value: Json,
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
    let value = node.get("v").map_or(Json::Null, Node::to_json);
    fields.rename(format!("version {} of {model}", v.value));
    let defined_in = fields.text("defined_in", check).map(|t| t.value);
    let description = fields.text("description", check);
    let description = description.map(|text| context.renderer.description(Some(text)));
    let config = config(&mut fields, keys::config_of_tree("models"), context, check);
    let has_tests = fields.peek("data_tests").or(fields.peek("tests")).is_some();
    let tests = declarations(&mut fields, context, check);
    let columns = columns(&mut fields, context, check);
    let other = rest(&mut fields, keys::VERSION, context, check);
    Some(VersionProperties {
        v,
        value,
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
