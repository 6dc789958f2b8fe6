//! A node of the graph: one resource with everything about it resolved.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::{FileId, Span};
use crate::jinja::{FunctionCall, RefCall, SourceCall};
use crate::names::{NodeId, Relation};
use crate::project::{ModelVersion, NodeConfig};

/// The index of a node in its [`super::Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIx(pub(super) u32);

impl NodeIx {
    /// As an index into [`super::Graph::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node is, in dbt's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A `select` that becomes a relation.
    Model,
    /// A CSV file that becomes a table.
    Seed,
    /// A history table kept by comparing a query with what was.
    Snapshot,
    /// A generic or singular data test.
    Test,
    /// Rows that a model is given, and the rows that it should make of them.
    UnitTest,
    /// A table that others fill.
    Source,
    /// SQL that is only compiled.
    Analysis,
    /// A hook of the whole run.
    Operation,
    /// A user-defined function.
    Function,
    /// Something outside that reads the project's relations, for example a dashboard.
    Exposure,
    /// What a model means to the semantic layer.
    SemanticModel,
    /// A figure over measures.
    Metric,
    /// A query over metrics.
    SavedQuery,
}

impl ResourceKind {
    /// dbt's `resource_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Seed => "seed",
            Self::Snapshot => "snapshot",
            Self::Test => "test",
            Self::UnitTest => "unit_test",
            Self::Source => "source",
            Self::Analysis => "analysis",
            Self::Operation => "operation",
            Self::Function => "function",
            Self::Exposure => "exposure",
            Self::SemanticModel => "semantic_model",
            Self::Metric => "metric",
            Self::SavedQuery => "saved_query",
        }
    }
}

/// The config of a node of which nothing is known yet.
static USUAL: LazyLock<Arc<NodeConfig>> = LazyLock::new(Arc::default);

/// One resource, resolved.
#[derive(Clone, Debug)]
pub struct Node {
    /// The unique id, for example `model.shop.orders`.
    pub id: NodeId,
    /// What it is.
    pub kind: ResourceKind,
    /// The name that `ref` uses.
    pub name: String,
    /// Its package.
    pub package: String,
    /// Its file, relative to the package, for example `models/gold/mart.sql`.
    pub path: String,
    /// dbt's fully qualified name: package, folders, name.
    pub fqn: Vec<String>,
    /// Its file in the source map; `None` for seeds (the property file for sources and generic tests).
    pub file: Option<FileId>,
    /// Where it is declared, for diagnostics.
    pub span: Option<Span>,
    /// The template, as written; empty for seeds and sources.
    pub raw_code: String,
    /// The line of the file (from 1) at which `raw_code` begins.
    pub first_line: usize,
    /// Its resolved config, shared by all nodes that are configured alike.
    pub config: Arc<NodeConfig>,
    /// Its config as written, before rendering and merging, where that differs.
    pub written: Option<Box<IndexMap<String, Json>>>,
    /// Its relation; `None` for tests, analyses and operations.
    pub relation: Option<Relation>,
    /// Where its config keeps a test's failing rows.
    pub failures: Option<Relation>,
    /// Its description.
    pub description: String,
    /// The unique ids of docs blocks that its description uses.
    pub doc_blocks: Vec<String>,
    /// Columns that properties describe, in order.
    pub columns: IndexMap<String, ColumnInfo>,
    /// The property file that describes it.
    pub patch_path: Option<String>,
    /// Nodes it reads, in order of first appearance, without repetition.
    pub parents: Vec<NodeIx>,
    /// Its refs as written, with their lines.
    pub refs: Vec<(RefCall, usize)>,
    /// Its sources as written, with their lines.
    pub sources: Vec<(SourceCall, usize)>,
    /// User-defined functions that it calls, with their lines.
    pub functions: Vec<(FunctionCall, usize)>,
    /// Unique ids of macros it uses.
    pub macros: Vec<String>,
    /// What only nodes of its kind have.
    pub detail: Detail,
    /// What only some models have.
    pub model: ModelTraits,
    /// Every other property, as written (`meta` of sources, `docs`, `access`, ...).
    pub other: IndexMap<String, Json>,
}

impl Node {
    /// Its config as dbt's `unrendered_config` has it.
    pub fn unrendered_config(&self) -> &IndexMap<String, Json> {
        self.written.as_deref().unwrap_or(&self.config.raw)
    }

    /// A node of which nothing else is known yet.
    pub(super) fn bare(id: String, kind: ResourceKind, package: &str, name: &str) -> Self {
        Self {
            id: NodeId::new(id),
            kind,
            name: name.to_owned(),
            package: package.to_owned(),
            path: String::new(),
            fqn: Vec::new(),
            file: None,
            span: None,
            raw_code: String::new(),
            first_line: 1,
            config: Arc::clone(&USUAL),
            written: None,
            relation: None,
            failures: None,
            description: String::new(),
            doc_blocks: Vec::new(),
            columns: IndexMap::new(),
            patch_path: None,
            parents: Vec::new(),
            refs: Vec::new(),
            sources: Vec::new(),
            functions: Vec::new(),
            macros: Vec::new(),
            detail: Detail::None,
            model: ModelTraits::default(),
            other: IndexMap::new(),
        }
    }
}

/// What only some models have.
#[derive(Clone, Debug, Default)]
pub struct ModelTraits {
    /// The unique id of the macro that materializes it, where that is not ours.
    pub materialization: Option<String>,
    /// Which version it is; of a unit test, which version it tests.
    pub version: Option<ModelVersion>,
    /// Whether it is built batch by batch.
    pub microbatch: bool,
    /// Of an exposure: the metrics that it shows.
    pub metrics: Vec<String>,
    /// Of a test: the schema for its failing rows, where the project's own macro names it.
    pub test_schema: Option<String>,
}

/// A described column.
#[derive(Clone, Debug, Default)]
pub struct ColumnInfo {
    /// Its description.
    pub description: String,
    /// The unique ids of docs blocks that the description uses.
    pub doc_blocks: Vec<String>,
    /// Its declared type.
    pub data_type: Option<String>,
    /// Whether its name is to be quoted.
    pub quote: bool,
    /// Every other key.
    pub other: IndexMap<String, Json>,
}

/// What only nodes of one kind have.
#[derive(Clone, Debug)]
pub enum Detail {
    /// Models, snapshots, analyses.
    None,
    /// A seed's file.
    Seed {
        /// Absolute path of the CSV file.
        path: PathBuf,
    },
    /// A source's names.
    Source {
        /// The source.
        source: String,
        /// The loader's timestamp column.
        loaded_at_field: Option<String>,
        /// Freshness rules as written.
        freshness: Option<Json>,
    },
    /// A generic test.
    GenericTest(GenericTest),
    /// A test that is an SQL file.
    SingularTest,
    /// A unit test.
    UnitTest(Box<super::UnitTest>),
    /// A semantic model, metric or saved query.
    Semantic(Box<super::Semantic>),
    /// A hook of the run.
    RunHook {
        /// `on-run-start` or `on-run-end`, which is its tag.
        tag: &'static str,
        /// Its place among its package's hooks of that tag, from 0.
        index: usize,
    },
}

/// What a generic test asks, and of whom.
#[derive(Clone, Debug)]
pub struct GenericTest {
    /// The macro's name without `test_`, for example `unique`.
    pub test: String,
    /// The package given before a dot, for example `dbt_utils`.
    pub namespace: Option<String>,
    /// The node that is tested.
    pub attached: NodeIx,
    /// The column, for a column's test.
    pub column: Option<String>,
    /// The arguments as written, `column_name` included.
    pub arguments: IndexMap<String, Json>,
    /// Its config as declared.
    pub config: IndexMap<String, Json>,
    /// The unhashed short name, for example `not_null_orders_id`.
    pub short_name: String,
}

impl Node {
    /// Whether it asks instead of building: a data test or a unit test.
    pub fn is_test(&self) -> bool {
        matches!(self.kind, ResourceKind::Test | ResourceKind::UnitTest)
    }

    /// Whether it is an ephemeral model, which is never built.
    pub fn is_ephemeral(&self) -> bool {
        self.kind == ResourceKind::Model && self.config.materialized == "ephemeral"
    }

    /// How people see it: `schema.name` for relations, `model::name` for unit tests, else the name.
    pub fn label(&self) -> String {
        if let (Detail::UnitTest(_), [.., model, name]) = (&self.detail, self.fqn.as_slice()) {
            return match &self.model.version {
                Some(version) => format!("{model}.v{}::{name}", version.text()),
                None => format!("{model}::{name}"),
            };
        }
        match &self.relation {
            Some(relation) if !relation.schema.is_empty() => {
                format!("{}.{}", relation.schema, relation.identifier)
            }
            _ => self.name.clone(),
        }
    }

    /// What it is for people, for example `incremental model`.
    pub fn kind_words(&self) -> String {
        match self.kind {
            ResourceKind::Model => {
                format!("{} model", self.config.materialized.replace('_', " "))
            }
            ResourceKind::UnitTest => "unit test".to_owned(),
            kind => kind.as_str().to_owned(),
        }
    }
}
