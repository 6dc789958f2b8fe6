//! Uniqueness that Postgres itself keeps: a unique index proves a test without a scan.

use std::collections::HashMap;

use super::{Origin, Unique};
use crate::jinja::Table;
use crate::names::quote_literal;

/// The unique indexes of some relations, by the relation's name as rendered.
#[derive(Clone, Debug, Default)]
pub struct UniqueIndexes(HashMap<String, Vec<Index>>);

#[derive(Clone, Debug)]
struct Index {
    columns: Vec<Column>,
    /// Whether two nulls count as equal.
    nulls_equal: bool,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    not_null: bool,
}

/// The query for the unique indexes that prove something: valid, checked at once, of all rows
/// of a table without children, on plain columns with the equality that `group by` uses.
pub fn unique_indexes<'a>(origins: impl Iterator<Item = &'a Origin>) -> String {
    let mut names: Vec<&str> = origins.map(|origin| origin.relation.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<String> = names
        .into_iter()
        .map(|n| format!("({})", quote_literal(n)))
        .collect();
    format!(
        "select asked.name, i.indexrelid::text, a.attname, a.attnotnull::text, \
         coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') \
         from (values {}) asked(name) \
         join pg_catalog.pg_class c on c.oid = to_regclass(asked.name) \
         join pg_catalog.pg_index i on i.indrelid = c.oid \
         cross join lateral unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[]) \
         with ordinality k(attnum, opclass, collation_oid, at) \
         join pg_catalog.pg_opclass o on o.oid = k.opclass \
         left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum \
         where c.relkind in ('r', 'p') and (c.relkind = 'p' or not c.relhassubclass) \
         and i.indisunique and i.indisvalid and i.indisready and i.indimmediate \
         and i.indpred is null and i.indexprs is null and k.at <= i.indnkeyatts \
         and not exists (select from unnest(i.indclass::oid[], i.indcollation::oid[], \
         i.indkey::int2[]) with ordinality q(opclass, collation_oid, attnum, at) \
         left join pg_catalog.pg_opclass p on p.oid = q.opclass \
         left join pg_catalog.pg_attribute b on b.attrelid = c.oid and b.attnum = q.attnum \
         where q.at <= i.indnkeyatts and (not p.opcdefault or \
         q.collation_oid is distinct from b.attcollation)) \
         order by asked.name, i.indexrelid, k.at",
        names.join(", ")
    )
}

impl UniqueIndexes {
    /// Reads the answer of [`unique_indexes`].
    pub fn read(answer: &Table) -> Self {
        let mut found: HashMap<String, Vec<(String, Index)>> = HashMap::new();
        for row in &answer.rows {
            let [
                Some(relation),
                Some(index),
                Some(column),
                Some(not_null),
                Some(nulls),
            ] = row.as_slice()
            else {
                continue;
            };
            let column = Column {
                name: column.clone(),
                not_null: not_null.starts_with('t'),
            };
            let of_relation = found.entry(relation.clone()).or_default();
            match of_relation.iter_mut().find(|(id, _)| id == index) {
                Some((_, index)) => index.columns.push(column),
                None => of_relation.push((
                    index.clone(),
                    Index {
                        columns: vec![column],
                        nulls_equal: nulls.starts_with('t'),
                    },
                )),
            }
        }
        let without_ids = |(name, list): (String, Vec<(String, Index)>)| {
            (name, list.into_iter().map(|(_, index)| index).collect())
        };
        Self(found.into_iter().map(without_ids).collect())
    }

    /// Whether an index makes it certain that no key occurs twice.
    pub fn prove(&self, unique: &Unique) -> bool {
        let Some(columns) = &unique.columns else {
            return false;
        };
        let indexes = self.0.get(&unique.origin.relation);
        indexes.into_iter().flatten().any(|index| {
            index.columns.iter().all(|column| {
                let nulls =
                    column.not_null || index.nulls_equal || unique.not_null.contains(&column.name);
                columns.contains(&column.name) && nulls
            })
        })
    }
}
