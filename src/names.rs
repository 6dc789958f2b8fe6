//! Names that every stage shares: node ids, relations, quoting.
//!
//! A [`Relation`] is the only way in which the crate names a table or view; text that
//! reaches Postgres always comes from its rendering or from [`quote_ident`].

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A node's unique id in dbt's form, for example `model.shop.mart_revenue`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// Wraps a unique id.
    pub fn new(id: impl AsRef<str>) -> Self {
        Self(Arc::from(id.as_ref()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// What a relation is in Postgres' catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// An ordinary or partitioned table (`relkind` r, p) or a foreign table (f).
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A common table expression, which exists only inside a statement.
    Cte,
    /// Outside the database, for example a source declared `external`.
    External,
}

impl RelationKind {
    /// dbt's word for it, as `relation.type` shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView => "materialized_view",
            Self::Cte => "cte",
            Self::External => "external",
        }
    }
}

/// Which parts of a relation's name are quoted when it is rendered (dbt's `quoting`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quoting {
    /// Quote the database.
    pub database: bool,
    /// Quote the schema.
    pub schema: bool,
    /// Quote the identifier.
    pub identifier: bool,
}

impl Default for Quoting {
    fn default() -> Self {
        Self {
            database: true,
            schema: true,
            identifier: true,
        }
    }
}

/// The three-part name of a table or view. Renders as `"database"."schema"."identifier"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Relation {
    /// The database; empty when the name is to be rendered without one.
    pub database: String,
    /// The schema; empty when the name is to be rendered without one.
    pub schema: String,
    /// The table's or view's own name.
    pub identifier: String,
    /// What is quoted.
    #[serde(default)]
    pub quoting: Quoting,
    /// What it is, where known.
    #[serde(default)]
    pub kind: Option<RelationKind>,
}

impl Relation {
    /// A relation with every part quoted and its kind unknown.
    pub fn new(
        database: impl Into<String>,
        schema: impl Into<String>,
        identifier: impl Into<String>,
    ) -> Self {
        Self {
            database: database.into(),
            schema: schema.into(),
            identifier: identifier.into(),
            quoting: Quoting::default(),
            kind: None,
        }
    }

    /// The same name in another schema.
    pub fn in_schema(&self, schema: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            ..self.clone()
        }
    }

    /// The same schema with another identifier.
    pub fn with_identifier(&self, identifier: impl Into<String>) -> Self {
        Self {
            identifier: identifier.into(),
            ..self.clone()
        }
    }

    /// The same name, known to be of a kind.
    pub fn of_kind(&self, kind: RelationKind) -> Self {
        Self {
            kind: Some(kind),
            ..self.clone()
        }
    }

    /// The word that `alter`, `drop` and `comment on` take; a relation of unknown kind is taken
    /// for a table.
    pub fn keyword(&self) -> &'static str {
        match self.kind {
            Some(RelationKind::View) => "view",
            Some(RelationKind::MaterializedView) => "materialized view",
            _ => "table",
        }
    }

    /// The schema alone, rendered as SQL with its quoting.
    pub fn schema_sql(&self) -> String {
        part(&self.schema, self.quoting.schema)
    }

    /// The identifier alone, rendered as SQL with its quoting.
    pub fn identifier_sql(&self) -> String {
        part(&self.identifier, self.quoting.identifier)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (&self.database, self.quoting.database),
            (&self.schema, self.quoting.schema),
            (&self.identifier, self.quoting.identifier),
        ];
        let mut first = true;
        for (name, quoted) in parts {
            if name.is_empty() {
                continue;
            }
            if !first {
                f.write_str(".")?;
            }
            first = false;
            f.write_str(&part(name, quoted))?;
        }
        Ok(())
    }
}

fn part(name: &str, quoted: bool) -> String {
    if quoted {
        quote_ident(name)
    } else {
        name.to_owned()
    }
}

/// A name as a quoted SQL identifier; inner double quotes are doubled.
pub fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text as an SQL string literal; uses `E''` when it holds a backslash, so that the
/// result does not depend on `standard_conforming_strings`.
pub fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// Postgres' limit for identifiers, in bytes.
pub const MAX_IDENT_BYTES: usize = 63;
