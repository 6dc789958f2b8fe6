//! Objects of dbt's API as templates see them: relations, columns, query results, dates.

mod bound;
mod column;
mod relation;
mod table;

use minijinja::{Error, Value};

pub(super) use bound::BoundMethod;
pub(super) use column::{column_class, columns_value};
pub(super) use relation::{relation_class, relation_of, relation_value};
pub(super) use table::table_value;

/// A cell of a date or time type as a value; `None` if it is none.
pub(super) fn temporal(_: &str, _: &str) -> Option<Value> {
    None
}

/// `a + b` for objects that know it; `None` if neither does.
pub(super) fn add(_: &Value, _: &Value) -> Option<Result<Value, Error>> {
    None
}

/// `a - b`, likewise.
pub(super) fn sub(_: &Value, _: &Value) -> Option<Result<Value, Error>> {
    None
}

/// `a * b`, likewise.
pub(super) fn mul(_: &Value, _: &Value) -> Option<Result<Value, Error>> {
    None
}

/// `a / b`, likewise.
pub(super) fn div(_: &Value, _: &Value) -> Option<Result<Value, Error>> {
    None
}
