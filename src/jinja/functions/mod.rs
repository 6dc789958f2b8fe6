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

use indexmap::IndexMap;
use minijinja::value::{Object, Value};
use minijinja::{Environment, Error, State};

use serde_json::json;

use super::Settings;
use super::context::{RenderState, Shared};
use super::native::time::Moment;
use super::value::{Dict, from_json};

/// A named function of Rust that can be passed around as a value.
pub(super) struct Function {
    name: &'static str,
    call: fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>,
    /// dbt's `ref.config`: the project at run time, which packages look into.
    config: Option<Value>,
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

    fn get_value(self: &std::sync::Arc<Self>, key: &Value) -> Option<Value> {
        let config = self.config.as_ref()?;
        (key.as_str() == Some("config")).then(|| config.clone())
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
    Value::from_object(Function {
        name,
        call,
        config: None,
    })
}

/// What `ref.config` tells of the project: its name and version, its packages and vars.
fn runtime_config(settings: &Settings) -> Value {
    let no_vars = IndexMap::new();
    let vars = |package: &str| settings.vars.get(package).unwrap_or(&no_vars);
    let package = |name: &String| {
        let version = settings.versions.get(name);
        let told =
            json!({ "project_name": name, "name": name, "version": version, "vars": vars(name) });
        (name.clone(), told)
    };
    let packages: serde_json::Map<_, _> = settings.vars.keys().map(package).collect();
    let root = &settings.project_name;
    from_json(&json!({
        "project_name": root,
        "version": settings.versions.get(root),
        "vars": vars(root),
        "cli_vars": settings.cli_vars,
        "dependencies": packages,
        "target_name": settings.target["name"],
        "profile_name": settings.target["profile_name"],
        "threads": settings.target["threads"],
        "credentials": settings.target,
        "args": {},
    }))
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
    let reference = Value::from_object(Function {
        name: "ref",
        call: lookup::reference,
        config: Some(runtime_config(&shared.settings)),
    });
    env.add_global("ref", reference.clone());
    env.add_global("adapter", Value::from_object(adapter::Adapter));
    env.add_global("api", adapter::api());
    env.add_global("exceptions", flow::exceptions());
    data::register_filters(env);
    filters::register(env);
    env.add_function("cycler", minijinja_contrib::globals::cycler);
    env.add_function("joiner", minijinja_contrib::globals::joiner);
    env.add_global("modules", modules::modules());
    env.add_global("builtins", builtins(reference));
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
fn builtins(reference: Value) -> Value {
    let names = lookup::FUNCTIONS
        .iter()
        .map(|(name, body)| (Value::from(*name), function(name, *body)));
    let named = (Value::from("ref"), reference);
    Dict::value(names.chain([named]).collect())
}
