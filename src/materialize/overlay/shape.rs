//! What a live table demands of the rows that come into it: columns, constraints, indexes.

use serde::Deserialize;

use crate::diag::codes;
use crate::jinja::Column;
use crate::names::{Relation, quote_ident, quote_literal};
use crate::session::{Session, SessionError};

/// A live table and the delta that is staged for it.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::materialize) struct Shape {
    pub(super) unlogged: bool,
    /// Storage parameters, for example `fillfactor=70`.
    pub(super) options: Vec<String>,
    /// Whether this session may read and change its rows.
    pub(super) may_write: bool,
    pub(super) columns: Vec<ShapeColumn>,
    /// The columns of the delta.
    pub(super) delta: Vec<ShapeColumn>,
    pub(super) checks: Vec<Check>,
    pub(super) uniques: Vec<Unique>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    /// Foreign keys of other tables that hold rows of this one.
    pub(super) referenced_by: Vec<ForeignKey>,
    pub(super) indexes: Vec<Index>,
    /// Its foreign keys to other tables, as they are defined.
    pub(super) links: Vec<Link>,
    pub(super) sequences: Vec<Sequence>,
}

/// A column.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::materialize) struct ShapeColumn {
    pub(super) name: String,
    /// Its type, qualified where it is not built in.
    #[serde(rename = "type")]
    pub(super) data_type: String,
    /// Its collation as SQL, where it is not the type's own.
    pub(super) collation: Option<String>,
    pub(super) not_null: bool,
    pub(super) identity_always: bool,
    pub(super) generated: bool,
    /// The expression that fills it where an insert leaves it out.
    pub(super) fills: Option<String>,
}

/// A check constraint.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::materialize) struct Check {
    pub(super) name: String,
    /// Its condition, columns by their bare names.
    pub(super) holds: String,
}

/// A unique index.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::materialize) struct Unique {
    pub(super) name: String,
    pub(super) keys: Vec<UniqueKey>,
    /// The condition of a partial index.
    #[serde(rename = "where")]
    pub(super) condition: Option<String>,
    /// NULLS NOT DISTINCT.
    pub(super) nulls_equal: bool,
}

/// A key of a unique index.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::materialize) struct UniqueKey {
    /// Its expression.
    pub(super) sql: String,
    /// The column, where it is one.
    pub(super) column: Option<String>,
}

/// A foreign key; `table` is the one at its other end.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::materialize) struct ForeignKey {
    pub(super) name: String,
    pub(super) schema: String,
    pub(super) table: String,
    /// MATCH FULL.
    #[serde(default)]
    pub(super) full: bool,
    #[serde(default)]
    pub(super) deferrable: bool,
    /// The columns that refer.
    pub(super) columns: Vec<String>,
    /// The columns that are referred to, in the same order.
    pub(super) referenced: Vec<String>,
}

/// An index, with its constraint where it has one.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::materialize) struct Index {
    pub(super) constraint: Option<String>,
    /// The constraint's definition.
    pub(super) definition: Option<String>,
    pub(super) unique: bool,
    pub(super) name: String,
    /// What follows the table's name in `create index`.
    pub(super) tail: String,
}

/// A constraint as it is defined.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::materialize) struct Link {
    pub(super) name: String,
    pub(super) definition: String,
}

/// A sequence that belongs to a column.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::materialize) struct Sequence {
    pub(super) name: String,
    pub(super) schema: String,
    pub(super) column: String,
    pub(super) identity: bool,
    /// What follows its name in `create sequence`.
    pub(super) definition: String,
}

const QUESTION: &str = include_str!("shape.sql");

impl Shape {
    /// Reads it; both relations must exist.
    pub(super) async fn read(
        live: &Relation,
        delta: &Relation,
        session: &dyn Session,
    ) -> Result<Self, SessionError> {
        let name = |r: &Relation| {
            let (schema, identifier) = (quote_ident(&r.schema), quote_ident(&r.identifier));
            format!("{schema}.{identifier}")
        };
        let (live_name, delta_name) = (name(live), name(delta));
        let params = [Some(live_name.as_str()), Some(delta_name.as_str())];
        let table = session.ask_catalog(QUESTION, &params).await?;
        let cell = table.rows.first().and_then(|row| row.first());
        let text = cell.and_then(Option::as_deref);
        match text.map(serde_json::from_str) {
            Some(Ok(shape)) => Ok(shape),
            _ => Err(SessionError::message(
                codes::MATERIALIZATION,
                format!("the catalog's answer about {live} could not be read"),
            )),
        }
    }

    /// The live table's columns, as macros take them.
    pub(in crate::materialize) fn live_columns(&self) -> Vec<Column> {
        self.columns.iter().map(ShapeColumn::column).collect()
    }

    /// The delta's columns.
    pub(in crate::materialize) fn delta_columns(&self) -> Vec<Column> {
        self.delta.iter().map(ShapeColumn::column).collect()
    }

    /// A column of the live table.
    pub(super) fn live_column(&self, name: &str) -> Option<&ShapeColumn> {
        self.columns.iter().find(|c| c.name == name)
    }
}

impl ShapeColumn {
    fn column(&self) -> Column {
        Column {
            name: self.name.clone(),
            data_type: self.data_type.clone(),
        }
    }
}

impl Sequence {
    /// Its name as SQL.
    pub(super) fn sql_name(&self) -> String {
        format!("{}.{}", quote_ident(&self.schema), quote_ident(&self.name))
    }

    /// The statement that lets `to` (an expression of its name) go on where this one is.
    pub(super) fn continue_at(&self, to: &str) -> String {
        format!(
            "select setval({to}, last_value, is_called) from {}",
            self.sql_name()
        )
    }
}

impl ForeignKey {
    /// The table at its other end.
    pub(super) fn relation(&self) -> Relation {
        Relation::new("", &self.schema, &self.table)
    }
}

/// A relation's name as a literal that `regclass` reads.
pub(super) fn regclass(relation: &Relation) -> String {
    let name = format!(
        "{}.{}",
        quote_ident(&relation.schema),
        quote_ident(&relation.identifier)
    );
    quote_literal(&name)
}
