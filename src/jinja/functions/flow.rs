//! `return`, `log`, `print` and `exceptions`.

use minijinja::value::{Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};
use std::sync::Arc;

use super::Body;
use crate::jinja::context::{Mode, RenderState};
use crate::jinja::error::{fail, returning};
use crate::jinja::{contract, materialization};

/// The functions by name.
pub(super) const FUNCTIONS: &[(&str, Body)] = &[
    ("return", return_value),
    ("log", log),
    ("print", print),
    ("render", render),
];

/// `render(text)`: a text as a template of the node, for example a hook.
fn render(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (text,): (Value,) = from_args(args)?;
    let run = RenderState::run(state)?;
    materialization::render(state, &run, &text.to_string()).map(Value::from)
}

fn return_value(_: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (_, kwargs): (Option<Value>, Kwargs) = from_args(args)?;
    // Something undefined is returned as it is: an absent argument is another thing.
    let value = match args.first().filter(|value| !value.is_kwargs()) {
        Some(value) => value.clone(),
        None => kwargs
            .get::<Option<Value>>("data")?
            .unwrap_or_else(|| Value::from(())),
    };
    Err(returning(value))
}

fn log(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (message, info, kwargs): (Value, Option<Value>, Kwargs) = from_args(args)?;
    let info = match info {
        Some(info) => info.is_true(),
        None => kwargs
            .get::<Option<Value>>("info")?
            .is_some_and(|v| v.is_true()),
    };
    tell(state, &message, info)
}

fn print(state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
    let (message,): (Value,) = from_args(args)?;
    tell(state, &message, true)
}

fn tell(state: &State<'_, '_>, message: &Value, info: bool) -> Result<Value, Error> {
    if let Mode::Live { db: Some(db), .. } = &RenderState::of(state)?.run.mode {
        db.log(&message.to_string(), info);
    }
    Ok(Value::from(""))
}

/// The `exceptions` object.
#[derive(Debug)]
struct Exceptions;

/// `exceptions` as a value.
pub(super) fn exceptions() -> Value {
    Value::from_object(Exceptions)
}

impl Object for Exceptions {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let text = |i: usize| args.get(i).map(Value::to_string).unwrap_or_default();
        match method {
            "warn" => {
                if let Mode::Live { db: Some(db), .. } = &RenderState::of(state)?.run.mode {
                    db.warn(&text(0));
                }
                Ok(Value::from(""))
            }
            "raise_compiler_error"
            | "raise_parsing_error"
            | "raise_database_error"
            | "raise_not_implemented"
            | "raise_fail_fast_error"
            | "raise_dependency_error"
            | "raise_duplicate_resource_name"
            | "raise_invalid_property_yml_version"
            | "raise_duplicate_alias" => Err(fail(text(0))),
            "raise_contract_error" => {
                let of = |i: usize| args.get(i).cloned().unwrap_or_default();
                Err(contract::raise(&of(0), &of(1)))
            }
            "missing_config" => Err(fail(format!("the config `{}` is missing", text(1)))),
            "missing_materialization" => {
                Err(fail(format!("there is no materialization `{}`", text(1))))
            }
            "missing_relation" => Err(fail(format!("the relation {} does not exist", text(0)))),
            "relation_wrong_type" => Err(fail(format!("{} is not a {}", text(0), text(1)))),
            "column_type_missing" => {
                Err(fail(format!("these columns need a data_type: {}", text(0))))
            }
            "ref_target_not_found" => Err(fail(format!("no node is called {}", text(1)))),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}
