//! Queries that templates make while they are rendered, on the node's own connection.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use crate::jinja::{Column, Database, LookupError, Table};
use crate::names::{Relation, RelationKind, quote_literal};
use crate::pg::{Connection, PgError, Rows};

/// The engine's view of a connection. Its methods wait for the server, so the runtime must have
/// several threads.
pub(super) struct SessionDatabase {
    pub(super) connection: Arc<Connection>,
    pub(super) handle: Handle,
    pub(super) log: UnboundedSender<Message>,
    /// Whether a transaction is open, where templates may open one.
    pub(super) transaction: Option<Arc<Mutex<bool>>>,
}

/// What a template said.
pub(super) enum Message {
    /// `log(…, info=true)` and `print()`.
    Log(String),
    /// `exceptions.warn()`.
    Warn(String),
}

impl Database for SessionDatabase {
    fn query(&self, sql: &str) -> Result<Table, LookupError> {
        if tracing::enabled!(tracing::Level::DEBUG) {
            let sql = self.connection.as_sent(sql);
            tracing::debug!(sql = &*sql, "query of a template");
        }
        let rows = self.wait(self.connection.query(sql));
        Ok(table(rows.map_err(lookup_error)?))
    }

    fn begin(&self) -> Result<(), LookupError> {
        self.transact("begin", true)
    }

    fn commit(&self) -> Result<(), LookupError> {
        self.transact("commit", false)
    }

    fn relation(&self, schema: &str, identifier: &str) -> Result<Option<Relation>, LookupError> {
        let found = self.list(
            schema,
            &format!("and c.relname = {}", quote_literal(identifier)),
        )?;
        Ok(found.into_iter().next())
    }

    fn relations(&self, schema: &str) -> Result<Vec<Relation>, LookupError> {
        self.list(schema, "")
    }

    fn schemas(&self) -> Result<Vec<String>, LookupError> {
        let table = self.query("select nspname from pg_namespace order by nspname")?;
        Ok(table
            .rows
            .into_iter()
            .filter_map(|mut row| row.pop().flatten())
            .collect())
    }

    fn columns(&self, relation: &Relation) -> Result<Vec<Column>, LookupError> {
        let (schema, name) = (&relation.schema, &relation.identifier);
        let found = self.wait(self.connection.columns(schema, name));
        let found = found.map_err(lookup_error)?;
        Ok(found.into_iter().map(column).collect())
    }

    fn log(&self, message: &str, info: bool) {
        if info {
            let _ = self.log.send(Message::Log(message.to_owned()));
        } else {
            tracing::debug!("{message}");
        }
    }

    fn warn(&self, message: &str) {
        let _ = self.log.send(Message::Warn(message.to_owned()));
    }
}

impl SessionDatabase {
    /// Waits for an answer. Templates are rendered where the run's tasks are, since few of them
    /// ask anything; those that do let the tasks go on elsewhere meanwhile.
    fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        tokio::task::block_in_place(|| self.handle.block_on(answer))
    }

    /// Opens or ends the transaction, unless that is done.
    fn transact(&self, statement: &str, opens: bool) -> Result<(), LookupError> {
        let Some(transaction) = &self.transaction else {
            return Ok(());
        };
        let mut open = transaction.lock().unwrap_or_else(PoisonError::into_inner);
        if *open != opens {
            self.query(statement)?;
            *open = opens;
        }
        Ok(())
    }

    fn list(&self, schema: &str, filter: &str) -> Result<Vec<Relation>, LookupError> {
        let table = self.query(&format!(
            "select current_database(), n.nspname, c.relname, c.relkind::text from pg_class c join \
             pg_namespace n on n.oid = c.relnamespace where n.nspname = {} and c.relkind in ('r', \
             'p', 'v', 'm', 'f') {filter} order by c.relname",
            quote_literal(schema)
        ))?;
        let relation = |row: Vec<Option<String>>| {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            let (database, schema) = (cells.next()?, cells.next()?);
            let (name, kind) = (cells.next()?, cells.next()?);
            Some(Relation::new(database, schema, name).of_kind(relation_kind(&kind)))
        };
        Ok(table.rows.into_iter().filter_map(relation).collect())
    }
}

/// `pg_class.relkind` as a kind.
fn relation_kind(relkind: &str) -> RelationKind {
    match relkind {
        "v" => RelationKind::View,
        "m" => RelationKind::MaterializedView,
        _ => RelationKind::Table,
    }
}

/// A result in the engine's terms.
pub(super) fn table(rows: Rows) -> Table {
    Table {
        columns: rows.columns.into_iter().map(column).collect(),
        rows: rows.rows,
        status: rows.done.tag,
    }
}

/// A column in the engine's terms.
pub(super) fn column(column: crate::pg::Column) -> Column {
    Column {
        name: column.name,
        data_type: column.data_type,
    }
}

fn lookup_error(error: PgError) -> LookupError {
    let hint = error.db().and_then(|db| db.hint.clone());
    LookupError {
        message: error.to_string(),
        hint,
    }
}
