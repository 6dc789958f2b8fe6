//! Columns in templates, and `api.Column`.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::BoundMethod;
use crate::jinja::Column;
use crate::jinja::error::fail;
use crate::jinja::functions::lookup::given;
use crate::jinja::value::List;
use crate::names::quote_ident;

/// A column: its name, its type without size, and the sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ColumnObject {
    name: String,
    dtype: String,
    char_size: Option<i64>,
    numeric_precision: Option<i64>,
    numeric_scale: Option<i64>,
}

const STRINGS: [&str; 4] = ["text", "character varying", "character", "varchar"];
const FLOATS: [&str; 6] = [
    "real",
    "float4",
    "float",
    "double precision",
    "float8",
    "double",
];
const INTEGERS: [&str; 12] = [
    "smallint",
    "integer",
    "bigint",
    "smallserial",
    "serial",
    "bigserial",
    "int2",
    "int4",
    "int8",
    "serial2",
    "serial4",
    "serial8",
];
const NUMERICS: [&str; 2] = ["numeric", "decimal"];
const METHODS: [&str; 11] = [
    "can_expand_to",
    "is_float",
    "is_integer",
    "is_number",
    "is_numeric",
    "is_string",
    "literal",
    "numeric_type",
    "string_size",
    "string_type",
    "get",
];

/// A column as a value.
fn column_value(column: &Column) -> Value {
    Value::from_object(ColumnObject::parse(&column.name, &column.data_type))
}

/// Several columns as a list.
pub(in crate::jinja) fn columns_value(columns: &[Column]) -> Value {
    List::value(columns.iter().map(column_value).collect())
}

impl ColumnObject {
    /// Takes sizes out of a type such as `character varying(20)` or `numeric(10,2)`.
    fn parse(name: &str, data_type: &str) -> Self {
        let mut column = Self {
            name: name.to_owned(),
            dtype: data_type.to_owned(),
            char_size: None,
            numeric_precision: None,
            numeric_scale: None,
        };
        if let Some((base, rest)) = data_type.split_once('(')
            && let Some(sizes) = rest.strip_suffix(')')
        {
            let sizes: Vec<i64> = sizes
                .split(',')
                .filter_map(|s| s.trim().parse().ok())
                .collect();
            let base = base.trim().to_owned();
            if STRINGS.contains(&base.as_str()) {
                column.char_size = sizes.first().copied();
                column.dtype = base;
            } else if NUMERICS.contains(&base.as_str()) {
                column.numeric_precision = sizes.first().copied();
                column.numeric_scale = sizes.get(1).copied();
                column.dtype = base;
            }
        }
        column
    }

    fn is(&self, types: &[&str]) -> bool {
        types.contains(&self.dtype.to_lowercase().as_str())
    }

    /// The type with its sizes.
    fn data_type(&self) -> String {
        if self.is(&STRINGS) && self.dtype.to_lowercase() != "text" {
            return match self.char_size {
                Some(size) if self.is(&["varchar"]) => format!("character varying({size})"),
                Some(size) => format!("{}({size})", self.dtype),
                None => self.dtype.clone(),
            };
        }
        match (
            self.is(&NUMERICS),
            self.numeric_precision,
            self.numeric_scale,
        ) {
            (true, Some(precision), Some(scale)) => format!("{}({precision},{scale})", self.dtype),
            _ => self.dtype.clone(),
        }
    }

    fn string_size(&self) -> Result<i64, Error> {
        if !self.is(&STRINGS) {
            return Err(fail(format!("column {} is no string", self.name)));
        }
        Ok(match self.char_size {
            Some(size) if self.dtype.to_lowercase() != "text" => size,
            _ => 256,
        })
    }

    fn can_expand_to(&self, other: &Value) -> Result<bool, Error> {
        let Some(other) = other.downcast_object_ref::<Self>() else {
            return Err(fail("can_expand_to() takes a column"));
        };
        if !self.is(&STRINGS) || !other.is(&STRINGS) {
            return Ok(false);
        }
        Ok(other.string_size()? > self.string_size()?)
    }
}

impl Object for ColumnObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        Some(match key {
            "name" | "column" => Value::from(&self.name),
            "quoted" => Value::from(quote_ident(&self.name)),
            "dtype" => Value::from(&self.dtype),
            "data_type" => Value::from(self.data_type()),
            "char_size" => Value::from(self.char_size),
            "numeric_precision" => Value::from(self.numeric_precision),
            "numeric_scale" => Value::from(self.numeric_scale),
            _ => {
                let method = METHODS.iter().find(|m| **m == key)?;
                BoundMethod::value(Value::from_dyn_object(Arc::clone(self)), method)
            }
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&[
            "column",
            "dtype",
            "char_size",
            "numeric_precision",
            "numeric_scale",
        ])
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
            "is_string" => Ok(Value::from(self.is(&STRINGS))),
            "is_float" => Ok(Value::from(self.is(&FLOATS))),
            "is_integer" => Ok(Value::from(self.is(&INTEGERS))),
            "is_numeric" => Ok(Value::from(self.is(&NUMERICS))),
            "is_number" => Ok(Value::from(
                self.is(&FLOATS) || self.is(&INTEGERS) || self.is(&NUMERICS),
            )),
            "string_size" => self.string_size().map(Value::from),
            "can_expand_to" => {
                let (other,): (Value,) = from_args(args)?;
                self.can_expand_to(&other).map(Value::from)
            }
            "literal" => {
                let (value,): (Value,) = from_args(args)?;
                Ok(Value::from(format!("{value}::{}", self.data_type())))
            }
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                Ok(self
                    .get_value(&key)
                    .or(default)
                    .unwrap_or_else(|| Value::from(())))
            }
            _ => class_method(method, args),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Column {} ({})>", self.name, self.data_type())
    }
}

/// Methods of the class, which its columns have too.
fn class_method(method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "string_type" => {
            let (size,): (i64,) = from_args(args)?;
            Ok(Value::from(format!("character varying({size})")))
        }
        "numeric_type" => {
            let (dtype, precision, scale): (String, Value, Value) = from_args(args)?;
            if precision.is_none() || scale.is_none() {
                return Ok(Value::from(dtype));
            }
            Ok(Value::from(format!("{dtype}({precision},{scale})")))
        }
        "translate_type" => {
            let (dtype,): (String,) = from_args(args)?;
            let string = dtype.eq_ignore_ascii_case("string");
            Ok(Value::from(if string { "TEXT".to_owned() } else { dtype }))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

/// `api.Column`.
#[derive(Debug)]
struct ColumnClass;

/// `api.Column` as a value.
pub(in crate::jinja) fn column_class() -> Value {
    Value::from_object(ColumnClass)
}

/// `Column(column, dtype, char_size, numeric_precision, numeric_scale)`.
fn create(args: &[Value]) -> Result<Value, Error> {
    let given = |at, name| given(args, at, name).filter(|v| !v.is_none() && !v.is_undefined());
    let text = |at, name| given(at, name).map_or_else(String::new, |v| v.to_string());
    let size = |at, name| given(at, name).map(i64::try_from).transpose();
    let mut column = ColumnObject::parse(&text(0, "column"), &text(1, "dtype"));
    column.char_size = size(2, "char_size")?.or(column.char_size);
    column.numeric_precision = size(3, "numeric_precision")?.or(column.numeric_precision);
    column.numeric_scale = size(4, "numeric_scale")?.or(column.numeric_scale);
    Ok(Value::from_object(column))
}

impl Object for ColumnClass {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        create(args)
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        if method == "create" {
            return create(args);
        }
        class_method(method, args)
    }
}
