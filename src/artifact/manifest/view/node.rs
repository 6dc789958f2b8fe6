//! Nodes of the manifest: what all have, then what their kind has.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::Overlay;

/// A model, seed, snapshot, test, analysis or operation.
#[derive(Clone, Debug, Serialize)]
pub struct Node<'a> {
    /// The database.
    pub database: Cow<'a, str>,
    /// The schema.
    pub schema: Cow<'a, str>,
    /// The name.
    pub name: &'a str,
    /// The kind, in dbt's words.
    pub resource_type: &'a str,
    /// The package.
    pub package_name: &'a str,
    /// The path without its resource folder.
    pub path: Cow<'a, str>,
    /// The path from the package's folder.
    pub original_file_path: &'a str,
    /// The unique id.
    pub unique_id: &'a str,
    /// Package, folders, name.
    pub fqn: &'a [String],
    /// The name of the relation.
    pub alias: &'a str,
    /// Of the file.
    pub checksum: Checksum<'a>,
    /// The whole config.
    pub config: Overlay<'a>,
    /// Tags.
    pub tags: Vec<&'a str>,
    /// The description, rendered.
    pub description: &'a str,
    /// Described columns.
    pub columns: IndexMap<&'a str, Column<'a>>,
    /// `meta`.
    pub meta: &'a Map<String, Json>,
    /// The group.
    pub group: Option<&'a str>,
    /// How docs show it.
    pub docs: Docs<'a>,
    /// `package://path` of the property file that describes it.
    pub patch_path: Option<String>,
    /// Where its SQL was written for running; never said.
    pub build_path: Option<&'a str>,
    /// What was configured.
    pub unrendered_config: &'a IndexMap<String, Json>,
    /// Seconds since 1970.
    pub created_at: f64,
    /// The relation, rendered.
    pub relation_name: Option<String>,
    /// The template.
    pub raw_code: Cow<'a, str>,
    /// Docs blocks that its description uses.
    pub doc_blocks: Vec<&'a str>,
    /// What its kind has.
    #[serde(flatten)]
    pub part: Part<'a>,
}

/// What only nodes of some kinds have.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Part<'a> {
    /// A seed.
    Seed(SeedPart<'a>),
    /// A model.
    Model(Box<ModelPart<'a>>),
    /// A generic test.
    Test(Box<TestPart<'a>>),
    /// A hook of the run.
    Hook(Box<HookPart<'a>>),
    /// Anything else that has SQL.
    Code(Box<Code<'a>>),
}

/// Of hooks of the run.
#[derive(Clone, Debug, Serialize)]
pub struct HookPart<'a> {
    /// Its SQL.
    #[serde(flatten)]
    pub code: Code<'a>,
    /// Its place among its package's hooks of that moment, from 0.
    pub index: usize,
}

/// Of seeds.
#[derive(Clone, Debug, Serialize)]
pub struct SeedPart<'a> {
    /// The package's folder.
    pub root_path: Cow<'a, str>,
    /// Macros alone.
    pub depends_on: MacroDependsOn<'a>,
}

/// Macros that something uses.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MacroDependsOn<'a> {
    /// Unique ids.
    pub macros: Vec<&'a str>,
}

/// Of what has SQL.
#[derive(Clone, Debug, Serialize)]
pub struct Code<'a> {
    /// `sql`.
    pub language: &'a str,
    /// Refs as written.
    pub refs: Vec<Ref<'a>>,
    /// Sources as written: source and table.
    pub sources: Vec<[&'a str; 2]>,
    /// Always empty.
    pub metrics: [(); 0],
    /// User-defined functions as called: the name, or package and name.
    pub functions: Vec<Vec<&'a str>>,
    /// What it needs.
    pub depends_on: DependsOn<'a>,
    /// Where its compiled SQL lies.
    pub compiled_path: Option<&'a str>,
    /// What compiling gave, where it was compiled.
    #[serde(flatten)]
    pub compiled: Option<Compiled<'a>>,
    /// The contract.
    pub contract: Contract,
}

/// Of a node that was compiled.
#[derive(Clone, Debug, Serialize)]
pub struct Compiled<'a> {
    /// Always true.
    pub compiled: bool,
    /// The SQL.
    pub compiled_code: &'a str,
    /// Always true.
    pub extra_ctes_injected: bool,
    /// Never told: the compiled SQL has them.
    pub extra_ctes: [(); 0],
}

/// Of models.
#[derive(Clone, Debug, Serialize)]
pub struct ModelPart<'a> {
    /// What has SQL.
    #[serde(flatten)]
    pub code: Code<'a>,
    /// `private`, `protected` or `public`.
    pub access: &'a str,
    /// Constraints of the model.
    pub constraints: Vec<Json>,
    /// The version.
    pub version: Option<&'a Json>,
    /// The latest version.
    pub latest_version: Option<&'a Json>,
    /// When it goes.
    pub deprecation_date: Option<&'a Json>,
    /// Columns that are told to be unique and never null.
    pub primary_key: Vec<&'a str>,
    /// `time_spine`, as written.
    pub time_spine: Option<&'a Json>,
}

/// Of generic tests.
#[derive(Clone, Debug, Serialize)]
pub struct TestPart<'a> {
    /// What has SQL.
    #[serde(flatten)]
    pub code: Code<'a>,
    /// The column.
    pub column_name: Option<&'a str>,
    /// Section and name in the property file, for example `models.orders`.
    pub file_key_name: String,
    /// The node that is tested; none for sources.
    pub attached_node: Option<&'a str>,
    /// What it asks.
    pub test_metadata: TestMetadata<'a>,
}

/// What a generic test asks.
#[derive(Clone, Debug, Serialize)]
pub struct TestMetadata<'a> {
    /// The test's name.
    pub name: &'a str,
    /// Its arguments.
    pub kwargs: IndexMap<&'a str, Cow<'a, Json>>,
    /// Its package as written.
    pub namespace: Option<&'a str>,
}

/// A checksum of a file.
#[derive(Clone, Debug, Serialize)]
pub struct Checksum<'a> {
    /// `sha256`, `path` or `none`.
    pub name: &'static str,
    /// Hex digits, the path, or nothing.
    pub checksum: Cow<'a, str>,
}

impl Checksum<'_> {
    /// Of what has no file of its own.
    pub const NONE: Checksum<'static> = Checksum {
        name: "none",
        checksum: Cow::Borrowed(""),
    };
}

/// A described column.
#[derive(Clone, Debug, Serialize)]
pub struct Column<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its description, rendered.
    pub description: &'a str,
    /// `meta`.
    pub meta: Cow<'a, Json>,
    /// Its declared type.
    pub data_type: Option<&'a str>,
    /// Its constraints.
    pub constraints: Vec<Json>,
    /// Whether it is quoted.
    pub quote: Option<bool>,
    /// `meta` and tags again.
    pub config: ColumnConfig<'a>,
    /// Its tags.
    pub tags: Vec<&'a str>,
    /// `granularity`.
    pub granularity: Option<&'a str>,
    /// Docs blocks that its description uses.
    pub doc_blocks: Vec<&'a str>,
    /// What else the project says of it.
    #[serde(flatten)]
    pub other: IndexMap<&'a str, &'a Json>,
}

/// `config` of a column.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnConfig<'a> {
    /// `meta`.
    pub meta: Cow<'a, Json>,
    /// Tags.
    pub tags: Vec<&'a str>,
}

/// How docs show a resource.
#[derive(Clone, Debug, Serialize)]
pub struct Docs<'a> {
    /// Whether they do.
    pub show: bool,
    /// A colour.
    pub node_color: Option<&'a str>,
}

/// A ref as written.
#[derive(Clone, Debug, Serialize)]
pub struct Ref<'a> {
    /// The name.
    pub name: &'a str,
    /// The package.
    pub package: Option<&'a str>,
    /// The version.
    pub version: Option<Json>,
}

/// What a node needs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DependsOn<'a> {
    /// Macros, by unique id.
    pub macros: Vec<&'a str>,
    /// Nodes, by unique id.
    pub nodes: Vec<&'a str>,
}

/// The contract of a model.
#[derive(Clone, Debug, Serialize)]
pub struct Contract {
    /// Whether it is enforced.
    pub enforced: bool,
    /// Whether Postgres' type names are turned into dbt's.
    pub alias_types: bool,
    /// A hash of the columns where it is enforced.
    pub checksum: Option<String>,
}
