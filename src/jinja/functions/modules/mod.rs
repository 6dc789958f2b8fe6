//! `modules`: the parts of Python's library that dbt gives to templates.

mod datetime;
mod itertools;
mod re;

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, State};

use super::Body;
use crate::jinja::value::Dict;

/// A module or class: functions by name, constants, and perhaps a constructor.
pub(super) struct Module {
    name: &'static str,
    functions: &'static [(&'static str, Body)],
    constants: fn(&str) -> Option<Value>,
    constructor: Option<Body>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<module {}>", self.name)
    }
}

impl Object for Module {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        if let Some(constant) = (self.constants)(key) {
            return Some(constant);
        }
        let (name, body) = self.functions.iter().find(|(name, _)| *name == key)?;
        Some(super::function(name, *body))
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        match self.constructor {
            Some(constructor) => constructor(state, args),
            None => Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("{} cannot be called", self.name),
            )),
        }
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match self.functions.iter().find(|(name, _)| *name == method) {
            Some((_, body)) => body(state, args),
            None => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// `modules` as a value.
pub(super) fn modules() -> Value {
    let modules = [
        ("datetime", datetime::module()),
        ("pytz", datetime::pytz()),
        ("re", re::module()),
        ("itertools", itertools::module()),
    ];
    Dict::value(
        modules
            .into_iter()
            .map(|(name, module)| (Value::from(name), module))
            .collect(),
    )
}

/// For modules without constants.
fn none(_: &str) -> Option<Value> {
    None
}
