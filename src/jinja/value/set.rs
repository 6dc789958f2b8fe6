//! Python's set, in order of insertion. The lock is never held while values are compared.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use indexmap::IndexSet;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::repr;

/// A set that templates can change.
#[derive(Debug, Default)]
pub(in crate::jinja) struct Set(Mutex<IndexSet<Value>>);

impl Set {
    /// A value that is a set of the items of an iterable.
    pub(in crate::jinja) fn of(items: &Value) -> Result<Value, Error> {
        Ok(Self::value(items.try_iter()?.collect()))
    }

    fn value(items: IndexSet<Value>) -> Value {
        Value::from_object(Self(Mutex::new(items)))
    }

    fn lock(&self) -> MutexGuard<'_, IndexSet<Value>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn items(&self) -> IndexSet<Value> {
        self.lock().clone()
    }
}

impl Object for Set {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items().into_iter().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.lock().len())
    }

    /// Sets are equal whatever the order in which they were filled.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        let sorted = |set: &Self| {
            let mut items: Vec<Value> = set.items().into_iter().collect();
            items.sort();
            items
        };
        Some(sorted(self).cmp(&sorted(other)))
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let (arg,): (Option<Value>,) = from_args(args)?;
        let arg = arg.unwrap_or_default();
        let mine = self.items();
        let other = || -> Result<IndexSet<Value>, Error> { Ok(arg.try_iter()?.collect()) };
        Ok(match method {
            "add" => {
                self.lock().insert(arg);
                Value::from(())
            }
            "discard" | "remove" => {
                self.lock().shift_remove(&arg);
                Value::from(())
            }
            "update" => {
                let new = other()?;
                self.lock().extend(new);
                Value::from(())
            }
            "copy" => Self::value(mine),
            "union" => Self::value(mine.into_iter().chain(other()?).collect()),
            "intersection" => {
                let other = other()?;
                Self::value(mine.into_iter().filter(|v| other.contains(v)).collect())
            }
            "difference" => {
                let other = other()?;
                Self::value(mine.into_iter().filter(|v| !other.contains(v)).collect())
            }
            "issubset" => Value::from(mine.is_subset(&other()?)),
            "issuperset" => Value::from(mine.is_superset(&other()?)),
            "isdisjoint" => Value::from(mine.is_disjoint(&other()?)),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.items();
        if items.is_empty() {
            return f.write_str("set()");
        }
        let texts: Vec<String> = items.iter().map(repr).collect();
        write!(f, "{{{}}}", texts.join(", "))
    }
}
