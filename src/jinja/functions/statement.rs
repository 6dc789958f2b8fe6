//! Named results: `store_result`, `load_result`. The macros `statement` and `run_query` of
//! package `dbt` are built on them.

use indexmap::IndexMap;
use minijinja::value::{Kwargs, Value, from_args};
use minijinja::{Error, State};

use super::Body;
use crate::jinja::context::RenderState;
use crate::jinja::native::plain_rows;
use crate::jinja::value::Dict;

/// The functions by name.
pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("load_result", load_result),
    ("store_result", store_result),
    ("store_raw_result", store_raw_result),
];

fn load_result(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name,): (String,) = from_args(args)?;
    let run = RenderState::run(state)?;
    let found = run.results().get(&name).cloned();
    Ok(found.unwrap_or_else(|| Value::from(())))
}

/// The second argument, or one of two names.
fn argument(kwargs: &Kwargs, positional: Option<Value>, name: &str) -> Result<Value, Error> {
    Ok(match positional {
        Some(value) => value,
        None => kwargs
            .get::<Option<Value>>(name)?
            .unwrap_or_else(|| Value::from(())),
    })
}

fn store_result(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, response, table, kwargs): (String, Option<Value>, Option<Value>, Kwargs) =
        from_args(args)?;
    let response = argument(&kwargs, response, "response")?;
    let table = argument(&kwargs, table, "agate_table")?;
    store(state, name, response, table)
}

fn store_raw_result(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (name, kwargs): (String, Kwargs) = from_args(args)?;
    let response = match kwargs.get::<Option<Value>>("message")? {
        Some(message) => message,
        None => argument(&kwargs, None, "response")?,
    };
    let table = argument(&kwargs, None, "agate_table")?;
    store(state, name, response, table)
}

fn store(
    state: &State<'_, '_>,
    name: String,
    response: Value,
    table: Value,
) -> Result<Value, Error> {
    let data = plain_rows(&table);
    let result = Dict::value(IndexMap::from([
        (Value::from("response"), response),
        (Value::from("data"), data),
        (Value::from("table"), table),
    ]));
    RenderState::run(state)?.results().insert(name, result);
    Ok(Value::from(""))
}
