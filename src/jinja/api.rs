//! The types through which the rest of the crate speaks to the engine: what a caller gives
//! ([`Settings`], [`NodeContext`]), what it answers ([`Names`], [`Database`]) and what it
//! gets back ([`Scan`], [`Rendered`]).

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::FileId;
use crate::names::{NodeId, Relation};

/// What is the same for every template of an invocation.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The root project's name.
    pub project_name: String,
    /// `vars` of the command line; they win over everything.
    pub cli_vars: IndexMap<String, Json>,
    /// `vars` by package (the root project's own under its name; its entry for a package wins).
    pub vars: IndexMap<String, IndexMap<String, Json>>,
    /// Versions of the packages that say theirs, the root project's among them.
    pub versions: IndexMap<String, String>,
    /// The `target` variable: name, schema, dbname, host, port, user, type, threads, profile_name.
    pub target: Json,
    /// The `flags` variable: FULL_REFRESH, WHICH, ...
    pub flags: Json,
    /// `dispatch:` of the project: macro namespace to search order of packages.
    pub dispatch: IndexMap<String, Vec<String>>,
    /// This invocation's id.
    pub invocation_id: String,
    /// When it started, as an RFC 3339 instant in UTC with microseconds.
    pub run_started_at: String,
    /// The environment, as read once at start.
    pub env: Arc<IndexMap<String, String>>,
}

/// A file of macros, as read.
#[derive(Clone, Debug)]
pub struct MacroFile {
    /// The package that owns it.
    pub package: String,
    /// The file, in the source map; its text is the source.
    pub file: FileId,
}

/// The node whose template runs: what `this`, `model`, `config` and friends answer.
#[derive(Clone, Debug)]
pub struct NodeContext {
    /// The node.
    pub id: NodeId,
    /// Its package, where unqualified macros and vars are looked up first.
    pub package: String,
    /// Its relation (`this`); `None` for tests, operations and analyses.
    pub this: Option<Relation>,
    /// The `model` variable, as dbt's manifest has the node.
    pub model: Json,
    /// Its resolved config, which `config.get` and `config.require` read.
    pub config: IndexMap<String, Json>,
    /// Further variables: a generic test's arguments, `sql`, `pre_hooks`, ...
    pub extra: IndexMap<String, Arg>,
    /// dbt's `execute`: false while scanning.
    pub execute: bool,
}

/// A value given to a template or macro.
#[derive(Clone, Debug)]
pub enum Arg {
    /// Plain data.
    Json(Json),
    /// A relation object.
    Relation(Relation),
    /// A list of columns, as `adapter.get_columns_in_relation` gives it.
    Columns(Vec<Column>),
    /// Several values.
    List(Vec<Arg>),
    /// Values by name.
    Dict(IndexMap<String, Arg>),
}

/// A text to render: a whole file, or a part of one (a snapshot block, a hook).
#[derive(Clone, Debug)]
pub struct Template {
    /// The file it comes from.
    pub file: FileId,
    /// Its text.
    pub text: Arc<str>,
    /// The line of the file (from 1) on which the text begins.
    pub first_line: usize,
}

/// A macro that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroInfo {
    /// For example `macro.shop.cents`.
    pub unique_id: String,
    /// The name as it is called.
    pub name: String,
    /// The package that has it.
    pub package: String,
    /// The names of its arguments, in order.
    pub arguments: Vec<String>,
    /// The line of its opening tag, from 1.
    pub line: usize,
    /// The file that has it.
    pub file: FileId,
    /// The whole block as written.
    pub text: String,
}

/// What a macro gave.
#[derive(Clone, Debug, PartialEq)]
pub struct MacroOutput {
    /// The text that it printed, or what it returned as text.
    pub text: String,
    /// What it returned with `return()`; its text where it returned nothing.
    pub value: Json,
}

impl From<&NodeContext> for Arc<NodeContext> {
    fn from(node: &NodeContext) -> Self {
        Self::new(node.clone())
    }
}

/// A `ref()` as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefCall {
    /// The package, when two arguments were given.
    pub package: Option<String>,
    /// The model, seed or snapshot.
    pub name: String,
    /// The version (`v=`), as text.
    pub version: Option<String>,
}

/// A `source()` as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceCall {
    /// The source.
    pub source: String,
    /// Its table.
    pub table: String,
}

/// A `function()` as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionCall {
    /// The package, when two arguments were given.
    pub package: Option<String>,
    /// The function.
    pub name: String,
}

/// A column of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name, unquoted.
    pub name: String,
    /// The type as Postgres formats it, for example `character varying(20)`.
    pub data_type: String,
}

/// What a query gave. Values are Postgres' text form; `None` is NULL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns; `data_type` is the type's name (`int4`, `numeric`, `timestamptz`, ...).
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
    /// The command tag, for example `SELECT 3`; empty when there was none.
    pub status: String,
}

/// An error for a template: its text becomes the message of a diagnostic at the line of the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LookupError {
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Who answers `ref`, `source` and what hangs on them. The graph does at run time.
pub trait Names: Send + Sync {
    /// The relation of a ref; an ephemeral model's is a [`crate::names::RelationKind::Cte`].
    fn resolve_ref(&self, from: &NodeContext, call: &RefCall) -> Result<Relation, LookupError>;
    /// The relation of a source's table.
    fn resolve_source(
        &self,
        from: &NodeContext,
        call: &SourceCall,
    ) -> Result<Relation, LookupError>;
    /// The name of a user-defined function.
    fn resolve_function(
        &self,
        _from: &NodeContext,
        call: &FunctionCall,
    ) -> Result<Relation, LookupError> {
        Err(LookupError {
            message: format!("there is no function named `{}`", call.name),
            hint: None,
        })
    }
    /// What a relation that `ref` or `source` gave is read as where it stands in SQL, if not
    /// under its name.
    fn read_as(&self, _from: &NodeContext, _relation: &Relation) -> Option<String> {
        None
    }
}

/// Who runs queries for templates. Called on a thread that may block.
pub trait Database: Send + Sync {
    /// Runs SQL of one or more statements on the node's connection; the last one's result.
    fn query(&self, sql: &str) -> Result<Table, LookupError>;
    /// Opens a transaction, where the caller may and none is open.
    fn begin(&self) -> Result<(), LookupError> {
        Ok(())
    }
    /// Commits the open transaction.
    fn commit(&self) -> Result<(), LookupError> {
        Ok(())
    }
    /// The relation of that name, with its kind, if it exists. Names match the catalog exactly.
    fn relation(&self, schema: &str, identifier: &str) -> Result<Option<Relation>, LookupError>;
    /// All relations of a schema.
    fn relations(&self, schema: &str) -> Result<Vec<Relation>, LookupError>;
    /// All schemas of the database.
    fn schemas(&self) -> Result<Vec<String>, LookupError>;
    /// The columns of a relation, in order; empty if it does not exist.
    fn columns(&self, relation: &Relation) -> Result<Vec<Column>, LookupError>;
    /// `log()` and `print()`.
    fn log(&self, message: &str, info: bool);
    /// `exceptions.warn()`.
    fn warn(&self, message: &str) {
        self.log(message, true);
    }
}

/// What one template said of itself while it was rendered at parse time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Every `config(...)`, in order.
    pub configs: Vec<IndexMap<String, Json>>,
    /// Every ref, in order of first appearance, with the line (from 1) of its first call.
    pub refs: Vec<(RefCall, usize)>,
    /// Every source, likewise.
    pub sources: Vec<(SourceCall, usize)>,
    /// Every user-defined function, likewise.
    pub functions: Vec<(FunctionCall, usize)>,
    /// Unique ids of the macros that ran, for example `macro.shop.cents`.
    pub macros: Vec<String>,
}

/// A rendered template.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// For each line of `text` (from 0) the line of the template (from 1) that made it, as
    /// near as is known.
    pub lines: Vec<usize>,
}
