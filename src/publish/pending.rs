//! What the run will still build: views among these need not be made again when something
//! that they read is replaced, because their own turn comes.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use crate::names::Relation;

/// Relations, by schema and name, whose turn in the run is still to come.
#[derive(Debug, Default)]
pub struct Pending(RwLock<HashSet<(String, String)>>);

impl Pending {
    /// All that a run will build.
    pub fn new<'a>(relations: impl Iterator<Item = &'a Relation>) -> Self {
        let key = |r: &Relation| (r.schema.clone(), r.identifier.clone());
        Self(RwLock::new(relations.map(key).collect()))
    }

    /// Whether a relation is still to be built.
    pub fn contains(&self, schema: &str, name: &str) -> bool {
        let set = self.0.read().unwrap_or_else(PoisonError::into_inner);
        set.contains(&(schema.to_owned(), name.to_owned()))
    }

    /// A relation's turn came.
    pub fn done(&self, relation: &Relation) {
        let mut set = self.0.write().unwrap_or_else(PoisonError::into_inner);
        set.remove(&(relation.schema.clone(), relation.identifier.clone()));
    }
}
