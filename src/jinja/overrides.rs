//! What a unit test sees instead of the project's own: vars, environment variables, and
//! macros that return a value without being run.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};
use serde_json::Value as Json;

use super::Settings;
use super::callable::Namespace;
use super::registry::Table;
use super::value::from_json;

/// Values that win over the project's for one engine.
#[derive(Clone, Debug, Default)]
pub struct EngineOverrides {
    /// What macros return, by `name` or `package.name`.
    pub macros: IndexMap<String, Json>,
    /// Vars; they win over the command line's.
    pub vars: IndexMap<String, Json>,
    /// Environment variables.
    pub env_vars: IndexMap<String, Json>,
}

impl EngineOverrides {
    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.macros.is_empty() && self.vars.is_empty() && self.env_vars.is_empty()
    }

    pub(super) fn apply_to(&self, settings: &mut Settings) {
        for (name, value) in &self.vars {
            settings.cli_vars.insert(name.clone(), value.clone());
        }
        if !self.env_vars.is_empty() {
            let env = Arc::make_mut(&mut settings.env);
            for (name, value) in &self.env_vars {
                let text = match value {
                    Json::String(text) => text.clone(),
                    other => other.to_string(),
                };
                env.insert(name.clone(), text);
            }
        }
    }
}

/// A name table in which overridden macros are constants.
pub(super) fn over(table: Arc<Table>, macros: &IndexMap<String, Json>) -> Arc<Table> {
    if macros.is_empty() {
        return table;
    }
    let mut table = (*table).clone();
    for (name, value) in macros {
        let constant = Value::from_object(Constant(from_json(value)));
        match name.split_once('.') {
            None => {
                table.insert(name.clone(), constant);
            }
            Some((package, name)) => {
                let with = table
                    .get(package)
                    .and_then(|space| space.downcast_object_ref::<Namespace>())
                    .map(|space| space.with(name, constant));
                if let Some(with) = with {
                    table.insert(package.to_owned(), with);
                }
            }
        }
    }
    Arc::new(table)
}

/// A macro that returns a value whatever it is called with.
struct Constant(Value);

impl fmt::Debug for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<macro that returns {:?}>", self.0)
    }
}

impl Object for Constant {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        Ok(self.0.clone())
    }
}
