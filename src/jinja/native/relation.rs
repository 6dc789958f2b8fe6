//! Relations in templates, and `api.Relation`. A relation is a mapping with a text of its own:
//! packages test `relation is mapping`, and use relations as keys.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::BoundMethod;
use crate::jinja::error::fail;
use crate::jinja::value::{Dict, to_json};
use crate::names::{Quoting, Relation, RelationKind, quote_ident};

/// A relation and which of its parts are rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jinja) struct RelationObject {
    relation: Relation,
    /// database, schema, identifier
    include: [bool; 3],
    /// What stands in SQL instead of its name, while it is used as it was given.
    read_as: Option<String>,
}

const METHODS: [&str; 11] = [
    "get",
    "include",
    "incorporate",
    "information_schema",
    "matches",
    "quote",
    "quoted",
    "render",
    "replace_path",
    "without_identifier",
    "create",
];

/// A relation as a value.
pub(in crate::jinja) fn relation_value(relation: &Relation) -> Value {
    Value::from_object(RelationObject {
        relation: relation.clone(),
        include: [true; 3],
        read_as: None,
    })
}

/// A relation that SQL reads as something else than its name, for example no rows of it.
pub(in crate::jinja) fn read_relation(relation: &Relation, read_as: Option<String>) -> Value {
    Value::from_object(RelationObject {
        relation: relation.clone(),
        include: [true; 3],
        read_as,
    })
}

/// The relation inside a value.
pub(in crate::jinja) fn relation_of(value: &Value) -> Option<Relation> {
    value
        .downcast_object_ref::<RelationObject>()
        .map(|object| object.relation.clone())
}

impl RelationObject {
    fn rendered(&self) -> String {
        let mut relation = self.relation.clone();
        let parts = [
            &mut relation.database,
            &mut relation.schema,
            &mut relation.identifier,
        ];
        for (part, include) in parts.into_iter().zip(self.include) {
            if !include {
                part.clear();
            }
        }
        relation.to_string()
    }

    fn kind_is(&self, kind: RelationKind) -> Value {
        Value::from(self.relation.kind == Some(kind))
    }

    fn with(&self, relation: Relation) -> Value {
        Value::from_object(Self {
            relation,
            include: self.include,
            read_as: None,
        })
    }

    fn include(&self, args: &[Value]) -> Result<Value, Error> {
        let (kwargs,): (Kwargs,) = from_args(args)?;
        let mut new = self.clone();
        for (at, name) in ["database", "schema", "identifier"].into_iter().enumerate() {
            if let Some(include) = kwargs.get::<Option<bool>>(name)? {
                new.include[at] = include;
            }
        }
        Ok(Value::from_object(new))
    }

    fn quote(&self, args: &[Value]) -> Result<Value, Error> {
        let (kwargs,): (Kwargs,) = from_args(args)?;
        let mut relation = self.relation.clone();
        let quoting = &mut relation.quoting;
        for (name, part) in [
            ("database", &mut quoting.database),
            ("schema", &mut quoting.schema),
            ("identifier", &mut quoting.identifier),
        ] {
            if let Some(quoted) = kwargs.get::<Option<bool>>(name)? {
                *part = quoted;
            }
        }
        Ok(self.with(relation))
    }

    fn incorporate(&self, args: &[Value]) -> Result<Value, Error> {
        let (kwargs,): (Kwargs,) = from_args(args)?;
        let mut relation = self.relation.clone();
        if let Some(path) = kwargs.get::<Option<Value>>("path")? {
            set_parts(&mut relation, |name| path.get_attr(name).ok());
        }
        if let Some(kind) = kwargs.get::<Option<Value>>("type")? {
            relation.kind = kind_of(&kind.to_string());
        }
        Ok(self.with(relation))
    }

    fn replace_path(&self, args: &[Value]) -> Result<Value, Error> {
        let (kwargs,): (Kwargs,) = from_args(args)?;
        let mut relation = self.relation.clone();
        set_parts(&mut relation, |name| kwargs.peek::<Value>(name).ok());
        Ok(self.with(relation))
    }

    fn matches(&self, args: &[Value]) -> Result<Value, Error> {
        let (kwargs,): (Kwargs,) = from_args(args)?;
        let relation = &self.relation;
        for (name, mine) in [
            ("database", &relation.database),
            ("schema", &relation.schema),
            ("identifier", &relation.identifier),
        ] {
            let other = kwargs.get::<Option<Value>>(name)?;
            if other.is_some_and(|other| other.is_true() && other.to_string() != *mine) {
                return Ok(Value::from(false));
            }
        }
        Ok(Value::from(true))
    }

    fn information_schema(&self, args: &[Value]) -> Result<Value, Error> {
        let (view,): (Option<String>,) = from_args(args)?;
        let mut relation = Relation::new(
            self.relation.database.clone(),
            "information_schema",
            view.unwrap_or_default(),
        );
        relation.quoting = Quoting {
            database: self.relation.quoting.database,
            schema: false,
            identifier: false,
        };
        Ok(relation_value(&relation))
    }
}

/// Sets the parts of a name for which `find` gives text or none.
fn set_parts(relation: &mut Relation, find: impl Fn(&str) -> Option<Value>) {
    for (name, part) in [
        ("database", &mut relation.database),
        ("schema", &mut relation.schema),
        ("identifier", &mut relation.identifier),
    ] {
        match find(name) {
            Some(value) if value.is_none() => part.clear(),
            Some(value) if !value.is_undefined() => *part = value.to_string(),
            _ => {}
        }
    }
}

/// A relation's kind by dbt's word.
fn kind_of(word: &str) -> Option<RelationKind> {
    Some(match word {
        "table" => RelationKind::Table,
        "view" => RelationKind::View,
        "materialized_view" => RelationKind::MaterializedView,
        "cte" | "ephemeral" => RelationKind::Cte,
        "external" => RelationKind::External,
        _ => return None,
    })
}

fn text_or_none(text: &str) -> Value {
    if text.is_empty() {
        Value::from(())
    } else {
        Value::from(text)
    }
}

impl Object for RelationObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let relation = &self.relation;
        let key = key.as_str()?;
        Some(match key {
            "database" => text_or_none(&relation.database),
            "schema" => text_or_none(&relation.schema),
            "identifier" | "name" | "table" => text_or_none(&relation.identifier),
            "type" => relation
                .kind
                .map_or(Value::from(()), |k| Value::from(k.as_str())),
            "is_table" => self.kind_is(RelationKind::Table),
            "is_view" => self.kind_is(RelationKind::View),
            "is_cte" => self.kind_is(RelationKind::Cte),
            "is_materialized_view" => self.kind_is(RelationKind::MaterializedView),
            "is_pointer" => Value::from(false),
            "can_be_renamed" => Value::from(matches!(
                relation.kind,
                Some(RelationKind::Table | RelationKind::View)
            )),
            "can_be_replaced" => self.kind_is(RelationKind::View),
            "quote_character" => Value::from("\""),
            "path" => parts(
                ["database", "schema", "identifier"]
                    .map(|name| (name, self.get_value_by_str(name).unwrap_or_default())),
            ),
            "quote_policy" => parts([
                ("database", Value::from(relation.quoting.database)),
                ("schema", Value::from(relation.quoting.schema)),
                ("identifier", Value::from(relation.quoting.identifier)),
            ]),
            "include_policy" => parts([
                ("database", Value::from(self.include[0])),
                ("schema", Value::from(self.include[1])),
                ("identifier", Value::from(self.include[2])),
            ]),
            "metadata" => parts([("type", Value::from("PostgresRelation"))]),
            "View" => Value::from("view"),
            "Table" => Value::from("table"),
            "CTE" => Value::from("cte"),
            "MaterializedView" => Value::from("materialized_view"),
            "External" => Value::from("external"),
            _ => {
                let method = METHODS.iter().find(|m| **m == key)?;
                BoundMethod::value(Value::from_dyn_object(Arc::clone(self)), method)
            }
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["database", "schema", "identifier", "type"])
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "render" => Ok(Value::from(self.rendered())),
            "include" => self.include(args),
            "quote" => self.quote(args),
            "incorporate" => self.incorporate(args),
            "replace_path" => self.replace_path(args),
            "matches" => self.matches(args),
            "information_schema" => self.information_schema(args),
            "without_identifier" => {
                let mut new = RelationObject::clone(self);
                new.include[2] = false;
                Ok(Value::from_object(new))
            }
            "quoted" => {
                let (name,): (String,) = from_args(args)?;
                Ok(Value::from(quote_ident(&name)))
            }
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                Ok(self
                    .get_value(&key)
                    .or(default)
                    .unwrap_or_else(|| Value::from(())))
            }
            "create" => create(args),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        if **self == *other {
            return Some(Ordering::Equal);
        }
        let key = |o: &Self| {
            (
                o.rendered(),
                format!("{:?}{:?}", o.relation.kind, o.relation),
            )
        };
        Some(key(self).cmp(&key(other)))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.read_as {
            Some(read_as) => f.write_str(read_as),
            None => f.write_str(&self.rendered()),
        }
    }
}

fn parts<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Dict::value(
        entries
            .into_iter()
            .map(|(k, v)| (Value::from(k), v))
            .collect(),
    )
}

/// `api.Relation.create(database=…, schema=…, identifier=…, type=…)`.
fn create(args: &[Value]) -> Result<Value, Error> {
    let (database, schema, identifier, kwargs): (
        Option<Value>,
        Option<Value>,
        Option<Value>,
        Kwargs,
    ) = from_args(args)?;
    let text = |positional: Option<Value>, name: &str| -> Result<String, Error> {
        let value = match positional {
            Some(value) => Some(value),
            None => kwargs.get::<Option<Value>>(name)?,
        };
        Ok(value
            .filter(|v| !v.is_none() && !v.is_undefined())
            .map_or_else(String::new, |v| v.to_string()))
    };
    let mut relation = Relation::new(
        text(database, "database")?,
        text(schema, "schema")?,
        text(identifier, "identifier")?,
    );
    relation.kind = kind_of(&text(None, "type")?);
    if let Some(policy) = kwargs.get::<Option<Value>>("quote_policy")? {
        let policy = to_json(&policy);
        let flag = |name: &str| {
            policy
                .get(name)
                .and_then(serde_json::Value::as_bool)
                .unwrap_or(true)
        };
        relation.quoting = Quoting {
            database: flag("database"),
            schema: flag("schema"),
            identifier: flag("identifier"),
        };
    }
    Ok(relation_value(&relation))
}

/// `api.Relation`: creates relations and names the kinds.
pub(in crate::jinja) fn relation_class() -> Value {
    Value::from_object(RelationClass)
}

#[derive(Debug)]
struct RelationClass;

impl Object for RelationClass {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(Value::from(match key.as_str()? {
            "View" => "view",
            "Table" => "table",
            "CTE" => "cte",
            "MaterializedView" => "materialized_view",
            "External" => "external",
            "create" => {
                let object = Value::from_dyn_object(Arc::clone(self));
                return Some(BoundMethod::value(object, "create"));
            }
            _ => return None,
        }))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "create" => create(args),
            // a schema as a relation without identifier
            "create_from" => args
                .first()
                .cloned()
                .ok_or_else(|| fail("create_from() needs a node")),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}
