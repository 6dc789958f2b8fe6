//! The `config` object: called, it collects at parse time; its methods read the resolved config.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::{Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};
use serde_json::Value as Json;

use crate::jinja::context::{Mode, Run};
use crate::jinja::error::fail_with;
use crate::jinja::native::BoundMethod;
use crate::jinja::value::{from_json, to_json};

/// `config` of one render.
#[derive(Debug)]
pub(in crate::jinja) struct ConfigObject(pub(in crate::jinja) Arc<Run>);

const METHODS: [&str; 8] = [
    "get",
    "meta_get",
    "meta_require",
    "model",
    "persist_column_docs",
    "persist_relation_docs",
    "require",
    "set",
];

impl ConfigObject {
    fn get(&self, args: &[Value]) -> Result<Value, Error> {
        let (name, default, _): (String, Option<Value>, Kwargs) = named(args, "default")?;
        if matches!(self.0.mode, Mode::Scan(_)) {
            return Ok(default.unwrap_or_else(|| Value::from("")));
        }
        Ok(self
            .value(&name)
            .or(default)
            .unwrap_or_else(|| Value::from(())))
    }

    fn value(&self, name: &str) -> Option<Value> {
        let config = &self.0.node.config;
        if let Some(value) = config.get(name) {
            return (!value.is_null()).then(|| from_json(value));
        }
        config.get("meta").and_then(|m| m.get(name)).map(from_json)
    }

    fn require(&self, name: &str, value: Option<Value>) -> Result<Value, Error> {
        if matches!(self.0.mode, Mode::Scan(_)) {
            return Ok(Value::from(""));
        }
        value.ok_or_else(|| {
            fail_with(
                format!("{} needs the config `{name}`", self.0.node.id),
                format!("set it, for example with {{{{ config({name}=…) }}}}"),
            )
        })
    }

    fn meta(&self, name: &str) -> Option<Value> {
        let meta = self.0.node.config.get("meta")?;
        meta.get(name).map(from_json)
    }

    fn persists(&self, what: &str) -> bool {
        let docs = self.0.node.config.get("persist_docs");
        docs.and_then(|d| d.get(what))
            .and_then(Json::as_bool)
            .unwrap_or(false)
    }
}

/// A name, and a second argument that may be given by its name.
fn named(args: &[Value], second: &str) -> Result<(String, Option<Value>, Kwargs), Error> {
    let (name, value, kwargs): (String, Option<Value>, Kwargs) = from_args(args)?;
    let value = match value {
        Some(value) => Some(value),
        None => kwargs.get::<Option<Value>>(second)?,
    };
    Ok((name, value, kwargs))
}

impl Object for ConfigObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = METHODS.iter().find(|m| key.as_str() == Some(**m))?;
        Some(BoundMethod::value(
            Value::from_dyn_object(Arc::clone(self)),
            name,
        ))
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (positional, kwargs): (Option<Value>, Kwargs) = from_args(args)?;
        let Some(mut scan) = self.0.scan() else {
            return Ok(Value::from(""));
        };
        let mut entries: IndexMap<String, Json> = IndexMap::new();
        if let Some(map) = positional
            && let Json::Object(map) = to_json(&map)
        {
            entries.extend(map);
        }
        for name in kwargs.args() {
            entries.insert(name.to_owned(), to_json(&kwargs.peek::<Value>(name)?));
        }
        for (dashed, underscored) in [("pre-hook", "pre_hook"), ("post-hook", "post_hook")] {
            if entries.contains_key(dashed) && entries.contains_key(underscored) {
                return Err(fail_with(
                    format!("config() gives both `{underscored}` and `{dashed}`, which are one"),
                    format!("join them in one list: {underscored}=[…]"),
                ));
            }
        }
        scan.configs.push(entries);
        Ok(Value::from(""))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "get" => self.get(args),
            "require" => {
                let (name, _, _) = named(args, "validator")?;
                self.require(&name, self.value(&name))
            }
            "meta_get" => {
                let (name, default, _) = named(args, "default")?;
                Ok(self
                    .meta(&name)
                    .or(default)
                    .unwrap_or_else(|| Value::from(())))
            }
            "meta_require" => {
                let (name, _, _) = named(args, "validator")?;
                self.require(&name, self.meta(&name))
            }
            "set" => {
                let (name, value, _) = named(args, "value")?;
                if let Some(mut scan) = self.0.scan() {
                    let entry = IndexMap::from([(name, to_json(&value.unwrap_or_default()))]);
                    scan.configs.push(entry);
                }
                Ok(Value::from(""))
            }
            "persist_relation_docs" => Ok(Value::from(self.persists("relation"))),
            "persist_column_docs" => Ok(Value::from(self.persists("columns"))),
            "model" => Ok(from_json(&self.0.node.model)),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}
