//! `ref` and `source` at run time, answered by the graph. What is built but not yet
//! published is found where its candidate is, by those that come before its publication.

use std::collections::HashMap;
use std::sync::Arc;

use crate::graph::microbatch::Batch;
use crate::graph::{Graph, NodeIx, ResourceKind};
use crate::jinja::{FunctionCall, LookupError, Names, NodeContext, RefCall, SourceCall};
use crate::names::{Relation, RelationKind};
use crate::publish::home::shadow_schema;
use crate::publish::{CandidateHome, RunTag};

/// Which nodes of a run are published later than they are built.
pub(super) struct Stage {
    /// Where candidates live.
    pub(super) home: CandidateHome,
    /// The group with which each such node is published.
    pub(super) group_of: HashMap<NodeIx, usize>,
    /// The schemas that the run builds in.
    pub(super) schemas: Vec<String>,
}

impl Stage {
    /// Nothing is published later than it is built.
    pub(super) fn none() -> Self {
        Self {
            home: CandidateHome::ShadowSchemas(RunTag::from_unique("")),
            group_of: HashMap::new(),
            schemas: Vec::new(),
        }
    }

    /// Whether a node is published later than it is built.
    pub(super) fn is_staged(&self, ix: NodeIx) -> bool {
        self.group_of.contains_key(&ix)
    }

    /// Why a foreign key cannot be created on a candidate: the rows that it refers to become
    /// visible only together with its own.
    pub(super) fn not_checkable(&self, child: NodeIx, parent: NodeIx) -> Option<String> {
        let group = self.group_of.get(&child)?;
        (self.group_of.get(&parent) == Some(group)).then(|| {
            "both are published in one transaction; a `relationships` test checks it before that"
                .to_owned()
        })
    }

    /// Whether `reader` finds the candidate under the name of `read`: tests come before the
    /// publication of what they read, and members of a group are published at once.
    fn sees_candidate(&self, graph: &Graph, reader: NodeIx, read: NodeIx) -> bool {
        let Some(group) = self.group_of.get(&read) else {
            return false;
        };
        graph.node(reader).is_test() || self.group_of.get(&reader) == Some(group)
    }

    /// SQL with live names where it names candidates.
    pub(super) fn live_text(&self, sql: &str) -> String {
        let CandidateHome::ShadowSchemas(tag) = &self.home else {
            return sql.to_owned();
        };
        if !sql.contains(tag.as_str()) {
            return sql.to_owned();
        }
        let mut sql = sql.to_owned();
        for schema in &self.schemas {
            sql = sql.replace(&shadow_schema(schema, tag), schema);
        }
        sql
    }
}

/// Answers names for one reader of a run.
pub(super) struct GraphNames {
    graph: Arc<Graph>,
    stage: Arc<Stage>,
    /// The node whose SQL asks; an ephemeral model asks for the one that it is put into.
    reader: Option<NodeIx>,
    /// Whether everything is read without rows (`--empty`).
    empty: bool,
    /// Nodes that are read elsewhere (`--defer`).
    deferred: HashMap<NodeIx, Relation>,
    /// The batch for which the reader's inputs are read.
    batch: Option<Batch>,
    /// The time of which models and snapshots read their inputs (`--sample`).
    sample: Option<Batch>,
}

impl GraphNames {
    pub(super) fn new(graph: Arc<Graph>, stage: Arc<Stage>, reader: Option<NodeIx>) -> Self {
        Self {
            graph,
            stage,
            reader,
            empty: false,
            deferred: HashMap::new(),
            batch: None,
            sample: None,
        }
    }

    /// The same names, where models and snapshots read only this time of their inputs.
    pub(super) fn sampled(self, sample: Option<Batch>) -> Self {
        Self { sample, ..self }
    }

    /// The same names, read without rows where `empty` says so.
    pub(super) fn emptied(self, empty: bool) -> Self {
        Self { empty, ..self }
    }

    /// The same names, some of which mean relations of another target.
    pub(super) fn deferring(self, deferred: HashMap<NodeIx, Relation>) -> Self {
        Self { deferred, ..self }
    }

    /// The same names, where what has event times is read for one batch.
    pub(super) fn of_batch(self, batch: Batch) -> Self {
        Self {
            batch: Some(batch),
            ..self
        }
    }

    /// The condition under which the reader of a batch reads a relation, if it is one of its
    /// inputs and has event times.
    fn in_batch(&self, from: &NodeContext, relation: &Relation) -> Option<String> {
        let reader_node = self.graph.node(self.graph.find(&from.id)?);
        let samples = matches!(
            reader_node.kind,
            ResourceKind::Model | ResourceKind::Snapshot
        );
        let sample = self.sample.filter(|_| samples);
        let asks = |ix: &NodeIx| self.graph.node(*ix).id == from.id;
        let of_batch = self
            .batch
            .filter(|_| self.reader.as_ref().is_some_and(asks));
        let batch = match (of_batch, sample) {
            (Some(batch), Some(sample)) => batch.within(sample),
            (batch, sample) => batch.or(sample)?,
        };
        let is_read = |ix: &&NodeIx| {
            let node = self.graph.node(**ix);
            let Some(live) = &node.relation else {
                return false;
            };
            let same =
                |r: &Relation| r.schema == relation.schema && r.identifier == relation.identifier;
            same(live)
                || same(&self.stage.home.candidate(live))
                || self.deferred.get(ix).is_some_and(same)
        };
        let input = reader_node.parents.iter().find(is_read)?;
        let node = self.graph.node(*input);
        let column = node.config.event_time.as_ref()?;
        let quoted = node.columns.get(column).is_some_and(|info| info.quote);
        let column = match quoted {
            true => crate::names::quote_ident(column),
            false => column.clone(),
        };
        Some(batch.condition(&column))
    }

    /// A node may only read what was known when the order of the run was decided.
    fn check_known(&self, from: &NodeContext, ix: NodeIx, call: &str) -> Result<(), LookupError> {
        let Some(reader) = self.graph.find(&from.id) else {
            return Ok(());
        };
        if reader == ix || self.graph.node(reader).parents.contains(&ix) {
            return Ok(());
        }
        Err(LookupError {
            message: format!("{call} was not seen when the project was parsed"),
            hint: Some(format!(
                "add a line `-- depends_on: {{{{ {call} }}}}` to {}",
                self.graph.node(reader).path
            )),
        })
    }
}

impl Names for GraphNames {
    fn resolve_ref(&self, from: &NodeContext, call: &RefCall) -> Result<Relation, LookupError> {
        let ix = self.graph.names().find_ref(&from.package, call)?;
        self.check_known(from, ix, &format!("ref('{}')", call.name))?;
        let node = self.graph.node(ix);
        if node.is_ephemeral() {
            return Ok(ephemeral_cte(&node.name));
        }
        if let Some(elsewhere) = self.deferred.get(&ix) {
            return Ok(elsewhere.clone());
        }
        let live = node.relation.as_ref().ok_or_else(|| LookupError {
            message: format!("`{}` has no relation", node.name),
            hint: None,
        })?;
        let reader = self.reader.filter(|reader| *reader != ix);
        Ok(match reader {
            Some(reader) if self.stage.sees_candidate(&self.graph, reader, ix) => {
                self.stage.home.candidate(live)
            }
            _ => live.clone(),
        })
    }

    fn read_as(&self, from: &NodeContext, relation: &Relation) -> Option<String> {
        if let Some(condition) = self.in_batch(from, relation).filter(|_| !self.empty) {
            let alias = format!("_dbt_et_filter_subq_{}", relation.identifier);
            let alias = Relation::new("", "", alias);
            return Some(format!(
                "(select * from {relation} where {condition}) {alias}"
            ));
        }
        let alias = format!("_dbt_limit_subq_{}", relation.identifier);
        let alias = Relation::new("", "", alias);
        self.empty
            .then(|| format!("(select * from {relation} where false limit 0) {alias}"))
    }

    fn resolve_function(
        &self,
        from: &NodeContext,
        call: &FunctionCall,
    ) -> Result<Relation, LookupError> {
        let ix = self.graph.names().find_function(&from.package, call)?;
        self.check_known(from, ix, &format!("function('{}')", call.name))?;
        let node = self.graph.node(ix);
        let live = node.relation.as_ref().ok_or_else(|| LookupError {
            message: format!("function `{}` has no name in the database", node.name),
            hint: None,
        })?;
        // Functions are found in the database of the session.
        let live = Relation {
            database: String::new(),
            ..live.clone()
        };
        Ok(match self.reader.filter(|reader| *reader != ix) {
            Some(reader) if self.stage.sees_candidate(&self.graph, reader, ix) => {
                self.stage.home.candidate(&live)
            }
            _ => live,
        })
    }

    fn resolve_source(
        &self,
        from: &NodeContext,
        call: &SourceCall,
    ) -> Result<Relation, LookupError> {
        let ix = self.graph.names().find_source(&from.package, call)?;
        // No run builds a source, so it may be found out while rendering, as in dbt.
        let node = self.graph.node(ix);
        node.relation.clone().ok_or_else(|| LookupError {
            message: format!("`{}.{}` has no relation", call.source, call.table),
            hint: None,
        })
    }
}

/// The name under which an ephemeral model's query is put into its readers.
pub(super) fn ephemeral_cte(name: &str) -> Relation {
    let mut relation = Relation::new("", "", format!("__dbt__cte__{name}"));
    relation.quoting.identifier = false;
    relation.of_kind(RelationKind::Cte)
}
