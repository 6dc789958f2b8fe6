//! Python's dict: shared, mutable, in order of insertion. The lock is never held while a value
//! is compared, rendered or converted.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use indexmap::IndexMap;
use minijinja::value::{
    DynObject, Enumerator, Kwargs, Object, ObjectRepr, Tuple, Value, from_args,
};
use minijinja::{Error, ErrorKind, State};

use super::{List, own, repr};

/// A dictionary that templates can change.
#[derive(Debug, Default)]
pub(in crate::jinja) struct Dict(Mutex<IndexMap<Value, Value>>);

impl Dict {
    /// A value that is a dictionary of these.
    pub(in crate::jinja) fn value(entries: IndexMap<Value, Value>) -> Value {
        Value::from_object(Self(Mutex::new(entries)))
    }

    fn lock(&self) -> MutexGuard<'_, IndexMap<Value, Value>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A copy of the entries.
    pub(in crate::jinja) fn entries(&self) -> IndexMap<Value, Value> {
        self.lock().clone()
    }

    fn update(&self, args: &[Value]) -> Result<Value, Error> {
        let (other, kwargs): (Option<Value>, Kwargs) = from_args(args)?;
        let mut new = match other {
            Some(other) => pairs(&other)?,
            None => IndexMap::new(),
        };
        for name in kwargs.args().map(str::to_owned).collect::<Vec<_>>() {
            new.insert(Value::from(&name), kwargs.get::<Value>(&name)?);
        }
        self.lock().extend(new);
        Ok(Value::from(()))
    }

    fn pop(&self, args: &[Value]) -> Result<Value, Error> {
        let (key, _): (Value, Option<Value>) = from_args(args)?;
        // a default of `none` is one, too
        match self.lock().shift_remove(&key).or(args.get(1).cloned()) {
            Some(value) => Ok(value),
            None => Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("KeyError: {}", repr(&key)),
            )),
        }
    }

    fn setdefault(&self, args: &[Value]) -> Result<Value, Error> {
        let (key, default): (Value, Option<Value>) = from_args(args)?;
        let default = default.unwrap_or_else(|| Value::from(()));
        Ok(self.lock().entry(key).or_insert(default).clone())
    }
}

/// The pairs of a mapping, or of a sequence of pairs.
fn pairs(value: &Value) -> Result<IndexMap<Value, Value>, Error> {
    if let Some(object) = value.as_object()
        && matches!(object.repr(), ObjectRepr::Map)
    {
        return Ok(object.try_iter_pairs().into_iter().flatten().collect());
    }
    let mut map = IndexMap::new();
    for pair in value.try_iter()? {
        let mut items = pair.try_iter()?;
        match (items.next(), items.next(), items.next()) {
            (Some(key), Some(value), None) => map.insert(key, value),
            _ => {
                let message = "a dictionary is made from pairs";
                return Err(Error::new(ErrorKind::InvalidOperation, message));
            }
        };
    }
    Ok(map)
}

impl Object for Dict {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.lock().get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.lock().keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.lock().len())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                let found = self.lock().get(&key).cloned();
                Ok(found.or(default).unwrap_or_else(|| Value::from(())))
            }
            "keys" => Ok(List::value(self.lock().keys().cloned().collect())),
            "values" => Ok(List::value(self.lock().values().cloned().collect())),
            "items" => {
                let tuple =
                    |(k, v): (&Value, &Value)| Value::from(Tuple::from([k.clone(), v.clone()]));
                Ok(List::value(self.lock().iter().map(tuple).collect()))
            }
            "update" => self.update(args),
            "pop" => self.pop(args),
            "setdefault" => self.setdefault(args),
            // Results of nodes, which are objects of their own in dbt, are asked for it.
            "copy" | "to_dict" => Ok(Self::value(self.entries())),
            "clear" => {
                self.lock().clear();
                Ok(Value::from(()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        let (mut a, mut b) = (self.entries(), other.entries());
        a.sort_unstable_keys();
        b.sort_unstable_keys();
        Some(a.into_iter().cmp(b))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (key, value)) in self.entries().iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{}: {}", repr(key), repr(value))?;
        }
        f.write_str("}")
    }
}

/// `{…}` of a template, and `dict(…)`: a fresh dictionary at each evaluation.
pub(in crate::jinja) fn literal(value: Value) -> Result<Value, Error> {
    let entries = pairs(&value)?;
    Ok(Dict::value(
        entries.into_iter().map(|(k, v)| (k, own(v))).collect(),
    ))
}

/// The function `dict(pairs, key=value)`.
pub(in crate::jinja) fn dict(args: &[Value]) -> Result<Value, Error> {
    let dict = Dict::default();
    dict.update(args)?;
    Ok(Value::from_object(dict))
}
