//! What the target's schemas hold, read once per run and kept up by what the run publishes.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use crate::names::{Relation, RelationKind, quote_literal};
use crate::session::{Session, SessionError};

/// Relations by schema and name, with their kinds.
#[derive(Debug, Default)]
pub(super) struct Catalog(RwLock<HashMap<(String, String), RelationKind>>);

impl Catalog {
    /// Reads the relations of these schemas in one query.
    pub(super) async fn read(
        session: &dyn Session,
        schemas: &BTreeSet<String>,
    ) -> Result<Self, SessionError> {
        let list: Vec<String> = schemas.iter().map(|s| quote_literal(s)).collect();
        if list.is_empty() {
            return Ok(Self::default());
        }
        let table = session
            .query(&format!(
                "select n.nspname, c.relname, c.relkind::text from pg_class c join pg_namespace n \
                 on n.oid = c.relnamespace where n.nspname in ({}) and c.relkind in ('r', 'p', 'v', \
                 'm', 'f')",
                list.join(", ")
            ))
            .await?;
        let mut map = HashMap::with_capacity(table.rows.len());
        for row in table.rows {
            if let [Some(schema), Some(name), Some(kind)] = row.as_slice() {
                map.insert((schema.clone(), name.clone()), relation_kind(kind));
            }
        }
        Ok(Self(RwLock::new(map)))
    }

    /// What a relation's name means.
    pub(super) fn kind(&self, relation: &Relation) -> Option<RelationKind> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&(relation.schema.clone(), relation.identifier.clone()))
            .copied()
    }

    /// Notes what was published.
    pub(super) fn set(&self, relation: &Relation, kind: RelationKind) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        map.insert((relation.schema.clone(), relation.identifier.clone()), kind);
    }
}

/// `pg_class.relkind` as a kind.
pub(super) fn relation_kind(relkind: &str) -> RelationKind {
    match relkind {
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        _ => RelationKind::Table,
    }
}
