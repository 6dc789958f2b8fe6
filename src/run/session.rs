//! The one place where a session is made: a Postgres connection plus the template engine.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;

use super::cancel::Cancel;
use super::database::{Message, SessionDatabase, column, table};
use super::limits::NodeLimits;
use super::retry::{Committed, commits};
use crate::diag::{FileId, SourceMap, codes};
use crate::jinja::{
    Arg, Column, Database, Engine, Materialized, Names, NodeContext, Table, Template,
};
use crate::names::Relation;
use crate::pg::{Connection, PgError, SqlPlace};
use crate::session::{Done, Embedded, MacroArg, Pieces, Session, SessionError};

/// A node's connection and templates. Lives from its pre-hook to its post-hook.
pub(super) struct RunSession {
    pub(super) connection: Arc<Connection>,
    pub(super) engine: Engine,
    pub(super) context: Arc<NodeContext>,
    pub(super) names: Arc<dyn Names>,
    pub(super) sources: SourceMap,
    /// The node's compiled SQL, once it is there; errors point into it.
    pub(super) compiled: Option<FileId>,
    /// The file of the node's templates, for errors in hooks.
    pub(super) file: Option<FileId>,
    pub(super) log: UnboundedSender<Message>,
    /// Once this is asked, nothing more is sent; `None` for what must be done even then.
    pub(super) cancel: Option<Cancel>,
    /// The node's time limits; `None` for what belongs to no node.
    pub(super) limits: Option<Arc<NodeLimits>>,
    /// Set once a commit was sent that did not fail.
    pub(super) committed: Committed,
}

/// SQLSTATE of a statement that was cancelled.
pub(super) const CANCELLED: &str = "57014";

impl RunSession {
    fn database(&self) -> Arc<dyn Database> {
        self.database_in(None)
    }

    fn database_in(&self, transaction: Option<Arc<Mutex<bool>>>) -> Arc<dyn Database> {
        Arc::new(SessionDatabase {
            connection: Arc::clone(&self.connection),
            handle: Handle::current(),
            log: self.log.clone(),
            transaction,
        })
    }

    /// Runs a materialization of the project's own. `transaction` says whether one is open.
    pub(super) async fn materialize(
        &self,
        context: Arc<NodeContext>,
        unique_id: &str,
        transaction: Arc<Mutex<bool>>,
    ) -> Result<Materialized, SessionError> {
        self.check_cancel()?;
        let database = self.database_in(Some(transaction));
        let names = Arc::clone(&self.names);
        let done = self.engine.materialize(context, unique_id, names, database);
        done.map_err(SessionError::new)
    }

    /// The same session for what must be done even after a cancel.
    pub(super) fn without_cancel(&self) -> Self {
        self.again()
    }

    /// Another session on the same connection, which a cancel does not stop.
    pub(super) fn again(&self) -> Self {
        Self {
            connection: Arc::clone(&self.connection),
            engine: self.engine.clone(),
            context: Arc::clone(&self.context),
            names: Arc::clone(&self.names),
            sources: self.sources.clone(),
            compiled: self.compiled,
            file: self.file,
            log: self.log.clone(),
            cancel: None,
            limits: self.limits.clone(),
            committed: Arc::clone(&self.committed),
        }
    }

    /// Writes a statement to the log as it goes to the server.
    fn trace(&self, how: &str, sql: &str) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            let sql = self.connection.as_sent(sql);
            tracing::debug!(node = %self.context.id, sql = &*sql, "{how}");
        }
    }

    fn check_cancel(&self) -> Result<(), SessionError> {
        match &self.cancel {
            Some(cancel) if cancel.is_asked() => Err(SessionError {
                sqlstate: Some(CANCELLED.to_owned()),
                ..SessionError::message(codes::SQL_ERROR, "the run was cancelled")
            }),
            _ => Ok(()),
        }
    }

    /// Notes a commit that went through, or whose answer was lost.
    fn note_commit(&self, text: &str, error: Option<&PgError>) {
        let unknown = |error: &PgError| error.is_lost() && error.sqlstate().is_none();
        if error.is_none_or(unknown) && commits(text) {
            self.committed.store(true, Ordering::SeqCst);
        }
    }

    /// Renders a template that may give its value by `return()`.
    pub(super) fn render_value(
        &self,
        template: &Template,
        context: Arc<NodeContext>,
    ) -> Result<String, SessionError> {
        let (names, database) = (Arc::clone(&self.names), Some(self.database()));
        let value = self.engine.render_value(context, template, names, database);
        value.map_err(SessionError::new)
    }

    /// Renders a template of the node.
    pub(super) fn render_template(
        &self,
        template: &Template,
        context: Arc<NodeContext>,
    ) -> Result<String, SessionError> {
        let (names, database) = (Arc::clone(&self.names), Some(self.database()));
        let rendered = self.engine.render(context, template, names, database);
        rendered.map(|r| r.text).map_err(SessionError::new)
    }

    pub(super) fn error(&self, error: PgError, embedded: Embedded<'_>) -> SessionError {
        let file = self.compiled.filter(|_| embedded.compiled_at.is_some());
        let place = file.map(|file| SqlPlace {
            sources: &self.sources,
            file,
            suffix: "",
        });
        let mut diagnostic = error.diagnostic(place);
        if let Some(limits) = &self.limits {
            diagnostic = limits.explain(&error, diagnostic);
        }
        SessionError {
            diagnostic: Box::new(diagnostic),
            sqlstate: error.sqlstate().map(str::to_owned),
            transient: error.is_transient(),
        }
    }
}

#[async_trait]
impl Session for RunSession {
    async fn execute(&self, sql: Embedded<'_>) -> Result<Done, SessionError> {
        self.check_cancel()?;
        self.trace("execute", sql.text);
        let done = self.connection.execute(sql.text).await;
        self.note_commit(sql.text, done.as_ref().err());
        let done = done.map_err(|e| self.error(e, sql))?;
        Ok(Done {
            rows: rows_of(&done.tag),
            tag: done.tag,
        })
    }

    async fn execute_all(&self, texts: &[Embedded<'_>]) -> Result<Vec<Done>, SessionError> {
        let parts: Vec<&str> = texts.iter().map(|embedded| embedded.text).collect();
        self.trace("execute", &parts.join("\n;\n"));
        let done = self.connection.batch(&parts).await;
        if let Some(last) = parts.last() {
            self.note_commit(last, done.as_ref().err().map(|failed| &failed.error));
        }
        let done = done.map_err(|failed| self.error(failed.error, texts[failed.index]))?;
        Ok(done
            .into_iter()
            .map(|done| Done {
                rows: rows_of(&done.tag),
                tag: done.tag,
            })
            .collect())
    }

    async fn ask_catalog(
        &self,
        sql: &'static str,
        params: &[Option<&str>],
    ) -> Result<Table, SessionError> {
        self.check_cancel()?;
        tracing::debug!(node = %self.context.id, ?params, "ask the catalog");
        let found = self.connection.ask_catalog(sql, params).await;
        found
            .map(table)
            .map_err(|error| self.error(error, "".into()))
    }

    async fn query_embedded(&self, sql: Embedded<'_>) -> Result<Table, SessionError> {
        self.check_cancel()?;
        self.trace("query", sql.text);
        self.connection
            .query_untyped(sql.text)
            .await
            .map(table)
            .map_err(|e| self.error(e, sql))
    }

    async fn columns(&self, relation: &Relation) -> Result<Vec<Column>, SessionError> {
        let found = self
            .connection
            .columns(&relation.schema, &relation.identifier)
            .await;
        let found = found.map_err(|error| self.error(error, "".into()))?;
        Ok(found.into_iter().map(column).collect())
    }

    async fn copy_in(&self, statement: &str, pieces: Pieces) -> Result<u64, SessionError> {
        self.check_cancel()?;
        let fail = |error| self.error(error, statement.into());
        let mut copy = self.connection.copy_in(statement).await.map_err(fail)?;
        // Reading may wait for a disk, so it has a thread of its own, a few pieces ahead.
        let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
        let reader = tokio::task::spawn_blocking(move || {
            for piece in pieces {
                if sender.blocking_send(piece).is_err() {
                    break;
                }
            }
        });
        while let Some(piece) = receiver.recv().await {
            self.check_cancel()?;
            copy.send(piece.map_err(SessionError::new)?)
                .await
                .map_err(fail)?;
        }
        if let Err(error) = reader.await {
            std::panic::resume_unwind(error.into_panic());
        }
        copy.finish().await.map_err(fail)
    }

    async fn call_macro(&self, name: &str, args: &[MacroArg<'_>]) -> Result<String, SessionError> {
        let args: Vec<(Option<&str>, Arg)> = args
            .iter()
            .map(|(name, arg)| (Some(*name), arg.clone()))
            .collect();
        let (context, names) = (Arc::clone(&self.context), Arc::clone(&self.names));
        let database = Some(self.database());
        let output = self
            .engine
            .call_macro(context, name, &args, names, database);
        output.map(|o| o.text).map_err(SessionError::new)
    }

    fn resolves_to_builtin(&self, name: &str) -> bool {
        self.engine.is_builtin(name, &self.context.package)
    }

    async fn render(
        &self,
        template: &str,
        this: Option<&Relation>,
    ) -> Result<String, SessionError> {
        // A seed has no file of templates: its hooks stand in a property or project file.
        let named = || {
            self.sources
                .add(format!("hook of {}", self.context.id), template)
        };
        let file = self.file.unwrap_or_else(named);
        let template = Template {
            file,
            text: Arc::from(template),
            first_line: 1,
        };
        let context = match this {
            Some(this) => Arc::new(NodeContext {
                this: Some(this.clone()),
                ..(*self.context).clone()
            }),
            None => Arc::clone(&self.context),
        };
        self.render_template(&template, context)
    }
}

/// The number at the end of a command tag, for those that count rows.
pub(super) fn rows_of(tag: &str) -> Option<u64> {
    let verb = tag.split_whitespace().next()?;
    let counts = matches!(
        verb,
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "SELECT" | "COPY"
    );
    counts
        .then(|| tag.split_whitespace().last()?.parse().ok())
        .flatten()
}
