//! The functions of dbt's context. They are globals of the engine and find their render in the
//! State that calls them.

pub(super) mod adapter;
pub(super) mod config;
mod data;
pub(super) mod filters;
mod flow;
pub(super) mod lookup;
pub(super) mod methods;
mod modules;
mod statement;

use minijinja::value::{Object, Value};
use minijinja::{Environment, Error, State};

use super::context::{RenderState, Shared};
use super::native::time::Moment;
use super::value::{Dict, from_json};

/// A named function of Rust that can be passed around as a value.
pub(super) struct Function {
    name: &'static str,
    call: fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<function {}>", self.name)
    }
}

impl Object for Function {
    fn repr(self: &std::sync::Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn call(
        self: &std::sync::Arc<Self>,
        state: &mut State<'_, '_>,
        args: &[Value],
    ) -> Result<Value, Error> {
        (self.call)(state, args)
    }

    fn call_method(
        self: &std::sync::Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match (self.name, method) {
            ("var", "has_var") => lookup::has_var(state, args),
            _ => Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        }
    }
}

type Body = fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

/// A function as a value.
pub(super) fn function(name: &'static str, call: Body) -> Value {
    Value::from_object(Function { name, call })
}

/// What `dbt_version` says.
const DBT_VERSION: &str = "1.11.0";

/// Adds the globals that ask for no node: those that YAML files have as well.
pub(super) fn register_plain(env: &mut Environment<'static>) {
    for (name, body) in data::FUNCTIONS {
        env.add_global(*name, function(name, *body));
    }
    env.add_global("modules", modules::modules());
    env.add_global("dbt_version", DBT_VERSION);
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    let started = Moment::utc(&now);
    env.add_global(
        "run_started_at",
        started.map_or(Value::from(()), Moment::value),
    );
}

/// Adds every global to an environment.
pub(super) fn register(env: &mut Environment<'static>, shared: &Shared) {
    env.add_function("__boot", RenderState::boot);
    env.add_function("__keep", RenderState::keep);
    for (name, body) in lookup::FUNCTIONS
        .iter()
        .chain(flow::FUNCTIONS)
        .chain(data::FUNCTIONS)
        .chain(statement::FUNCTIONS)
    {
        env.add_global(*name, function(name, *body));
    }
    env.add_global("adapter", Value::from_object(adapter::Adapter));
    env.add_global("api", adapter::api());
    env.add_global("exceptions", flow::exceptions());
    data::register_filters(env);
    filters::register(env);
    env.add_function("cycler", minijinja_contrib::globals::cycler);
    env.add_function("joiner", minijinja_contrib::globals::joiner);
    env.add_global("modules", modules::modules());
    env.add_global("builtins", builtins());
    let settings = &shared.settings;
    env.add_global("target", from_json(&settings.target));
    env.add_global("flags", from_json(&settings.flags));
    env.add_global("invocation_id", settings.invocation_id.as_str());
    env.add_global("project_name", settings.project_name.as_str());
    let started = Moment::utc(&settings.run_started_at);
    env.add_global(
        "run_started_at",
        started.map_or(Value::from(()), Moment::value),
    );
    env.add_global("dbt_version", DBT_VERSION);
    env.add_global("dbt_metadata_envs", data::metadata_envs(&settings.env));
}

/// `builtins`: the functions that a macro of the same name may hide.
fn builtins() -> Value {
    let names = lookup::FUNCTIONS
        .iter()
        .map(|(name, body)| (Value::from(*name), function(name, *body)));
    Dict::value(names.collect())
}
