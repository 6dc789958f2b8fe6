//! A session like a run's: a connection to a test database and the engine.

use std::sync::Arc;

use async_trait::async_trait;
use marts::diag::Diagnostic;
use marts::jinja::{
    Column, Database, Engine, LookupError, Names, NodeContext, RefCall, SourceCall, Table, Template,
};
use marts::names::{Relation, RelationKind, quote_literal};
use marts::pg::{Connection, PgError, Rows};
use marts::session::{Done, Embedded, MacroArg, Pieces, Session, SessionError, Take};
use tokio::runtime::Handle;

/// A node's connection and templates.
pub(super) struct TestSession {
    pub(super) connection: Arc<Connection>,
    pub(super) engine: Engine,
    pub(super) context: Arc<NodeContext>,
    pub(super) file: marts::diag::FileId,
}

struct NoNames;

impl Names for NoNames {
    fn resolve_ref(&self, _: &NodeContext, _: &RefCall) -> Result<Relation, LookupError> {
        unreachable!("these models read nothing by name")
    }

    fn resolve_source(&self, _: &NodeContext, _: &SourceCall) -> Result<Relation, LookupError> {
        unreachable!("these models read nothing by name")
    }
}

struct Asks {
    connection: Arc<Connection>,
    handle: Handle,
}

fn column(column: marts::pg::Column) -> Column {
    Column {
        name: column.name,
        data_type: column.data_type,
    }
}

fn table(rows: Rows) -> Table {
    Table {
        columns: rows.columns.into_iter().map(column).collect(),
        rows: rows.rows,
        status: rows.done.tag,
    }
}

fn told(error: PgError) -> LookupError {
    LookupError {
        message: error.to_string(),
        hint: None,
    }
}

fn failed(error: PgError) -> SessionError {
    let sqlstate = error.sqlstate().map(str::to_owned);
    SessionError {
        sqlstate,
        ..SessionError::materialization(error.to_string())
    }
}

impl Database for Asks {
    fn query(&self, sql: &str) -> Result<Table, LookupError> {
        let rows = self.handle.block_on(self.connection.query(sql));
        rows.map(table).map_err(told)
    }

    fn relation(&self, schema: &str, identifier: &str) -> Result<Option<Relation>, LookupError> {
        let sql = format!(
            "select 1 from pg_tables where schemaname = {} and tablename = {}",
            quote_literal(schema),
            quote_literal(identifier)
        );
        let relation = Relation::new("", schema, identifier).of_kind(RelationKind::Table);
        Ok((!self.query(&sql)?.rows.is_empty()).then_some(relation))
    }

    fn relations(&self, _: &str) -> Result<Vec<Relation>, LookupError> {
        Ok(Vec::new())
    }

    fn schemas(&self) -> Result<Vec<String>, LookupError> {
        Ok(Vec::new())
    }

    fn columns(&self, relation: &Relation) -> Result<Vec<Column>, LookupError> {
        let found = self
            .connection
            .columns(&relation.schema, &relation.identifier);
        let found = self.handle.block_on(found).map_err(told)?;
        Ok(found.into_iter().map(column).collect())
    }

    fn log(&self, _: &str, _: bool) {}
}

impl TestSession {
    async fn blocking(
        &self,
        work: impl FnOnce(
            &Engine,
            Arc<NodeContext>,
            Arc<dyn Names>,
            Arc<dyn Database>,
        ) -> Result<String, Diagnostic>
        + Send
        + 'static,
    ) -> Result<String, SessionError> {
        let (engine, context) = (self.engine.clone(), Arc::clone(&self.context));
        let asks = Asks {
            connection: Arc::clone(&self.connection),
            handle: Handle::current(),
        };
        let done = tokio::task::spawn_blocking(move || {
            work(&engine, context, Arc::new(NoNames), Arc::new(asks))
        });
        done.await
            .expect("does not panic")
            .map_err(SessionError::new)
    }
}

#[async_trait]
impl Session for TestSession {
    async fn execute(&self, sql: Embedded<'_>) -> Result<Done, SessionError> {
        let done = self.connection.execute(sql.text).await.map_err(failed)?;
        Ok(Done {
            rows: Some(done.rows),
            tag: done.tag,
        })
    }

    async fn execute_all(&self, texts: &[Embedded<'_>]) -> Result<Vec<Done>, SessionError> {
        let mut done = Vec::new();
        for text in texts {
            done.push(self.execute(*text).await?);
        }
        Ok(done)
    }

    async fn ask_catalog(
        &self,
        sql: &'static str,
        params: &[Option<&str>],
    ) -> Result<Table, SessionError> {
        let found = self.connection.ask_catalog(sql, params).await;
        found.map(table).map_err(failed)
    }

    async fn query_embedded(&self, sql: Embedded<'_>) -> Result<Table, SessionError> {
        let found = self.connection.query_untyped(sql.text).await;
        found.map(table).map_err(failed)
    }

    async fn columns(&self, relation: &Relation) -> Result<Vec<Column>, SessionError> {
        let found = self
            .connection
            .columns(&relation.schema, &relation.identifier);
        let found = found.await.map_err(failed)?;
        Ok(found.into_iter().map(column).collect())
    }

    async fn copy_in(&self, _: &str, _: Pieces) -> Result<u64, SessionError> {
        unreachable!("no seed is loaded here")
    }

    async fn copy_out(&self, _: Embedded<'_>, _: Take<'_>) -> Result<(), SessionError> {
        unreachable!("no regression is made here")
    }

    async fn call_macro(&self, name: &str, args: &[MacroArg<'_>]) -> Result<String, SessionError> {
        let name = name.to_owned();
        let args: Vec<_> = args
            .iter()
            .map(|(name, arg)| ((*name).to_owned(), arg.clone()))
            .collect();
        self.blocking(move |engine, context, names, database| {
            let args: Vec<_> = args
                .iter()
                .map(|(name, arg)| (Some(name.as_str()), arg.clone()))
                .collect();
            let output = engine.call_macro(context, &name, &args, names, Some(database))?;
            Ok(output.text)
        })
        .await
    }

    fn resolves_to_builtin(&self, name: &str) -> bool {
        self.engine.is_builtin(name, &self.context.package)
    }

    async fn render(&self, template: &str, _: Option<&Relation>) -> Result<String, SessionError> {
        let template = Template {
            file: self.file,
            text: Arc::from(template),
            first_line: 1,
        };
        self.blocking(move |engine, context, names, database| {
            let rendered = engine.render(context, &template, names, Some(database))?;
            Ok(rendered.text)
        })
        .await
    }
}
