//! A manifest as it is written, in the shape of dbt's schema.
//!
//! The types borrow from whoever has the facts, and entries are made one by one while they
//! are written, so that a project of thousands of models costs little memory.

mod entries;
mod node;
mod resource;

pub use entries::{Entries, Overlay};
pub use node::{
    Checksum, Code, Column, ColumnConfig, Compiled, Contract, DependsOn, Docs, HookPart,
    MacroDependsOn, ModelPart, Node, Part, Ref, SeedPart, TestMetadata, TestPart,
};
pub use resource::{Documentation, Exposure, Group, Macro, Source, SourceQuoting};

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value as Json;

use super::ManifestMetadata;

/// The whole manifest. Every mapping is by unique id where nothing else is said.
#[derive(Serialize)]
pub struct ManifestView<'a> {
    /// The head.
    pub metadata: ManifestMetadata,
    /// Models, seeds, snapshots, tests, analyses, operations.
    pub nodes: Entries<'a, Node<'a>>,
    /// Tables of sources.
    pub sources: Entries<'a, Source<'a>>,
    /// Macros.
    pub macros: Entries<'a, Macro<'a>>,
    /// Docs blocks.
    pub docs: Entries<'a, Documentation<'a>>,
    /// Exposures.
    pub exposures: Entries<'a, Exposure<'a>>,
    /// Metrics, as written.
    pub metrics: IndexMap<String, Json>,
    /// Groups.
    pub groups: IndexMap<String, Group<'a>>,
    /// Selectors by name, as written.
    pub selectors: IndexMap<String, Json>,
    /// Nodes and sources that are disabled.
    pub disabled: IndexMap<String, Vec<Json>>,
    /// What each node reads.
    pub parent_map: IndexMap<&'a str, Vec<&'a str>>,
    /// What reads each node.
    pub child_map: IndexMap<&'a str, Vec<&'a str>>,
    /// Members by the name of their group.
    pub group_map: IndexMap<String, Vec<&'a str>>,
    /// Saved queries, as written.
    pub saved_queries: IndexMap<String, Json>,
    /// Semantic models, as written.
    pub semantic_models: IndexMap<String, Json>,
    /// Unit tests, as written.
    pub unit_tests: IndexMap<String, Json>,
    /// Functions.
    pub functions: IndexMap<String, Json>,
}
