//! The head that every artifact has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of dbt whose artifacts these are; tools that read them compare it.
pub const VERSION_OF_DBT: &str = "1.11.0";

/// `metadata` of an artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The address of the JSON schema.
    pub dbt_schema_version: String,
    /// See [`VERSION_OF_DBT`].
    #[serde(default)]
    pub dbt_version: String,
    /// RFC 3339, UTC.
    #[serde(default)]
    pub generated_at: String,
    /// The invocation's id.
    #[serde(default)]
    pub invocation_id: Option<String>,
    /// When the invocation began, RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_started_at: Option<String>,
    /// Variables named `DBT_ENV_CUSTOM_ENV_*`, without that prefix.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

impl Metadata {
    /// The head of an artifact, for example of schema `run-results/v6`, made now.
    pub fn new(schema: &str, invocation_id: &str) -> Self {
        Self {
            dbt_schema_version: format!("https://schemas.getdbt.com/dbt/{schema}.json"),
            dbt_version: VERSION_OF_DBT.to_owned(),
            generated_at: format!("{:.6}", jiff::Timestamp::now()),
            invocation_id: Some(invocation_id.to_owned()),
            invocation_started_at: None,
            env: BTreeMap::new(),
        }
    }
}
