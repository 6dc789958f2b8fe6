//! The columns of both sides, and the type that a column of the source gets here.

use super::shape::Column;
use crate::names::quote_ident;
use crate::pg::{Connection, PgError};

/// A column of the source.
#[derive(Clone, Debug)]
pub(super) struct SourceColumn {
    pub(super) column: Column,
    /// The value as the type that it has here.
    pub(super) expression: String,
}

/// Each column with what its type comes down to: a domain's base, else itself. Arrays are judged
/// by their elements.
const SOURCE: &str = "
with recursive
base(attnum, attname, typ, typmod) as (
    select a.attnum, a.attname, a.atttypid, a.atttypmod
    from pg_attribute a
    where a.attrelid = (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
                        where n.nspname = $1 and c.relname = $2)
      and a.attnum > 0 and not a.attisdropped
    union all
    select b.attnum, b.attname, t.typbasetype, t.typtypmod
    from base b join pg_type t on t.oid = b.typ
    where t.typtype = 'd'
),
flat as (
    select b.*, t.typtype, t.typsend, t.typnamespace, t.typname, t.typcategory, t.typelem, t.typlen
    from base b join pg_type t on t.oid = b.typ
    where t.typtype <> 'd'
)
select f.attname::text,
       format_type(f.typ, f.typmod),
       (case
            when coalesce(e.typtype, f.typtype) in ('e', 'c', 'd', 'p') then 'text'
            when coalesce(e.typsend, f.typsend) = 0 then 'text'
            when coalesce(e.typname, f.typname) like 'reg%'
                 and coalesce(e.typnamespace, f.typnamespace) = 'pg_catalog'::regnamespace then 'text'
            when coalesce(e.oid, f.typ) < 16384 then 'same'
            else 'ask'
        end)::text,
       (e.oid is not null)::text
from flat f
left join pg_type e on f.typcategory = 'A' and e.oid = f.typelem and f.typlen = -1
order by f.attnum";

const EXISTS: &str = "select (to_regtype($1) is not null)::text";

const TARGET: &str = "
select a.attname::text, format_type(a.atttypid, a.atttypmod)
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped
order by a.attnum";

/// A source column as the catalog tells it.
pub(super) struct Told {
    name: String,
    data_type: String,
    fate: String,
    is_array: bool,
}

/// The source's columns; none if there is no such relation.
pub(super) async fn of_source(
    source: &Connection,
    schema: &str,
    name: &str,
) -> Result<Vec<Told>, PgError> {
    let rows = source.query_untyped(&bind(SOURCE, &[schema, name])).await?;
    let told = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || cells.next().unwrap_or_default();
        Told {
            name: next(),
            data_type: next(),
            fate: next(),
            is_array: next() == "true",
        }
    };
    Ok(rows.rows.into_iter().map(told).collect())
}

/// What they are here: built-in types stay, a type that is not known here becomes text.
pub(super) async fn mapped(
    target: &Connection,
    told: Vec<Told>,
) -> Result<Vec<SourceColumn>, PgError> {
    let mut columns = Vec::with_capacity(told.len());
    for column in told {
        let keeps = match column.fate.as_str() {
            "same" => true,
            "ask" => knows(target, &column.data_type).await?,
            _ => false,
        };
        let data_type = match (keeps, column.is_array) {
            (true, _) => column.data_type,
            (false, true) => "text[]".to_owned(),
            (false, false) => "text".to_owned(),
        };
        let quoted = quote_ident(&column.name);
        columns.push(SourceColumn {
            expression: format!("{quoted}::{data_type}"),
            column: Column {
                name: column.name,
                data_type,
            },
        });
    }
    Ok(columns)
}

async fn knows(target: &Connection, data_type: &str) -> Result<bool, PgError> {
    let bare = data_type.split('(').next().unwrap_or(data_type);
    let rows = target.ask_catalog(EXISTS, &[Some(bare)]).await?;
    Ok(first(rows.rows).as_deref() == Some("true"))
}

/// The columns of a table here; `None` if there is no such table.
pub(super) async fn of_target(
    target: &Connection,
    schema: &str,
    name: &str,
) -> Result<Option<Vec<Column>>, PgError> {
    let rows = target
        .ask_catalog(TARGET, &[Some(schema), Some(name)])
        .await?;
    let columns: Vec<Column> = rows
        .rows
        .into_iter()
        .map(|row| {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            Column {
                name: cells.next().unwrap_or_default(),
                data_type: cells.next().unwrap_or_default(),
            }
        })
        .collect();
    Ok((!columns.is_empty()).then_some(columns))
}

/// The first cell of the first row.
pub(super) fn first(rows: Vec<Vec<Option<String>>>) -> Option<String> {
    rows.into_iter().next()?.into_iter().next().flatten()
}

/// Puts literals in the places of `$1` to `$9`; a source session is inside its transaction, where
/// the prepared way of asking the catalog cannot be used.
pub(super) fn bind(sql: &str, values: &[&str]) -> String {
    let mut parts = sql.split('$');
    let mut bound = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let at = part.chars().next().and_then(|c| c.to_digit(10));
        match at.and_then(|at| values.get((at as usize).wrapping_sub(1))) {
            Some(value) => {
                bound.push_str(&crate::names::quote_literal(value));
                bound.push_str(&part[1..]);
            }
            None => {
                bound.push('$');
                bound.push_str(part);
            }
        }
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_parameter_is_text() {
        assert_eq!(bind("f($1, $2)", &["$2", "it's"]), "f('$2', 'it''s')");
    }
}
