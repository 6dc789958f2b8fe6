//! A method taken as a value: `{% set f = relation.include %}`.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, State};

/// An object and the name of one of its methods.
#[derive(Debug)]
pub(in crate::jinja) struct BoundMethod {
    object: Value,
    method: &'static str,
}

impl BoundMethod {
    /// The method as a value.
    pub(in crate::jinja) fn value(object: Value, method: &'static str) -> Value {
        Value::from_object(Self { object, method })
    }
}

impl Object for BoundMethod {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.object.call_method(state, self.method, args)
    }
}
