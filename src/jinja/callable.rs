//! Macros as values. A [`MacroCallable`] is shared by all threads; the macro itself is loaded
//! into the State that calls it, so that `caller()` and closures work across files.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Kwargs, Object, Tuple, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::context::RenderState;
use super::error::{fail, from_call, returned};
use super::registry::MacroDef;
use super::value::{Dict, own};

/// A macro that can be called from any template.
pub(super) struct MacroCallable(Arc<MacroDef>);

impl MacroCallable {
    pub(super) fn value(def: &Arc<MacroDef>) -> Value {
        Value::from_object(Self(Arc::clone(def)))
    }
}

impl fmt::Debug for MacroCallable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<macro {}>", self.0.unique_id)
    }
}

impl Object for MacroCallable {
    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "name" => Some(Value::from(&self.0.block.name)),
            "package_name" => Some(Value::from(&self.0.package)),
            "unique_id" => Some(Value::from(&self.0.unique_id)),
            _ => None,
        }
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        call(&self.0, state, args)
    }
}

/// Calls a macro; `return(x)` inside of it ends here.
pub(super) fn call(
    def: &Arc<MacroDef>,
    state: &mut State<'_, '_>,
    args: &[Value],
) -> Result<Value, Error> {
    let session = RenderState::of(state)?;
    session.run.note_macro(&def.unique_id);
    let known = session.macros.get(&def.unique_id).cloned();
    let inner = match known {
        Some(inner) => inner,
        None => load(def, state)?,
    };
    let bound = bind(def, args)?;
    match inner.call(state, &bound) {
        Ok(text) => Ok(text),
        Err(error) => match returned(&error) {
            Some(value) => Ok(own(value)),
            None => Err(from_call(error)),
        },
    }
}

/// Brings a macro into this State: the loader macro imports its template and hands the macro
/// to `__keep`.
fn load(def: &Arc<MacroDef>, state: &mut State<'_, '_>) -> Result<Value, Error> {
    let loader = RenderState::of(state)?.loader.clone();
    loader.call(state, &[Value::from(&def.unique_id)])?;
    let session = RenderState::of(state)?;
    let found = session.macros.get(&def.unique_id).cloned();
    found.ok_or_else(|| fail(format!("macro `{}` could not be loaded", def.unique_id)))
}

/// Binds arguments by jinja2's rules: missing ones are undefined, superfluous ones go to
/// `varargs` and `kwargs` if the macro names them and are an error otherwise.
fn bind(def: &MacroDef, args: &[Value]) -> Result<Vec<Value>, Error> {
    let (positional, mut named, caller) = split(args)?;
    let params = &def.block.params;
    let mut bound = Vec::with_capacity(params.len() + 3);
    for (index, param) in params.iter().enumerate() {
        let by_name = named.shift_remove(param.name.as_str());
        match (positional.get(index), by_name) {
            (Some(_), Some(_)) => {
                let name = &param.name;
                return Err(arguments(def, &format!("got two values for `{name}`")));
            }
            (Some(value), None) => bound.push(own(value.clone())),
            (None, Some(value)) => bound.push(own(value)),
            (None, None) => bound.push(Value::UNDEFINED),
        }
    }
    let rest = positional.get(params.len()..).unwrap_or_default();
    if def.block.varargs {
        let rest: Vec<Value> = rest.iter().cloned().map(own).collect();
        bound.push(Value::from(Tuple::from(rest)));
    } else if !rest.is_empty() {
        let message = format!(
            "takes {}, {} were given",
            count(params.len()),
            positional.len()
        );
        return Err(arguments(def, &message));
    }
    if def.block.kwargs {
        let named = named.into_iter().map(|(k, v)| (Value::from(k), own(v)));
        bound.push(Dict::value(named.collect()));
    } else if let Some(name) = named.keys().next() {
        return Err(arguments(def, &format!("has no argument `{name}`")));
    }
    if let Some(caller) = caller {
        bound.push(Value::from(Kwargs::from_iter([("caller", caller)])));
    }
    Ok(bound)
}

/// `1 argument`, `2 arguments`.
fn count(arguments: usize) -> String {
    match arguments {
        1 => "1 argument".to_owned(),
        many => format!("{many} arguments"),
    }
}

fn arguments(def: &MacroDef, what: &str) -> Error {
    let names: Vec<&str> = def.block.params.iter().map(|p| p.name.as_str()).collect();
    super::error::fail_with(
        format!("macro `{}` {what}", def.block.name),
        format!("its arguments are ({})", names.join(", ")),
    )
}

type Split<'a> = (&'a [Value], IndexMap<String, Value>, Option<Value>);

/// Positional arguments, named ones, and the caller of a call block.
fn split(args: &[Value]) -> Result<Split<'_>, Error> {
    let Some((last, before)) = args.split_last().filter(|(last, _)| last.is_kwargs()) else {
        return Ok((args, IndexMap::new(), None));
    };
    let kwargs = Kwargs::try_from(last.clone())?;
    let mut named = IndexMap::new();
    for name in kwargs.args() {
        named.insert(name.to_owned(), kwargs.peek::<Value>(name)?);
    }
    let caller = named.shift_remove("caller");
    Ok((before, named, caller))
}

/// A package as a namespace: `dbt_utils.star(…)`.
#[derive(Debug)]
pub(super) struct Namespace {
    package: String,
    members: HashMap<String, Value>,
}

impl Namespace {
    pub(super) fn value(package: &str, members: HashMap<String, Value>) -> Value {
        Value::from_object(Self {
            package: package.to_owned(),
            members,
        })
    }

    /// The same namespace with another member.
    pub(super) fn with(&self, name: &str, member: Value) -> Value {
        let mut members = self.members.clone();
        members.insert(name.to_owned(), member);
        Self::value(&self.package, members)
    }
}

impl Object for Namespace {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.members.get(key.as_str()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.members.keys().map(Value::from).collect())
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if let Some(found) = self.members.get(method) {
            return found.call(state, args);
        }
        if method == "get" {
            // A package is a dictionary of its macros.
            let (name, default): (String, Option<Value>) = from_args(args)?;
            let found = self.members.get(&name).cloned().or(default);
            return Ok(found.unwrap_or_else(|| Value::from(())));
        }
        let nearest = crate::diag::nearest(method, self.members.keys().map(String::as_str));
        let hint = match nearest {
            Some(name) => format!("did you mean `{}.{name}`?", self.package),
            None => format!("check the version of package `{}`", self.package),
        };
        let message = format!("package `{}` has no macro `{method}`", self.package);
        let error = super::LookupError {
            message: message.clone(),
            hint: Some(hint),
        };
        Err(Error::new(ErrorKind::UnknownFunction, message).with_source(error))
    }
}
