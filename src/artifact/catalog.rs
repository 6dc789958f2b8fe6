//! `catalog.json` (v1): what the database holds of a project's relations.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::Metadata;

/// The schema's name, as in its address.
const SCHEMA: &str = "catalog/v1";

/// The artifact.
#[derive(Clone, Debug, Serialize)]
pub struct Catalog {
    /// The head.
    pub metadata: Metadata,
    /// Models, seeds and snapshots that exist, by unique id.
    pub nodes: BTreeMap<String, CatalogTable>,
    /// Sources that exist, by unique id.
    pub sources: BTreeMap<String, CatalogTable>,
    /// What could not be read.
    pub errors: Option<Vec<String>>,
}

impl Catalog {
    /// A catalog without relations.
    pub fn new(invocation_id: &str) -> Self {
        Self {
            metadata: Metadata::new(SCHEMA, invocation_id),
            nodes: BTreeMap::new(),
            sources: BTreeMap::new(),
            errors: None,
        }
    }
}

/// One relation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogTable {
    /// What it is.
    pub metadata: TableMetadata,
    /// Its columns in their order, by name.
    pub columns: IndexMap<String, ColumnMetadata>,
    /// Postgres gives none, which is said by the one entry `has_stats`.
    pub stats: IndexMap<&'static str, Stat>,
    /// The node or source.
    pub unique_id: Option<String>,
}

/// What a relation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableMetadata {
    /// `BASE TABLE`, `VIEW` or `MATERIALIZED VIEW`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its database.
    pub database: Option<String>,
    /// Its comment.
    pub comment: Option<String>,
    /// The role that owns it.
    pub owner: Option<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnMetadata {
    /// As Postgres formats it.
    #[serde(rename = "type")]
    pub data_type: String,
    /// From 1.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its comment.
    pub comment: Option<String>,
}

/// A statistic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stat {
    /// Its key.
    pub id: &'static str,
    /// For people.
    pub label: &'static str,
    /// What it is.
    pub value: bool,
    /// Whether a page shows it.
    pub include: bool,
    /// For people.
    pub description: &'static str,
}

/// The one statistic of a Postgres relation: that there are none.
pub fn no_stats() -> IndexMap<&'static str, Stat> {
    let stat = Stat {
        id: "has_stats",
        label: "Has Stats?",
        value: false,
        include: false,
        description: "Indicates whether there are statistics for this table",
    };
    IndexMap::from([("has_stats", stat)])
}
