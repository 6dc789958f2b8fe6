//! What the database holds, in few narrow queries: one [`load`] per run, the rest where a
//! node needs it. Everything is read from `pg_catalog`, so it works for any role.

mod dependents;
mod privileges;
mod relation;
mod rows;
mod views;

pub use dependents::{Dependent, DependentKind, dependents};
pub use privileges::{Belongings, Grant, belongings, default_privileges};
pub use relation::{Index, columns, indexes, relation};
pub use views::{ViewDefinition, view_definitions};

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::connection::Connection;
use super::error::PgError;
use crate::names::{Relation, RelationKind, quote_ident, quote_literal};
use rows::Cells;

/// An object id of `pg_class`.
pub type Oid = u32;

/// Whether a relation's rows survive a crash and its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Survives both.
    Permanent,
    /// A crash empties it.
    Unlogged,
    /// Ends with its session.
    Temporary,
}

/// A table, view or materialized view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub oid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// The role that owns it.
    pub owner: String,
    /// Whether it is unlogged or temporary.
    pub persistence: Persistence,
    /// An unlogged table whose statistics say that it had rows, and that has no page: a
    /// crash emptied it.
    pub is_emptied: bool,
    /// Whether our role may drop or replace it (it is a member of the owner).
    pub is_ours: bool,
}

impl Entry {
    /// Its name for the rest of the crate.
    pub fn relation(&self, database: &str) -> Relation {
        Relation::new(database, &self.schema, &self.name).of_kind(self.kind)
    }
}

/// The database as it was at one moment.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Every schema that is not the system's.
    pub schemas: BTreeSet<String>,
    entries: IndexMap<(String, String), Entry>,
}

impl Catalog {
    /// A relation by its exact name.
    pub fn get(&self, schema: &str, name: &str) -> Option<&Entry> {
        self.entries.get(&(schema.to_owned(), name.to_owned()))
    }

    /// Relations of a schema, by name.
    pub fn in_schema<'a>(&'a self, schema: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries
            .values()
            .filter(move |entry| entry.schema == schema)
    }

    /// All relations that were asked for, by schema and name.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Remembers a relation that was built since.
    pub fn insert(&mut self, entry: Entry) {
        self.entries
            .insert((entry.schema.clone(), entry.name.clone()), entry);
    }

    /// Forgets a relation that was dropped since.
    pub fn remove(&mut self, schema: &str, name: &str) {
        self.entries
            .shift_remove(&(schema.to_owned(), name.to_owned()));
    }
}

/// All schemas, and the relations of the given ones, in one query.
pub async fn load(
    connection: &Connection,
    schemas: &[impl AsRef<str>],
) -> Result<Catalog, PgError> {
    let wanted = rows::text_array(schemas);
    let sql = format!(
        "select null, nspname, null, null, null, null, null, null
           from pg_catalog.pg_namespace
          where nspname !~ '^pg_(toast|temp)' and nspname not in ('pg_catalog', 'information_schema')
         union all
         select * from (
           select {} from {} where n.nspname = any ({wanted}) and {}
            order by n.nspname, c.relname) relations",
        relation::FIELDS,
        relation::TABLES,
        relation::KINDS,
    );
    let found = connection.query_untyped(&sql).await?;
    let mut catalog = Catalog::default();
    for row in found.rows {
        if row.first().is_some_and(Option::is_none) {
            catalog.schemas.extend(row.into_iter().nth(1).flatten());
        } else {
            catalog.insert(relation::entry(&mut Cells::new(row))?);
        }
    }
    Ok(catalog)
}

/// Every schema that is not the system's.
pub async fn schemas(connection: &Connection) -> Result<BTreeSet<String>, PgError> {
    let none: [&str; 0] = [];
    Ok(load(connection, &none).await?.schemas)
}

/// Creates those schemas that are missing and gives their names. A role that may not create
/// schemas is asked for nothing as long as all exist.
pub async fn create_missing_schemas(
    connection: &Connection,
    wanted: &[impl AsRef<str>],
) -> Result<Vec<String>, PgError> {
    let existing = schemas(connection).await?;
    let mut created = Vec::new();
    for schema in wanted {
        let schema = schema.as_ref();
        if existing.contains(schema) || created.iter().any(|made| made == schema) {
            continue;
        }
        let sql = format!("create schema if not exists {}", quote_ident(schema));
        match connection.execute(&sql).await {
            Ok(_) => created.push(schema.to_owned()),
            // Another session was faster; `if not exists` does not see it before it commits.
            Err(error) if matches!(error.sqlstate(), Some("42P06" | "23505")) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(created)
}

/// A list of ids as an SQL array.
fn oid_array(oids: &[Oid]) -> String {
    let list: Vec<String> = oids.iter().map(Oid::to_string).collect();
    format!(
        "{}::pg_catalog.oid[]",
        quote_literal(&format!("{{{}}}", list.join(",")))
    )
}
