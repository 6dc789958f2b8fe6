//! Materializations that a project or package writes in Jinja: which macro is meant, and its
//! call. They build their relation by themselves, in a transaction that they end with
//! `adapter.commit()`.

use std::sync::Arc;

use minijinja::{Error, ErrorKind, State, Value};
use serde_json::Value as Json;

use super::context::{Mode, Root, Run};
use super::engine::{INCLUDE_BOOT, TEMPLATE};
use super::error::returned;
use super::registry::{BUILTIN, MacroDef};
use super::value::to_json;
use super::{Database, Engine, Names, NodeContext, callable, rewrite};
use crate::diag::{Diagnostic, codes};

/// What a materialization gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Materialized {
    /// The value of its `return()`.
    pub value: Json,
    /// The command tag of its statement `main`, for example `SELECT 3`; `None` when it has none.
    pub main: Option<String>,
}

impl Engine {
    /// The unique id of the macro of the project or a package for a materialization: one for
    /// Postgres before one for all, the project's before those of packages.
    /// `by_packages`: whether those of packages count.
    pub fn find_materialization(&self, name: &str, by_packages: bool) -> Option<String> {
        let root = &self.0.shared.settings.project_name;
        let found = ["postgres", "default"].into_iter().find_map(|adapter| {
            let name = format!("materialization_{name}_{adapter}");
            let named = |def: &&Arc<MacroDef>| def.block.name == name && def.package != BUILTIN;
            let all = || self.0.shared.macros.all().filter(named);
            let own = all().find(|def| def.package == *root);
            own.or_else(|| all().find(|_| by_packages))
        });
        found.map(|def| def.unique_id.clone())
    }

    /// Runs a materialization for a node. Blocks while it queries the database.
    pub fn materialize(
        &self,
        node: Arc<NodeContext>,
        unique_id: &str,
        names: Arc<dyn Names>,
        db: Arc<dyn Database>,
    ) -> Result<Materialized, Diagnostic> {
        let Some(def) = self.0.shared.macros.by_id(unique_id) else {
            let message = format!("there is no macro `{unique_id}`");
            return Err(Diagnostic::error(codes::UNKNOWN_MACRO, message));
        };
        let db = Some(db);
        let run = Run::new(&self.0.shared, node, Mode::Live { names, db });
        run.set_invocation(callable::MacroCallable::value(def), Vec::new());
        let root = Value::from_object(Root(Arc::clone(&run)));
        let template = self.0.run.get_template("__call");
        let done = template.and_then(|template| template.render(root));
        done.map_err(|error| self.diagnose(&run, &error, None))?;
        let main = run.results().get("main").cloned();
        let main = main.and_then(|main| main.get_attr("response").ok());
        Ok(Materialized {
            value: to_json(&run.take_outcome().unwrap_or_default()),
            main: main.map(|response| response.to_string()),
        })
    }
}

/// A text rendered as a template of the node whose render this is.
pub(super) fn render(state: &State<'_, '_>, run: &Arc<Run>, text: &str) -> Result<String, Error> {
    let text = rewrite::normalise(text);
    let rewritten = rewrite::rewrite(&text)
        .map_err(|error| Error::new(ErrorKind::SyntaxError, error.message))?;
    let source = format!("{INCLUDE_BOOT}{rewritten}");
    let root = Value::from_object(Root(Arc::clone(run)));
    let rendered = state.env().render_named_str(TEMPLATE, &source, root);
    rendered.or_else(|error| match returned(&error) {
        Some(value) => Ok(value.to_string()),
        None => Err(error),
    })
}
