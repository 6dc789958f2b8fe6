//! `manifest.json`, version 12: what the project declares, resolved.
//!
//! [`Manifest`] is what is read back: the frame is typed, resources are JSON objects in dbt's
//! form, so that a manifest that another tool wrote is kept whole. What is written is a
//! [`view::ManifestView`], which borrows from the graph.

pub mod view;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Metadata;

/// The schema's name.
pub const SCHEMA: &str = "manifest/v12";

/// A whole project. Maps of resources are by unique id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The head.
    pub metadata: ManifestMetadata,
    /// Models, seeds, snapshots, tests, analyses and operations.
    pub nodes: Map<String, Json>,
    /// Tables of sources.
    #[serde(default)]
    pub sources: Map<String, Json>,
    /// Macros.
    #[serde(default)]
    pub macros: Map<String, Json>,
    /// Docs blocks.
    #[serde(default)]
    pub docs: Map<String, Json>,
    /// Exposures.
    #[serde(default)]
    pub exposures: Map<String, Json>,
    /// Metrics.
    #[serde(default)]
    pub metrics: Map<String, Json>,
    /// Groups.
    #[serde(default)]
    pub groups: Map<String, Json>,
    /// Selectors of `selectors.yml`, by name.
    #[serde(default)]
    pub selectors: Map<String, Json>,
    /// Disabled resources: a list each.
    #[serde(default)]
    pub disabled: Option<Map<String, Json>>,
    /// Unique ids of the parents of each node.
    #[serde(default)]
    pub parent_map: Option<Map<String, Json>>,
    /// Unique ids of the children of each node.
    #[serde(default)]
    pub child_map: Option<Map<String, Json>>,
    /// Unique ids of the members of each group.
    #[serde(default)]
    pub group_map: Option<Map<String, Json>>,
    /// Saved queries.
    #[serde(default)]
    pub saved_queries: Map<String, Json>,
    /// Semantic models.
    #[serde(default)]
    pub semantic_models: Map<String, Json>,
    /// Unit tests.
    #[serde(default)]
    pub unit_tests: Map<String, Json>,
    /// User-defined functions.
    #[serde(default)]
    pub functions: Map<String, Json>,
}

/// A manifest's head: that of every artifact, and what the project is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ManifestMetadata {
    /// What every artifact has.
    #[serde(flatten)]
    pub common: Metadata,
    /// The root project's name.
    #[serde(default)]
    pub project_name: Option<String>,
    /// MD5 of the root project's name.
    #[serde(default)]
    pub project_id: Option<String>,
    /// Always none: we do not know our users.
    #[serde(default)]
    pub user_id: Option<String>,
    /// Always none, since nothing is sent.
    #[serde(default)]
    pub send_anonymous_usage_stats: Option<bool>,
    /// `postgres`.
    #[serde(default)]
    pub adapter_type: Option<String>,
    /// The project's `quoting:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoting: Option<Json>,
    /// RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_started_at: Option<String>,
}

impl ManifestMetadata {
    /// The head of a project's manifest, made now.
    pub fn new(project_name: &str, invocation_id: &str) -> Self {
        use md5::{Digest, Md5};
        let digest = Md5::digest(project_name.as_bytes());
        let project_id = crate::encode::hex(digest);
        Self {
            common: Metadata::new(SCHEMA, invocation_id),
            project_name: Some(project_name.to_owned()),
            project_id: Some(project_id),
            adapter_type: Some("postgres".to_owned()),
            ..Self::default()
        }
    }
}

impl Manifest {
    /// A manifest without resources.
    pub fn new(project_name: &str, invocation_id: &str) -> Self {
        Self {
            metadata: ManifestMetadata::new(project_name, invocation_id),
            nodes: Map::new(),
            sources: Map::new(),
            macros: Map::new(),
            docs: Map::new(),
            exposures: Map::new(),
            metrics: Map::new(),
            groups: Map::new(),
            selectors: Map::new(),
            disabled: Some(Map::new()),
            parent_map: Some(Map::new()),
            child_map: Some(Map::new()),
            group_map: Some(Map::new()),
            saved_queries: Map::new(),
            semantic_models: Map::new(),
            unit_tests: Map::new(),
            functions: Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{read, write};

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        let mut manifest = Manifest::new("shop", "0198");
        let node = serde_json::json!({ "name": "a", "of_tomorrow": [1] });
        manifest.nodes.insert("model.shop.a".into(), node);
        write(&path, &manifest).unwrap();
        assert_eq!(read::<Manifest>(&path).unwrap(), manifest);
    }

    #[test]
    fn the_head_is_flat_and_names_the_schema() {
        let json = serde_json::to_value(Manifest::new("shop", "0198")).unwrap();
        let head = &json["metadata"];
        assert_eq!(
            head["dbt_schema_version"],
            "https://schemas.getdbt.com/dbt/manifest/v12.json"
        );
        assert_eq!(head["project_id"], "fb54f3c5992b96d001bb16e8e92d968d");
        assert_eq!(json["disabled"], serde_json::json!({}));
    }
}
