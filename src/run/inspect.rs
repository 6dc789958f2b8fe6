//! Rendering and querying without building: what `compile` and `show` need.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tokio::sync::mpsc::unbounded_channel;

use super::compile::{compile, compiled_path};
use super::database::Message;
use super::runner::{Runner, Setup};
use super::session::RunSession;
use crate::diag::{Diagnostic, FileId};
use crate::graph::NodeIx;
use crate::jinja::{Arg, Table, Template};
use crate::pg::first_rows;
use crate::session::{MacroArg, Session, SessionError};

/// What Postgres says of text that is no SQL.
const SYNTAX_ERROR: &str = "42601";

/// A node's compiled SQL.
#[derive(Clone, Debug)]
pub struct CompiledNode {
    /// The node.
    pub node: NodeIx,
    /// The SQL, without a semicolon at its end.
    pub sql: String,
    /// Its file, relative to the project's folder.
    pub path: PathBuf,
    /// Time that it took.
    pub elapsed: Duration,
}

/// What a query gave.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The statement that was sent.
    pub sql: String,
    /// Its first rows.
    pub table: Table,
    /// Time that it took.
    pub elapsed: Duration,
}

/// A query to look at.
#[derive(Clone, Debug)]
pub enum Look {
    /// A node's.
    Node(NodeIx),
    /// One that was given on the command line.
    Inline {
        /// The text with Jinja.
        text: Arc<str>,
        /// The file under which the source map has it.
        file: FileId,
    },
}

/// Compiles nodes and writes their SQL under the target path. Nodes that do not compile are
/// left out and told as diagnostics.
pub async fn compile_nodes(
    setup: Setup,
    nodes: &[NodeIx],
    log: &mut (dyn FnMut(String) + Send),
) -> Result<(Vec<CompiledNode>, Vec<Diagnostic>), SessionError> {
    let (sender, mut messages) = unbounded_channel();
    let runner = Runner::new(setup, sender);
    let mut session = runner.keeper().await?;
    let mut compiled = Vec::new();
    let mut problems = Vec::new();
    for ix in nodes.iter().copied() {
        let node = runner.graph().node(ix);
        if node.raw_code.is_empty() {
            continue;
        }
        session.context = runner.context(ix);
        session.file = node.file;
        let began = Instant::now();
        match compile(runner.graph(), ix, &session, &|ix| runner.context(ix)) {
            Ok(sql) => {
                for warning in runner.sum_warnings(ix, &sql) {
                    log(warning);
                }
                let path = compiled_path(runner.target_path(), node);
                runner.write_compiled(&path, &sql).await?;
                compiled.push(CompiledNode {
                    node: ix,
                    sql,
                    path,
                    elapsed: began.elapsed(),
                });
            }
            Err(error) => problems.push(*error.diagnostic),
        }
        while let Ok(Message::Log(text) | Message::Warn(text)) = messages.try_recv() {
            log(text);
        }
    }
    Ok((compiled, problems))
}

/// A session of no node, for a command that asks the target's database something.
pub async fn plain_session(setup: Setup) -> Result<impl Session, SessionError> {
    let (sender, _messages) = unbounded_channel();
    Runner::new(setup, sender).keeper().await
}

/// Calls a macro with its transaction: what it did is kept only if it ends well.
pub async fn call_operation(
    setup: Setup,
    name: &str,
    arguments: serde_json::Map<String, serde_json::Value>,
    log: &mut (dyn FnMut(String) + Send),
) -> Result<(), SessionError> {
    let (sender, mut messages) = unbounded_channel();
    let runner = Runner::new(setup, sender);
    let session = runner.keeper().await?;
    let arguments: Vec<MacroArg<'_>> = arguments
        .iter()
        .map(|(name, value)| (name.as_str(), Arg::Json(value.clone())))
        .collect();
    let done = async {
        session.execute("begin".into()).await?;
        session.call_macro(name, &arguments).await?;
        session.execute("commit".into()).await
    };
    let done = done.await;
    while let Ok(Message::Log(text) | Message::Warn(text)) = messages.try_recv() {
        log(text);
    }
    if done.is_err() {
        let _ = session.execute("rollback".into()).await;
    }
    done.map(|_| ())
}

/// Runs a query and gives its first rows; all of them without a limit. Nothing is built: the
/// parents must be there.
pub async fn look(setup: Setup, what: &Look, limit: Option<u64>) -> Result<Looked, SessionError> {
    let (sender, _messages) = unbounded_channel();
    let runner = Runner::new(setup, sender);
    let mut session = runner.keeper().await?;
    let (sql, path) = match what {
        Look::Node(ix) => {
            let node = runner.graph().node(*ix);
            session.context = runner.context(*ix);
            session.file = node.file;
            match (&node.relation, node.raw_code.is_empty()) {
                // A seed or source: its rows are in the database.
                (Some(relation), true) => (format!("select * from {relation}"), PathBuf::new()),
                _ => {
                    let context_of = |ix| runner.context(ix);
                    let sql = compile(runner.graph(), *ix, &session, &context_of)?;
                    (sql, compiled_path(runner.target_path(), node))
                }
            }
        }
        Look::Inline { text, file } => {
            let template = Template {
                file: *file,
                text: Arc::clone(text),
                first_line: 1,
            };
            let context = Arc::clone(&session.context);
            let sql = session.render_template(&template, context)?;
            (sql.trim().to_owned(), PathBuf::from("--inline"))
        }
    };
    let (own, began) = (sql, Instant::now());
    let first = first_rows(&own);
    session.compiled = Some(runner.sources().add(path.clone(), first.sql.as_str()));
    let (sql, asked) = (first.sql, limit.filter(|_| first.takes_limit));
    let header = session.context.config.get("sql_header").cloned();
    let arguments = [
        ("compiled_code", Arg::Json(sql.as_str().into())),
        ("sql_header", Arg::Json(header.unwrap_or_default())),
        ("limit", Arg::Json(asked.map_or(Json::Null, Json::from))),
    ];
    let limited = session.call_macro("get_show_sql", &arguments).await?;
    let limited = limited.trim();
    let embedded = crate::session::Embedded {
        text: limited,
        compiled_at: limited.find(&sql),
    };
    let mut table = match session.query_embedded(embedded).await {
        Ok(table) => table,
        Err(error) if error.is(SYNTAX_ERROR) => {
            session.compiled = Some(runner.sources().add(path, own.as_str()));
            return Err(own_error(&session, &own).await.unwrap_or(error));
        }
        Err(error) => return Err(error),
    };
    let most = limit.and_then(|limit| usize::try_from(limit).ok());
    table.rows.truncate(most.unwrap_or(usize::MAX));
    Ok(Looked {
        sql: limited.to_owned(),
        table,
        elapsed: began.elapsed(),
    })
}

/// What Postgres finds wrong in a query as its author wrote it, so that nobody reads of a `limit`
/// that is not theirs. Asked only of a single statement: it is parsed and not run.
async fn own_error(session: &RunSession, own: &str) -> Option<SessionError> {
    if own.trim_end_matches([';', ' ', '\n']).contains(';') {
        return None;
    }
    let before = "prepare marts_show as ";
    let statement = format!("{before}{own}");
    let embedded = crate::session::Embedded {
        text: &statement,
        compiled_at: Some(before.len()),
    };
    session.execute(embedded).await.err()
}
