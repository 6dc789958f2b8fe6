//! `ref` and `source` at run time, answered by the graph.

use std::sync::Arc;

use crate::graph::{Graph, NodeIx};
use crate::jinja::{LookupError, Names, NodeContext, RefCall, SourceCall};
use crate::names::{Relation, RelationKind};

/// Answers names for one run.
pub(super) struct GraphNames {
    graph: Arc<Graph>,
}

impl GraphNames {
    pub(super) fn new(graph: Arc<Graph>) -> Self {
        Self { graph }
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
        node.relation.clone().ok_or_else(|| LookupError {
            message: format!("`{}` has no relation", node.name),
            hint: None,
        })
    }

    fn resolve_source(
        &self,
        from: &NodeContext,
        call: &SourceCall,
    ) -> Result<Relation, LookupError> {
        let ix = self.graph.names().find_source(&from.package, call)?;
        self.check_known(
            from,
            ix,
            &format!("source('{}', '{}')", call.source, call.table),
        )?;
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
