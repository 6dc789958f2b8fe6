//! What a query gave, as templates see it: `table.rows`, `table.columns`, `row['name']`.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::{
    Enumerator, Kwargs, Object, ObjectRepr, Tuple, Value, ValueKind, from_args,
};
use minijinja::{Error, ErrorKind, State};

use crate::jinja::Table;
use crate::jinja::error::fail;
use crate::jinja::value::{Dict, List};

/// A result: names and rows, the rows as sequences with names.
#[derive(Debug)]
struct TableObject {
    names: Arc<Vec<String>>,
    rows: Vec<Value>,
}

/// A query's result as a value.
pub(in crate::jinja) fn table_value(table: &Table) -> Value {
    let names: Arc<Vec<String>> = Arc::new(table.columns.iter().map(|c| c.name.clone()).collect());
    let row = |cells: &Vec<Option<String>>| {
        let typed = cells.iter().zip(&table.columns);
        let values = typed.map(|(cell, column)| cell_value(cell.as_deref(), &column.data_type));
        Value::from_object(Row {
            names: Arc::clone(&names),
            values: values.collect(),
        })
    };
    let rows = table.rows.iter().map(row).collect();
    Value::from_object(TableObject { names, rows })
}

fn tuple(items: Vec<Value>) -> Value {
    Value::from(Tuple::from(items))
}

/// The rows of a result as plain tuples, which `load_result(…).data` gives.
pub(in crate::jinja) fn plain_rows(table: &Value) -> Value {
    let Some(table) = table.downcast_object_ref::<TableObject>() else {
        return Value::UNDEFINED;
    };
    let plain = |row: &Value| tuple(row.try_iter().into_iter().flatten().collect());
    List::value(table.rows.iter().map(plain).collect())
}

/// What a statement answered: prints as its message, `SELECT 3`.
#[derive(Debug)]
struct Response {
    status: String,
}

/// The adapter's response to a statement, from its command tag.
pub(in crate::jinja) fn response_value(status: &str) -> Value {
    Value::from_object(Response {
        status: status.to_owned(),
    })
}

impl Object for Response {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let count = self
            .status
            .rsplit(' ')
            .next()
            .and_then(|n| n.parse::<i64>().ok());
        match key.as_str()? {
            "_message" => Some(Value::from(&self.status)),
            "code" => {
                let words = self
                    .status
                    .split(' ')
                    .take_while(|w| w.parse::<i64>().is_err());
                Some(Value::from(words.collect::<Vec<_>>().join(" ")))
            }
            "rows_affected" => Some(Value::from(count)),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["_message", "code", "rows_affected"])
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status)
    }
}

/// A cell's text as the value that Python's driver would give.
fn cell_value(cell: Option<&str>, data_type: &str) -> Value {
    let Some(text) = cell else {
        return Value::from(());
    };
    let parsed = match data_type {
        "int2" | "int4" | "int8" | "oid" | "smallint" | "integer" | "bigint" => {
            text.parse::<i64>().ok().map(Value::from)
        }
        "numeric" => number(text),
        "float4" | "float8" | "real" | "double precision" => {
            text.parse::<f64>().ok().map(Value::from)
        }
        "bool" | "boolean" => Some(Value::from(text == "t" || text == "true")),
        _ => super::temporal(text, data_type),
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

fn number(text: &str) -> Option<Value> {
    if let Ok(int) = text.parse::<i64>() {
        return Some(Value::from(int));
    }
    text.parse::<f64>().ok().map(Value::from)
}

/// An argument by place or name.
fn first(args: &[Value], name: &str) -> Result<Value, Error> {
    let (value, kwargs): (Option<Value>, Kwargs) = from_args(args)?;
    match value {
        Some(value) => Ok(value),
        None => kwargs.get::<Value>(name),
    }
}

/// Names of columns: one, or several.
fn key_list(value: &Value) -> Result<Vec<String>, Error> {
    match value.as_str() {
        Some(one) => Ok(vec![one.to_owned()]),
        None => Ok(value.try_iter()?.map(|name| name.to_string()).collect()),
    }
}

impl TableObject {
    /// The table under other names of columns: all in order, or those that a dictionary names.
    fn renamed(&self, args: &[Value]) -> Result<Value, Error> {
        let to = first(args, "column_names")?;
        let names: Vec<String> = if to.kind() == ValueKind::Map {
            let other = |name: &String| to.get_item(&Value::from(name)).ok();
            let given = |name: &String| other(name).filter(|n| !n.is_undefined() && !n.is_none());
            let name = |name: &String| given(name).map_or_else(|| name.clone(), |n| n.to_string());
            self.names.iter().map(name).collect()
        } else {
            key_list(&to)?
        };
        if names.len() != self.names.len() {
            let (given, wanted) = (names.len(), self.names.len());
            return Err(fail(format!(
                "rename() got {given} names for {wanted} columns"
            )));
        }
        Ok(self.of(names, |values| values.to_vec()))
    }

    fn with_columns(&self, keep: impl Fn(&String) -> bool) -> Value {
        let kept: Vec<bool> = self.names.iter().map(&keep).collect();
        let pick = |values: &[Value]| {
            let pairs = values.iter().zip(&kept);
            pairs
                .filter(|(_, keep)| **keep)
                .map(|(v, _)| v.clone())
                .collect()
        };
        let names = self.names.iter().filter(|name| keep(name)).cloned();
        self.of(names.collect(), pick)
    }

    fn limited(&self, args: &[Value]) -> Result<Value, Error> {
        let (start, stop, step): (Option<usize>, Option<usize>, Option<usize>) = from_args(args)?;
        // One number is where it ends, as for Python's slices.
        let (start, stop) = match stop {
            Some(stop) => (start.unwrap_or(0), Some(stop)),
            None => (0, start),
        };
        let rows = self
            .rows
            .iter()
            .take(stop.unwrap_or(usize::MAX))
            .skip(start);
        Ok(Value::from_object(Self {
            names: Arc::clone(&self.names),
            rows: rows.step_by(step.unwrap_or(1).max(1)).cloned().collect(),
        }))
    }

    /// A table of the same rows with other names, each row's values chosen by `pick`.
    fn of(&self, names: Vec<String>, pick: impl Fn(&[Value]) -> Vec<Value>) -> Value {
        let names = Arc::new(names);
        let row = |row: &Value| {
            let values = row
                .downcast_object_ref::<Row>()
                .map_or(&[][..], |r| &r.values);
            Value::from_object(Row {
                names: Arc::clone(&names),
                values: pick(values),
            })
        };
        let rows = self.rows.iter().map(row).collect();
        Value::from_object(Self {
            names: Arc::clone(&names),
            rows,
        })
    }

    fn column(&self, at: usize) -> Value {
        let cell = |row: &Value| {
            let row = row.downcast_object_ref::<Row>();
            row.and_then(|r| r.values.get(at).cloned())
                .unwrap_or_default()
        };
        Value::from_object(ColumnValues {
            name: self.names.get(at).cloned().unwrap_or_default(),
            values: self.rows.iter().map(cell).collect(),
        })
    }

    fn columns(&self) -> Value {
        let values = (0..self.names.len()).map(|at| self.column(at)).collect();
        Value::from_object(Row {
            names: Arc::clone(&self.names),
            values,
        })
    }

    fn names(&self) -> Value {
        tuple(self.names.iter().map(Value::from).collect())
    }

    fn text(&self) -> String {
        let mut lines = vec![format!("| {} |", self.names.join(" | "))];
        for row in &self.rows {
            let cells: Vec<String> = row
                .try_iter()
                .into_iter()
                .flatten()
                .map(|v| v.to_string())
                .collect();
            lines.push(format!("| {} |", cells.join(" | ")));
        }
        lines.join("\n")
    }
}

impl Object for TableObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Some(index) = key.as_usize() {
            return self.rows.get(index).cloned();
        }
        match key.as_str()? {
            "rows" => Some(List::value(self.rows.clone())),
            "columns" => Some(self.columns()),
            "column_names" => Some(self.names()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.rows.clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.rows.len())
    }

    /// As in Python, a result is true even without rows.
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "print_table" => {
                use crate::jinja::context::{Mode, RenderState};
                if let Mode::Live { db: Some(db), .. } = &RenderState::of(state)?.run.mode {
                    db.log(&self.text(), true);
                }
                Ok(Value::from(""))
            }
            "rename" => self.renamed(args),
            "select" | "exclude" => {
                let keys = key_list(&first(args, "key")?)?;
                let keep = |name: &String| keys.contains(name) == (method == "select");
                Ok(self.with_columns(keep))
            }
            "limit" => self.limited(args),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A sequence whose items have names: a row, or all columns.
#[derive(Debug)]
struct Row {
    names: Arc<Vec<String>>,
    values: Vec<Value>,
}

impl Row {
    fn by_name(&self, name: &str) -> Option<&Value> {
        let at = self.names.iter().position(|n| n == name)?;
        self.values.get(at)
    }

    fn pairs(&self) -> impl Iterator<Item = (Value, Value)> {
        self.names
            .iter()
            .map(Value::from)
            .zip(self.values.iter().cloned())
    }
}

impl Object for Row {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Some(index) = key.as_usize() {
            return self.values.get(index).cloned();
        }
        self.by_name(key.as_str()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.values.clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.values.len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "values" => Ok(tuple(self.values.clone())),
            "keys" => Ok(tuple(self.names.iter().map(Value::from).collect())),
            "items" => {
                let tuple = |(k, v)| Value::from(Tuple::from([k, v]));
                Ok(List::value(self.pairs().map(tuple).collect()))
            }
            "dict" => Ok(Dict::value(self.pairs().collect::<IndexMap<_, _>>())),
            "get" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                Ok(self
                    .get_value(&key)
                    .or(default)
                    .unwrap_or_else(|| Value::from(())))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// The type of a column, which gives values the form that JSON has for them.
#[derive(Debug)]
struct DataType;

impl Object for DataType {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let (value,): (Value,) = from_args(args)?;
        match (method, value.kind()) {
            ("jsonify", ValueKind::None | ValueKind::Bool | ValueKind::Number) | ("cast", _) => {
                Ok(value)
            }
            ("jsonify", _) => Ok(Value::from(value.to_string())),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// One column of a result.
#[derive(Debug)]
struct ColumnValues {
    name: String,
    values: Vec<Value>,
}

impl Object for ColumnValues {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Some(index) = key.as_usize() {
            return self.values.get(index).cloned();
        }
        match key.as_str()? {
            "name" => Some(Value::from(&self.name)),
            "data_type" => Some(Value::from_object(DataType)),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.values.clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.values.len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "values" => Ok(tuple(self.values.clone())),
            "values_distinct" => {
                let mut distinct: Vec<Value> = Vec::new();
                for value in &self.values {
                    if !distinct.contains(value) {
                        distinct.push(value.clone());
                    }
                }
                Ok(List::value(distinct))
            }
            "values_without_nulls" => {
                let kept = self.values.iter().filter(|v| !v.is_none());
                Ok(List::value(kept.cloned().collect()))
            }
            _ => Err(fail(format!(
                "a column of a result has no method `{method}`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jinja::Column;

    fn render(text: &str) -> String {
        let column = |name: &str| Column {
            name: name.to_owned(),
            data_type: "int4".to_owned(),
        };
        let cell = |text: &str| Some(text.to_owned());
        let table = table_value(&Table {
            columns: vec![column("a"), column("b")],
            rows: vec![vec![cell("1"), cell("2")], vec![cell("3"), None]],
            status: String::new(),
        });
        let mut env = minijinja::Environment::new();
        crate::jinja::value::register(&mut env);
        env.render_str(text, Value::from_pairs([("t", table)]))
            .expect("it renders")
    }

    #[test]
    fn columns_are_renamed_chosen_and_left_out() {
        let renamed = "{% set r = t.rename(t.column_names | map('upper')) %}{{ r.columns['A'].values() | list }}{{ r.column_names | list }}";
        assert_eq!(render(renamed), "[1, 3]['A', 'B']");
        let one = "{% set r = t.rename(column_names={'b': 'c'}) %}{{ r.column_names | list }}";
        assert_eq!(render(one), "['a', 'c']");
        assert_eq!(
            render("{{ t.select(['b']).rows[0].values() | list }}"),
            "[2]"
        );
        assert_eq!(render("{{ t.exclude('b').column_names | list }}"), "['a']");
        assert_eq!(render("{{ t.limit(1).rows | length }}"), "1");
        let json = "{{ t.columns[1].data_type.jsonify(t.rows[0]['b']) }}";
        assert_eq!(render(json), "2");
    }
}
