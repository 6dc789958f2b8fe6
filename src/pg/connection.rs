//! One session, held by one node: statements, queries, pipelined batches, COPY.
//! BEGIN and COMMIT are sent as text like any other statement.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use tokio_postgres::types::ToSql;
use tokio_postgres::{CopyInSink, SimpleQueryMessage};

use super::connect::{Connector, Notice};
use super::error::PgError;
use super::pool::Object;
use super::statement;

/// What a statement said when it was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows affected or returned.
    pub rows: u64,
    /// The command tag, for example `INSERT 0 3`; empty when there was no statement.
    pub tag: String,
}

/// A column of a result or relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name, unquoted.
    pub name: String,
    /// Of a result the type's name (`int4`, `numeric`, `_text`), of a relation the type as
    /// Postgres formats it (`character varying(20)`).
    pub data_type: String,
}

/// What a query gave; values are Postgres' text form, `None` is NULL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The columns; none when the last statement returns no rows.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
    /// What the last statement said.
    pub done: Done,
}

/// A statement of a batch that failed; those before it are done, those after it were not run.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct BatchError {
    /// Which of the batch's texts, from 0.
    pub index: usize,
    /// Why; its position and SQL are those of that text.
    pub error: PgError,
}

/// Before a question to the catalog: pg_get_viewdef qualifies names that are not on the path.
const BEGIN_ASKING: &str =
    "begin; set local search_path = ''; set local plan_cache_mode = force_generic_plan";

/// Text around every statement of a connection, for whoever reads the server's logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementComment {
    /// Goes before it.
    pub before: String,
    /// Goes after it, before a semicolon at its end.
    pub after: String,
}

/// One session of the pool, until it is dropped.
pub struct Connection {
    /// Taken only by `drop`.
    object: Option<Object>,
    connector: Arc<Connector>,
    server: String,
    in_flight: AtomicU32,
    comment: OnceLock<StatementComment>,
}

impl Connection {
    pub(super) fn new(object: Object, connector: Arc<Connector>) -> Self {
        Self {
            object: Some(object),
            server: connector.config.server_name(),
            connector,
            in_flight: AtomicU32::new(0),
            comment: OnceLock::new(),
        }
    }

    /// Puts a comment at every statement from now on; the first one given stays.
    pub fn set_comment(&self, comment: StatementComment) {
        let _ = self.comment.set(comment);
    }

    /// A statement as it goes to the server.
    pub fn as_sent<'a>(&self, sql: &'a str) -> Cow<'a, str> {
        let Some(StatementComment { before, after }) = self.comment.get() else {
            return Cow::Borrowed(sql);
        };
        if after.is_empty() {
            return Cow::Owned(format!("{before}{sql}"));
        }
        let (body, end) = match sql.trim_end().strip_suffix(';') {
            Some(body) => (body, ";"),
            None => (sql.trim_end(), ""),
        };
        Cow::Owned(format!("{before}{body}{after}{end}"))
    }

    fn made(&self) -> &super::connect::Made {
        self.object
            .as_ref()
            .expect("the session is taken only when the connection is dropped")
    }

    fn client(&self) -> &deadpool_postgres::ClientWrapper {
        &self.made().client
    }

    /// Its place is one in `sql`, not in what was sent.
    fn error(&self, error: &tokio_postgres::Error, sql: &str) -> PgError {
        let mut error = PgError::from_driver(error, &self.server, Some(&self.as_sent(sql)));
        if let (Some(comment), PgError::Server(db)) = (self.comment.get(), &mut error) {
            let before = comment.before.len();
            db.position = db.position.map(|p| p.saturating_sub(before).min(sql.len()));
            db.sql = Some(sql.to_owned());
        }
        error
    }

    /// Runs one or more statements in one round trip; says what the last one said. Several
    /// are one transaction, unless they hold BEGIN or COMMIT themselves.
    pub async fn execute(&self, sql: &str) -> Result<Done, PgError> {
        let busy = self.busy();
        let mut messages = std::pin::pin!(
            self.client()
                .simple_query_raw(&self.as_sent(sql))
                .await
                .map_err(|error| self.error(&error, sql))?
        );
        let mut rows = 0;
        while let Some(message) = messages.next().await {
            match message {
                Ok(SimpleQueryMessage::CommandComplete(affected)) => rows = affected,
                Ok(_) => {}
                Err(error) => {
                    busy.done();
                    return Err(self.error(&error, sql));
                }
            }
        }
        busy.done();
        Ok(done(sql, rows))
    }

    /// Runs one or more statements; gives the last one's rows with their types' names.
    pub async fn query(&self, sql: &str) -> Result<Rows, PgError> {
        let busy = self.busy();
        let result = match statement::split(sql).len() {
            0 | 1 => self.query_one(sql).await,
            _ => self.query_many(sql).await,
        };
        busy.done();
        result
    }

    /// Likewise without looking the types up; each is `unknown`.
    pub async fn query_untyped(&self, sql: &str) -> Result<Rows, PgError> {
        let busy = self.busy();
        let ran = self.client().simple_query(&self.as_sent(sql)).await;
        busy.done();
        ran.map(|messages| rows(sql, messages, None))
            .map_err(|error| self.error(&error, sql))
    }

    /// Prepares for the types and runs in one round trip: both are sent before either answers.
    async fn query_one(&self, sql: &str) -> Result<Rows, PgError> {
        let (client, sent) = (self.client(), self.as_sent(sql));
        let (prepared, ran) =
            futures_util::join!(client.prepare(&sent), client.simple_query(&sent));
        match (prepared, ran) {
            (Ok(prepared), Ok(messages)) => Ok(rows(sql, messages, Some(&prepared))),
            (Err(_), Ok(messages)) => Ok(rows(sql, messages, None)),
            (prepared, Err(error)) => Err(match prepared {
                // Preparing failed first and took the transaction with it.
                Err(first) if error.code().is_some_and(|c| c.code() == "25P02") => {
                    self.error(&first, sql)
                }
                _ => self.error(&error, sql),
            }),
        }
    }

    /// Several statements are sent as one text, so that they stay one transaction; the last
    /// one is prepared afterwards for its types only if it returned rows.
    async fn query_many(&self, sql: &str) -> Result<Rows, PgError> {
        let client = self.client();
        let messages = client
            .simple_query(&self.as_sent(sql))
            .await
            .map_err(|error| self.error(&error, sql))?;
        let mut found = rows(sql, messages, None);
        if !found.columns.is_empty()
            && let Some(last) = statement::split(sql).last()
            && let Ok(prepared) = client.prepare(last.of(sql)).await
        {
            set_types(&mut found.columns, &prepared);
        }
        Ok(found)
    }

    /// Runs several texts in one round trip, in order, as one transaction unless they hold
    /// BEGIN or COMMIT themselves; what each said. The first failure stops it; after a BEGIN
    /// of the batch the caller then sends ROLLBACK.
    pub async fn batch<S: AsRef<str>>(&self, texts: &[S]) -> Result<Vec<Done>, BatchError> {
        let batch = super::batch::Batch::new(texts);
        let busy = self.busy();
        let answers = self
            .client()
            .simple_query_raw(&self.as_sent(&batch.sql))
            .await;
        let mut completed = Vec::new();
        let mut failure = None;
        match answers {
            Ok(answers) => {
                let mut answers = std::pin::pin!(answers);
                while let Some(message) = answers.next().await {
                    match message {
                        Ok(SimpleQueryMessage::CommandComplete(rows)) => completed.push(rows),
                        Ok(_) => {}
                        Err(error) => {
                            failure = Some(error);
                            break;
                        }
                    }
                }
            }
            Err(error) => failure = Some(error),
        }
        busy.done();
        match failure {
            None => Ok(batch.done(&completed)),
            Some(error) => {
                let error = self.error(&error, &batch.sql);
                Err(batch.failed(completed.len(), error))
            }
        }
    }

    /// Asks in a transaction of its own with an empty search_path, in one round trip once the
    /// query is prepared. All parameters and result columns are of type text.
    ///
    /// Planning a query over many catalogs takes longer than running it, so its generic plan
    /// is kept on the connection.
    pub async fn ask_catalog(
        &self,
        sql: &'static str,
        params: &[Option<&str>],
    ) -> Result<Rows, PgError> {
        let busy = self.busy();
        let found = self.ask_prepared(sql, params).await;
        busy.done();
        found.map_err(|error| self.error(&error, sql))
    }

    async fn ask_prepared(
        &self,
        sql: &'static str,
        params: &[Option<&str>],
    ) -> Result<Rows, tokio_postgres::Error> {
        let client = self.client();
        let statement = client.prepare_cached(sql).await?;
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        // All three are on their way before the first one answers.
        let (begun, found, ended) = futures_util::join!(
            client.simple_query(BEGIN_ASKING),
            client.query(&statement, &params),
            client.simple_query("commit")
        );
        begun?;
        let found = found?;
        ended?;
        let columns = statement.columns().iter();
        let cells = |row: tokio_postgres::Row| (0..row.len()).map(|i| row.try_get(i)).collect();
        Ok(Rows {
            columns: columns.map(|column| untyped(column.name())).collect(),
            rows: found.into_iter().map(cells).collect::<Result<_, _>>()?,
            done: Done::default(),
        })
    }

    /// The columns of a relation, in order; empty if it does not exist.
    pub async fn columns(&self, schema: &str, identifier: &str) -> Result<Vec<Column>, PgError> {
        super::catalog::columns(self, schema, identifier).await
    }

    /// Begins a `copy … from stdin`; send its bytes in any pieces, then call
    /// [`CopyIn::finish`]. Dropping it unfinished undoes the copy.
    pub async fn copy_in(&self, statement: &str) -> Result<CopyIn<'_>, PgError> {
        let busy = self.busy();
        let started = self.client().copy_in(&*self.as_sent(statement)).await;
        busy.done();
        let sink = started.map_err(|error| self.error(&error, statement))?;
        Ok(CopyIn {
            sink: Box::pin(sink),
            connection: self,
            statement: statement.to_owned(),
        })
    }

    /// Runs a `copy … to stdout`; its bytes as they come.
    pub async fn copy_out(
        &self,
        statement: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, PgError>> + '_, PgError> {
        let stream = self
            .client()
            .copy_out(statement)
            .await
            .map_err(|error| self.error(&error, statement))?;
        let statement = statement.to_owned();
        Ok(stream.map_err(move |error| self.error(&error, &statement)))
    }

    /// What stops whatever this session runs, from anywhere.
    pub fn cancel_token(&self) -> CancelToken {
        CancelToken {
            token: self.client().cancel_token(),
            connector: Arc::clone(&self.connector),
        }
    }

    /// Notices since the last call, oldest first.
    pub fn take_notices(&self) -> Vec<Notice> {
        let mut kept = self
            .made()
            .notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.drain(..).collect()
    }

    /// The server's version, for example 150004.
    pub fn server_version(&self) -> u32 {
        self.made().server_version
    }

    /// The process id of this session's backend.
    pub fn backend(&self) -> i32 {
        self.made().backend
    }

    /// Whether the connection is gone.
    pub fn is_closed(&self) -> bool {
        self.client().is_closed()
    }

    fn busy(&self) -> Busy<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Busy(&self.in_flight)
    }
}

/// Counts a statement as running until its end is seen. Dropped without [`Busy::done`] (the
/// caller gave up waiting) the count stays, and the session is not used again.
struct Busy<'a>(&'a AtomicU32);

impl Busy<'_> {
    fn done(self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else {
            return;
        };
        let runtime = tokio::runtime::Handle::try_current().ok();
        let connector = Arc::clone(&self.connector);
        if *self.in_flight.get_mut() == 0 {
            // Its locks are let go and nobody who takes it next has to wait.
            if let Some(runtime) = runtime {
                runtime.spawn(async move { super::pool::clean_now(&connector, &mut object).await });
            }
            return;
        }
        // Somebody stopped waiting for a statement: stop it on the server, then close.
        let token = object.client.cancel_token();
        let made = Object::take(object);
        if let Some(runtime) = runtime {
            runtime.spawn(async move {
                let _ = connector.cancel(&token).await;
                drop(made);
            });
        }
    }
}

/// Stops a session's statement; see [`Connection::cancel_token`].
#[derive(Clone)]
pub struct CancelToken {
    token: tokio_postgres::CancelToken,
    connector: Arc<Connector>,
}

impl CancelToken {
    /// Asks the server to stop the statement that runs now; it then fails with 57014. Does
    /// nothing if none runs.
    pub async fn cancel(&self) -> Result<(), PgError> {
        self.connector.cancel(&self.token).await
    }
}

/// A `copy … from stdin` that runs.
pub struct CopyIn<'a> {
    sink: std::pin::Pin<Box<CopyInSink<Bytes>>>,
    connection: &'a Connection,
    statement: String,
}

impl CopyIn<'_> {
    /// Sends bytes; waits while the server is behind.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), PgError> {
        use futures_util::SinkExt;
        let sent = self.sink.feed(bytes).await;
        match sent {
            Ok(()) => Ok(()),
            // The server has said why, which is told by the end of the copy.
            Err(error) => match self.sink.as_mut().finish().await {
                Err(told) if told.as_db_error().is_some() => {
                    Err(self.connection.error(&told, &self.statement))
                }
                _ => Err(self.connection.error(&error, &self.statement)),
            },
        }
    }

    /// Ends the copy; the number of rows.
    pub async fn finish(mut self) -> Result<u64, PgError> {
        let finished = self.sink.as_mut().finish().await;
        finished.map_err(|error| self.connection.error(&error, &self.statement))
    }
}

fn done(sql: &str, rows: u64) -> Done {
    let parts = statement::split(sql);
    match parts.last() {
        Some(last) => Done {
            rows,
            tag: statement::tag(last.of(sql), rows),
        },
        None => Done::default(),
    }
}

/// The last statement's rows.
fn rows(
    sql: &str,
    messages: Vec<SimpleQueryMessage>,
    prepared: Option<&tokio_postgres::Statement>,
) -> Rows {
    let mut result = Rows::default();
    let mut fresh = true;
    let mut affected = 0;
    for message in messages {
        if fresh && !matches!(message, SimpleQueryMessage::CommandComplete(_)) {
            result = Rows::default();
            fresh = false;
        }
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                result.columns = columns.iter().map(|c| untyped(c.name())).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let values = (0..row.len()).map(|i| row.get(i).map(str::to_owned));
                result.rows.push(values.collect());
            }
            SimpleQueryMessage::CommandComplete(rows) => {
                affected = rows;
                if fresh {
                    result = Rows::default();
                }
                fresh = true;
            }
            _ => {}
        }
    }
    if let Some(prepared) = prepared {
        set_types(&mut result.columns, prepared);
    }
    result.done = done(sql, affected);
    result
}

fn untyped(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: "unknown".to_owned(),
    }
}

fn set_types(columns: &mut [Column], prepared: &tokio_postgres::Statement) {
    for (column, described) in columns.iter_mut().zip(prepared.columns()) {
        column.data_type = described.type_().name().to_owned();
    }
}
