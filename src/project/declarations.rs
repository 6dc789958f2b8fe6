//! What a project declares, with places: the output of reading, the input of the graph.
//!
//! Nothing here is resolved: a property file's entry and the SQL file it describes meet in
//! the graph. Every path is relative to its package's root and uses `/`.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::node_values::Publish;
use crate::diag::{FileId, SourceMap, Span, Spanned};

/// Configuration by key, as it was written (keys without `+`).
pub type ConfigMap = IndexMap<String, Json>;

/// Everything that was read: the root project, its packages, the chosen target.
#[derive(Debug)]
pub struct Project {
    /// The root project's folder, absolute.
    pub root: PathBuf,
    /// All packages, the root project first.
    pub packages: Vec<Package>,
    /// `selectors.yml`, in order.
    pub selectors: Vec<super::Selector>,
    /// The chosen profile and target.
    pub target: Target,
    /// Every file that was read.
    pub sources: SourceMap,
}

impl Project {
    /// The root project.
    pub fn root_package(&self) -> &Package {
        &self.packages[0]
    }
}

/// One package: the root project or an installed one.
#[derive(Debug)]
pub struct Package {
    /// Its name in `project.yml`.
    pub name: String,
    /// Its folder, absolute.
    pub root: PathBuf,
    /// Its project file.
    pub file: ProjectFile,
    /// SQL models.
    pub models: Vec<CodeFile>,
    /// Seeds; the text is not read here.
    pub seeds: Vec<SeedFile>,
    /// Files of snapshot blocks.
    pub snapshots: Vec<CodeFile>,
    /// Analyses.
    pub analyses: Vec<CodeFile>,
    /// User-defined functions.
    pub functions: Vec<CodeFile>,
    /// Singular tests (SQL files under `test-paths`, outside `generic/`).
    pub singular_tests: Vec<CodeFile>,
    /// Files of macros: `macro-paths`, and `generic/` under `test-paths`.
    pub macros: Vec<CodeFile>,
    /// Files under `fixtures/` of `test-paths`, which unit tests name: CSV and SQL.
    pub fixtures: Vec<CodeFile>,
    /// Markdown files with docs blocks.
    pub docs: Vec<CodeFile>,
    /// What its property files say.
    pub properties: Properties,
}

/// A text file of a package.
#[derive(Clone, Debug)]
pub struct CodeFile {
    /// The file name without its extension.
    pub name: String,
    /// Relative to the package, for example `models/gold/mart_revenue.sql`.
    pub path: String,
    /// The resource folder it lies under, for example `models`; `path` begins with it.
    pub base: String,
    /// The text, in the source map.
    pub file: FileId,
}

/// A CSV file of a package.
#[derive(Clone, Debug)]
pub struct SeedFile {
    /// The file name without its extension.
    pub name: String,
    /// Relative to the package.
    pub path: String,
    /// The resource folder it lies under.
    pub base: String,
    /// Absolute path.
    pub absolute: PathBuf,
}

/// `project.yml` or `dbt_project.yml`, checked.
#[derive(Clone, Debug)]
pub struct ProjectFile {
    /// The file.
    pub file: FileId,
    /// Whether it is our own `project.yml` (different defaults: `publish: together`).
    pub is_marts: bool,
    /// `name`.
    pub name: Spanned<String>,
    /// `version`, as text.
    pub version: Option<String>,
    /// `profile`.
    pub profile: Option<Spanned<String>>,
    /// Folders, by kind; defaults filled in.
    pub paths: ResourcePaths,
    /// `target-path`, default `target`.
    pub target_path: String,
    /// `clean-targets`, default the target path.
    pub clean_targets: Vec<String>,
    /// `models:`, `seeds:`, `snapshots:`, `data_tests:`/`tests:`, `sources:`, ... trees.
    pub configs: ConfigTrees,
    /// `vars:` as written: globals, and maps under package names.
    pub vars: IndexMap<String, Json>,
    /// `quoting:`.
    pub quoting: IndexMap<String, bool>,
    /// `dispatch:`: namespace to search order.
    pub dispatch: IndexMap<String, Vec<String>>,
    /// `on-run-start`, each with its place.
    pub on_run_start: Vec<Spanned<String>>,
    /// `on-run-end`, each with its place.
    pub on_run_end: Vec<Spanned<String>>,
    /// `query-comment`, as written.
    pub query_comment: Option<Json>,
    /// `publish:`, when nodes become visible unless their own config says otherwise.
    pub publish: Option<Publish>,
    /// `ledger`: whether runs are written into it; default true in our own file, else false.
    pub ledger: bool,
    /// `sensitive_columns`: patterns of column names whose values no report shows.
    pub sensitive_columns: Vec<Spanned<String>>,
    /// `flags:`.
    pub flags: IndexMap<String, Json>,
    /// `restrict-access`, `require-dbt-version` and other keys kept for artifacts.
    pub other: IndexMap<String, Json>,
}

/// Folders relative to the package.
#[derive(Clone, Debug)]
pub struct ResourcePaths {
    /// `model-paths`.
    pub models: Vec<String>,
    /// `seed-paths`.
    pub seeds: Vec<String>,
    /// `test-paths`.
    pub tests: Vec<String>,
    /// `snapshot-paths`.
    pub snapshots: Vec<String>,
    /// `analysis-paths`.
    pub analyses: Vec<String>,
    /// `macro-paths`.
    pub macros: Vec<String>,
    /// `function-paths`.
    pub functions: Vec<String>,
    /// `docs-paths`; empty means all of the above.
    pub docs: Vec<String>,
}

/// A folder-shaped tree of configuration for each kind of resource.
#[derive(Clone, Debug, Default)]
pub struct ConfigTrees {
    /// `models:`.
    pub models: ConfigTree,
    /// `seeds:`.
    pub seeds: ConfigTree,
    /// `snapshots:`.
    pub snapshots: ConfigTree,
    /// `data_tests:` and `tests:`.
    pub tests: ConfigTree,
    /// `sources:`.
    pub sources: ConfigTree,
    /// `unit_tests:`.
    pub unit_tests: ConfigTree,
    /// `functions:`.
    pub functions: ConfigTree,
    /// `exposures:`, `metrics:` and the like, which are only kept.
    pub other: IndexMap<String, Json>,
}

/// Config at a level of the tree (package, then folders, then file name) and below.
#[derive(Clone, Debug, Default)]
pub struct ConfigTree {
    /// Keys that apply here and below, with their places. `+key` or a known config key.
    pub config: IndexMap<String, Spanned<Json>>,
    /// The values that are rendered, as they were written.
    pub written: IndexMap<String, Json>,
    /// Levels below, by folder or resource name, with the place of the name.
    pub children: IndexMap<String, (Span, ConfigTree)>,
}

/// What all property files of a package say.
#[derive(Debug, Default)]
pub struct Properties {
    /// `models:`.
    pub models: Vec<ResourceProperties>,
    /// `seeds:`.
    pub seeds: Vec<ResourceProperties>,
    /// `snapshots:`.
    pub snapshots: Vec<ResourceProperties>,
    /// `analyses:`.
    pub analyses: Vec<ResourceProperties>,
    /// `macros:`.
    pub macros: Vec<ResourceProperties>,
    /// `functions:`.
    pub functions: Vec<ResourceProperties>,
    /// `data_tests:` at the top level, which describe singular tests.
    pub singular_tests: Vec<ResourceProperties>,
    /// Tables of `sources:`.
    pub sources: Vec<SourceTable>,
    /// `unit_tests:`.
    pub unit_tests: Vec<super::UnitTestProperties>,
    /// `exposures:`, `groups:`, `metrics:`, ... as written, with key and place.
    pub other: Vec<(String, Spanned<Json>, String)>,
}

/// An entry for a model, seed, snapshot, analysis or macro.
#[derive(Clone, Debug)]
pub struct ResourceProperties {
    /// The property file, relative to the package.
    pub path: String,
    /// The resource it describes.
    pub name: Spanned<String>,
    /// `description`, as written (may hold `{{ doc() }}`).
    pub description: String,
    /// `config:`.
    pub config: IndexMap<String, Spanned<Json>>,
    /// `columns:`.
    pub columns: Vec<ColumnProperties>,
    /// `data_tests:`/`tests:` of the resource itself.
    pub tests: Vec<TestDeclaration>,
    /// `versions:` of a model, typed; an entry that has some is replaced by one for each.
    pub versions: Vec<super::VersionProperties>,
    /// The version that the entry is about.
    pub version: Option<super::ModelVersion>,
    /// Every other key, as written (`meta`, `docs`, `access`, `versions`, `constraints`, `relation`, ...).
    pub other: IndexMap<String, Json>,
}

/// An entry of `columns:`.
#[derive(Clone, Debug)]
pub struct ColumnProperties {
    /// The column.
    pub name: Spanned<String>,
    /// `description`.
    pub description: String,
    /// `data_type`.
    pub data_type: Option<String>,
    /// `quote`.
    pub quote: Option<bool>,
    /// `data_tests:`/`tests:`.
    pub tests: Vec<TestDeclaration>,
    /// Every other key (`meta`, `tags`, `constraints`, `config`, ...).
    pub other: IndexMap<String, Json>,
}

/// A generic test as it was declared on a resource or column.
#[derive(Clone, Debug)]
pub struct TestDeclaration {
    /// The test's macro as written, for example `unique` or `dbt_utils.accepted_range`.
    pub test: Spanned<String>,
    /// Its arguments (from `arguments:` or beside it), without `model` and `column_name`.
    pub arguments: IndexMap<String, Json>,
    /// Its config, rendered as far as it calls no macro: `severity`, `where`, `limit`, `warn_if`, `error_if`, ... from `config:` or beside it.
    pub config: ConfigMap,
    /// Where each key of the config is given its value.
    pub config_places: IndexMap<String, Span>,
    /// `name:`, a name of its own.
    pub name: Option<String>,
    /// `description:`.
    pub description: String,
}

/// A table of a source.
#[derive(Clone, Debug)]
pub struct SourceTable {
    /// The property file, relative to the package.
    pub path: String,
    /// The source's name.
    pub source: Spanned<String>,
    /// The table's name.
    pub table: Spanned<String>,
    /// The source's description.
    pub source_description: String,
    /// The table's description.
    pub description: String,
    /// `database`, rendered; `None` means the target's.
    pub database: Option<String>,
    /// `schema`, rendered; default the source's name.
    pub schema: String,
    /// `identifier`, default the table's name.
    pub identifier: String,
    /// `quoting` of source and table merged.
    pub quoting: IndexMap<String, bool>,
    /// `config` of source and table merged (`enabled`, `meta`, `freshness`, `loaded_at_field`, ...).
    pub config: IndexMap<String, Spanned<Json>>,
    /// `loaded_at_field`, table's or source's.
    pub loaded_at_field: Option<String>,
    /// `freshness`, table's or source's, as written.
    pub freshness: Option<Json>,
    /// `columns:`.
    pub columns: Vec<ColumnProperties>,
    /// Tests of the table.
    pub tests: Vec<TestDeclaration>,
    /// Every other key of the table (`meta`, `tags`, `external`, `loader`, ...), merged with the source's.
    pub other: IndexMap<String, Json>,
}

/// The chosen profile and target.
#[derive(Clone, Debug)]
pub struct Target {
    /// The profile's name.
    pub profile: String,
    /// The target's name.
    pub name: String,
    /// `schema`.
    pub schema: String,
    /// `threads`, default 4 (dbt: 1).
    pub threads: usize,
    /// All keys of the output, rendered; secrets included, so never print it.
    pub output: serde_json::Map<String, Json>,
}
