//! Objects of dbt's API as templates see them: relations, columns, query results, dates.

mod bound;
mod column;
mod duration;
mod relation;
mod table;
pub(super) mod time;

pub(super) use bound::BoundMethod;
pub(super) use column::{column_class, columns_value};
pub(super) use duration::timedelta;
pub(super) use relation::{read_relation, relation_class, relation_of, relation_value};
pub(super) use table::{plain_rows, response_value, table_value};
pub(super) use time::{add, div, mul, sub, temporal};
