//! Python's list: shared and mutable. The lock is never held while a value is compared,
//! rendered or converted, since those may come back to the same list.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::{own, repr};

/// A list that templates can change.
#[derive(Debug, Default)]
pub(in crate::jinja) struct List(Mutex<Vec<Value>>);

impl List {
    /// A value that is a list of these.
    pub(in crate::jinja) fn value(items: Vec<Value>) -> Value {
        Value::from_object(Self(Mutex::new(items)))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A copy of the items.
    pub(in crate::jinja) fn items(&self) -> Vec<Value> {
        self.lock().clone()
    }

    fn insert(&self, args: &[Value]) -> Result<Value, Error> {
        let (index, item): (i64, Value) = from_args(args)?;
        let mut items = self.lock();
        let at = index_in(index, items.len());
        items.insert(at, item);
        Ok(Value::from(()))
    }

    fn pop(&self, args: &[Value]) -> Result<Value, Error> {
        let (index,): (Option<i64>,) = from_args(args)?;
        let mut items = self.lock();
        let index = index.unwrap_or(-1);
        let at = if index < 0 {
            index + items.len() as i64
        } else {
            index
        };
        if at < 0 || at as usize >= items.len() {
            let what = if items.is_empty() {
                "pop from empty list"
            } else {
                "pop index out of range"
            };
            return Err(Error::new(ErrorKind::InvalidOperation, what));
        }
        Ok(items.remove(at as usize))
    }

    fn remove(&self, args: &[Value]) -> Result<Value, Error> {
        let (item,): (Value,) = from_args(args)?;
        let Some(at) = self.items().iter().position(|v| *v == item) else {
            let message = "list.remove(x): x is not in the list";
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        };
        self.lock().remove(at);
        Ok(Value::from(()))
    }

    fn index(&self, args: &[Value]) -> Result<Value, Error> {
        let (item,): (Value,) = from_args(args)?;
        match self.items().iter().position(|v| *v == item) {
            Some(at) => Ok(Value::from(at)),
            None => Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("{} is not in list", repr(&item)),
            )),
        }
    }
}

/// Python's index for `insert`: negative counts from the end, out of range is clamped.
fn index_in(index: i64, len: usize) -> usize {
    let len = len as i64;
    let at = if index < 0 {
        (index + len).max(0)
    } else {
        index.min(len)
    };
    at as usize
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.lock().get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.lock().len())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "append" => {
                let (item,): (Value,) = from_args(args)?;
                self.lock().push(item);
            }
            "extend" => {
                let (items,): (Value,) = from_args(args)?;
                let items: Vec<Value> = items.try_iter()?.collect();
                self.lock().extend(items);
            }
            "insert" => return self.insert(args),
            "pop" => return self.pop(args),
            "remove" => return self.remove(args),
            "index" => return self.index(args),
            "clear" => self.lock().clear(),
            "reverse" => self.lock().reverse(),
            "copy" => return Ok(Self::value(self.items())),
            "sort" => {
                let filtered = super::call_filter(state, "sort", &Value::from(self.items()), args)?;
                *self.lock() = filtered.try_iter()?.collect();
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some(self.items().cmp(&other.items()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, item) in self.items().iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(&repr(item))?;
        }
        f.write_str("]")
    }
}

/// `[…]` of a template: a fresh list at each evaluation.
pub(in crate::jinja) fn literal(value: Value) -> Result<Value, Error> {
    Ok(List::value(value.try_iter()?.map(own).collect()))
}
