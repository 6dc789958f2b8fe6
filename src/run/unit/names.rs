//! `ref`, `source` and what templates ask of relations, while a unit test renders its model: what
//! is given has a stand-in, and nothing else may be read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::database::SessionDatabase;
use super::super::names::{GraphNames, Stage, ephemeral_cte};
use crate::graph::{Graph, NodeIx};
use crate::jinja::{
    Column, Database, FunctionCall, LookupError, Names, NodeContext, RefCall, SourceCall, Table,
};
use crate::names::{Relation, RelationKind};

/// The relation by which a unit test's model reads rows that it is given. It looks like a view,
/// since macros treat those that are none with suspicion.
pub(in crate::run) fn stand_in(identifier: &str) -> Relation {
    Relation::new("", "", identifier).of_kind(RelationKind::View)
}

/// Answers names for one unit test.
pub(in crate::run) struct UnitNames {
    graph: Arc<Graph>,
    inner: GraphNames,
    given: HashMap<NodeIx, Relation>,
    missing: Mutex<Vec<NodeIx>>,
}

impl UnitNames {
    pub(in crate::run) fn new(graph: Arc<Graph>, given: HashMap<NodeIx, Relation>) -> Self {
        Self {
            inner: GraphNames::new(Arc::clone(&graph), Arc::new(Stage::none()), None),
            graph,
            given,
            missing: Mutex::default(),
        }
    }

    /// What was read and is not given, in order of first appearance.
    pub(in crate::run) fn missing(&self) -> Vec<NodeIx> {
        let missing = self.missing.lock();
        missing.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn answer(&self, ix: NodeIx) -> Relation {
        if let Some(relation) = self.given.get(&ix) {
            return relation.clone();
        }
        let node = self.graph.node(ix);
        if node.is_ephemeral() {
            return ephemeral_cte(&node.name);
        }
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if !missing.contains(&ix) {
            missing.push(ix);
        }
        stand_in("not_given")
    }
}

impl Names for UnitNames {
    fn resolve_ref(&self, from: &NodeContext, call: &RefCall) -> Result<Relation, LookupError> {
        self.inner.resolve_ref(from, call)?;
        let ix = self.graph.names().find_ref(&from.package, call)?;
        Ok(self.answer(ix))
    }

    fn resolve_function(
        &self,
        from: &NodeContext,
        call: &FunctionCall,
    ) -> Result<Relation, LookupError> {
        self.inner.resolve_function(from, call)
    }

    fn resolve_source(
        &self,
        from: &NodeContext,
        call: &SourceCall,
    ) -> Result<Relation, LookupError> {
        self.inner.resolve_source(from, call)?;
        let ix = self.graph.names().find_source(&from.package, call)?;
        Ok(self.answer(ix))
    }
}

/// The node's connection, to which stand-ins are relations with columns.
pub(in crate::run) struct UnitDatabase {
    pub(in crate::run) inner: SessionDatabase,
    /// Columns of stand-ins by their identifier.
    pub(in crate::run) stand_ins: HashMap<String, Vec<Column>>,
}

impl Database for UnitDatabase {
    fn query(&self, sql: &str) -> Result<Table, LookupError> {
        self.inner.query(sql)
    }

    fn relation(&self, schema: &str, identifier: &str) -> Result<Option<Relation>, LookupError> {
        if schema.is_empty() && self.stand_ins.contains_key(identifier) {
            return Ok(Some(stand_in(identifier)));
        }
        self.inner.relation(schema, identifier)
    }

    fn relations(&self, schema: &str) -> Result<Vec<Relation>, LookupError> {
        self.inner.relations(schema)
    }

    fn schemas(&self) -> Result<Vec<String>, LookupError> {
        self.inner.schemas()
    }

    fn columns(&self, relation: &Relation) -> Result<Vec<Column>, LookupError> {
        match self.stand_ins.get(&relation.identifier) {
            Some(columns) if relation.schema.is_empty() => Ok(columns.clone()),
            _ => self.inner.columns(relation),
        }
    }

    fn log(&self, message: &str, info: bool) {
        self.inner.log(message, info);
    }

    fn warn(&self, message: &str) {
        self.inner.warn(message);
    }
}
