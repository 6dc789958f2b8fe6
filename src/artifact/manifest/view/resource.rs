//! Resources of the manifest that are no nodes: sources, macros, docs, exposures, groups.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::Overlay;
use super::node::{Column, DependsOn, Docs, MacroDependsOn, Ref};

/// A table of a source.
#[derive(Clone, Debug, Serialize)]
pub struct Source<'a> {
    /// The database.
    pub database: &'a str,
    /// The schema.
    pub schema: &'a str,
    /// The table's name in the project.
    pub name: &'a str,
    /// `source`.
    pub resource_type: &'a str,
    /// The package.
    pub package_name: &'a str,
    /// The property file.
    pub path: &'a str,
    /// The property file.
    pub original_file_path: &'a str,
    /// The unique id.
    pub unique_id: &'a str,
    /// Package, folders, source, table.
    pub fqn: &'a [String],
    /// The source.
    pub source_name: &'a str,
    /// The source's description.
    pub source_description: &'a str,
    /// Who loads it.
    pub loader: &'a str,
    /// The table's name in the database.
    pub identifier: &'a str,
    /// What is quoted.
    pub quoting: SourceQuoting,
    /// The column that says when a row came.
    pub loaded_at_field: Option<&'a str>,
    /// A query that says so.
    pub loaded_at_query: Option<&'a str>,
    /// Freshness rules.
    pub freshness: Option<Json>,
    /// `external`, as written.
    pub external: Option<&'a Json>,
    /// The description, rendered.
    pub description: &'a str,
    /// Described columns.
    pub columns: IndexMap<&'a str, Column<'a>>,
    /// `meta`.
    pub meta: Map<String, Json>,
    /// The source's `meta`.
    pub source_meta: Map<String, Json>,
    /// Tags.
    pub tags: Vec<&'a str>,
    /// The whole config.
    pub config: Overlay<'a>,
    /// Never said.
    pub patch_path: Option<&'a str>,
    /// What was configured.
    pub unrendered_config: IndexMap<String, Json>,
    /// The relation, rendered.
    pub relation_name: Option<String>,
    /// Seconds since 1970.
    pub created_at: f64,
    /// The source's `database` as written.
    pub unrendered_database: Option<&'a str>,
    /// The source's `schema` as written.
    pub unrendered_schema: Option<&'a str>,
    /// Docs blocks that its description uses.
    pub doc_blocks: Vec<&'a str>,
}

/// What is quoted, where that was said.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct SourceQuoting {
    /// The database.
    pub database: Option<bool>,
    /// The schema.
    pub schema: Option<bool>,
    /// The identifier.
    pub identifier: Option<bool>,
    /// Columns.
    pub column: Option<bool>,
}

/// A macro.
#[derive(Clone, Debug, Serialize)]
pub struct Macro<'a> {
    /// Its name.
    pub name: &'a str,
    /// `macro`.
    pub resource_type: &'a str,
    /// The package.
    pub package_name: &'a str,
    /// Its file.
    pub path: Cow<'a, str>,
    /// Its file.
    pub original_file_path: Cow<'a, str>,
    /// The unique id.
    pub unique_id: &'a str,
    /// The whole block.
    pub macro_sql: &'a str,
    /// Macros that it calls.
    pub depends_on: MacroDependsOn<'a>,
    /// The description.
    pub description: &'a str,
    /// `meta`.
    pub meta: Map<String, Json>,
    /// How docs show it.
    pub docs: Docs<'a>,
    /// `package://path` of the property file that describes it.
    pub patch_path: Option<String>,
    /// Arguments as described.
    pub arguments: Vec<Json>,
    /// Seconds since 1970.
    pub created_at: f64,
    /// `meta` and how docs show it, again.
    pub config: Json,
    /// Languages of a materialization.
    pub supported_languages: Option<Vec<&'a str>>,
}

/// A docs block.
#[derive(Clone, Debug, Serialize)]
pub struct Documentation<'a> {
    /// Its name.
    pub name: &'a str,
    /// `doc`.
    pub resource_type: &'a str,
    /// The package.
    pub package_name: &'a str,
    /// Its file.
    pub path: &'a str,
    /// Its file.
    pub original_file_path: &'a str,
    /// The unique id.
    pub unique_id: String,
    /// The text.
    pub block_contents: &'a str,
}

/// An exposure.
#[derive(Clone, Debug, Serialize)]
pub struct Exposure<'a> {
    /// Its name.
    pub name: &'a str,
    /// `exposure`.
    pub resource_type: &'a str,
    /// The package.
    pub package_name: &'a str,
    /// The property file.
    pub path: &'a str,
    /// The property file.
    pub original_file_path: &'a str,
    /// The unique id.
    pub unique_id: &'a str,
    /// Package, folders, name.
    pub fqn: &'a [String],
    /// `dashboard`, `notebook`, `analysis`, `ml` or `application`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// `name` and `email`.
    pub owner: Json,
    /// The description.
    pub description: &'a str,
    /// The label.
    pub label: Option<&'a str>,
    /// `low`, `medium` or `high`.
    pub maturity: Option<&'a str>,
    /// `meta`.
    pub meta: &'a Map<String, Json>,
    /// Tags.
    pub tags: Vec<&'a str>,
    /// `enabled`, tags and meta.
    pub config: Json,
    /// Empty.
    pub unrendered_config: Map<String, Json>,
    /// Where it is.
    pub url: Option<&'a str>,
    /// What it needs.
    pub depends_on: DependsOn<'a>,
    /// Refs as written.
    pub refs: Vec<Ref<'a>>,
    /// Sources as written.
    pub sources: Vec<[&'a str; 2]>,
    /// Always empty.
    pub metrics: Vec<[&'a str; 1]>,
    /// Seconds since 1970.
    pub created_at: f64,
}

/// A group.
#[derive(Clone, Debug, Serialize)]
pub struct Group<'a> {
    /// Its name.
    pub name: String,
    /// `group`.
    pub resource_type: &'a str,
    /// The package.
    pub package_name: &'a str,
    /// The property file.
    pub path: &'a str,
    /// The property file.
    pub original_file_path: &'a str,
    /// The unique id.
    pub unique_id: String,
    /// `name`, `email` and whatever else.
    pub owner: Json,
    /// The description.
    pub description: Option<String>,
    /// `meta`.
    pub config: Json,
}
