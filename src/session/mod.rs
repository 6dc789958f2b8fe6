//! What a step of a run works through: one connection and the template engine, behind one
//! trait, so that a materialization reads as its choreography and its statements can be
//! recorded in tests.
//!
//! Everything a step does between its pre-hook and its post-hook happens on one session,
//! hence on one Postgres connection; temporary tables and settings carry over.

mod error;
#[cfg(test)]
pub(crate) mod recording;

pub use error::SessionError;

use async_trait::async_trait;
use bytes::Bytes;

use crate::diag::Diagnostic;
use crate::jinja::{Arg, Column, Table};
use crate::names::Relation;

/// A named argument of a macro.
pub type MacroArg<'a> = (&'a str, Arg);

/// How a statement's text relates to the compiled SQL of the node, so that an error's
/// position can point into the compiled file.
#[derive(Clone, Copy, Debug)]
pub struct Embedded<'a> {
    /// The whole text that is sent.
    pub text: &'a str,
    /// The byte in `text` at which the compiled SQL begins; `None` when it holds none of it.
    pub compiled_at: Option<usize>,
}

impl<'a> From<&'a str> for Embedded<'a> {
    fn from(text: &'a str) -> Self {
        Self {
            text,
            compiled_at: None,
        }
    }
}

impl<'a> From<&'a String> for Embedded<'a> {
    fn from(text: &'a String) -> Self {
        Self {
            text,
            compiled_at: None,
        }
    }
}

/// The bytes of a COPY, piece by piece; an error ends it and nothing is copied.
pub type Pieces = Box<dyn Iterator<Item = Result<Bytes, Diagnostic>> + Send>;

/// Takes the bytes of a COPY, in pieces of any size.
pub type Take<'a> = &'a mut (dyn FnMut(&[u8]) -> Result<(), SessionError> + Send);

/// What a statement did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The command tag of the last statement that reported rows, for example `INSERT 0 3`.
    pub tag: String,
    /// Its number of rows.
    pub rows: Option<u64>,
}

/// One connection plus the template engine for one node.
#[async_trait]
pub trait Session: Send + Sync {
    /// Runs one or more statements in one message; they form one implicit transaction unless
    /// they say otherwise. The rows of the last row-reporting statement.
    async fn execute(&self, sql: Embedded<'_>) -> Result<Done, SessionError>;

    /// Runs several texts in one message, in order; what each did. The first failure ends it;
    /// after a BEGIN among them the caller then sends ROLLBACK.
    async fn execute_all(&self, texts: &[Embedded<'_>]) -> Result<Vec<Done>, SessionError>;

    /// Asks the catalog in a transaction of its own with an empty search_path, so that every
    /// name in the answer is qualified. `params` are `$1`, `$2`, … and of type text. The server
    /// plans the query once per connection.
    async fn ask_catalog(
        &self,
        sql: &'static str,
        params: &[Option<&str>],
    ) -> Result<Table, SessionError>;

    /// Runs a query and gives all its rows as text; of several statements the last one's.
    async fn query(&self, sql: &str) -> Result<Table, SessionError> {
        self.query_embedded(Embedded {
            text: sql,
            compiled_at: None,
        })
        .await
    }

    /// Runs a query that holds the node's compiled SQL.
    async fn query_embedded(&self, sql: Embedded<'_>) -> Result<Table, SessionError>;

    /// The columns of a relation, in order; empty when it does not exist. Finds temporary
    /// tables when the schema is empty.
    async fn columns(&self, relation: &Relation) -> Result<Vec<Column>, SessionError>;

    /// Streams bytes into `copy … from stdin`; the number of rows. Pulling the next piece may
    /// block.
    async fn copy_in(&self, statement: &str, pieces: Pieces) -> Result<u64, SessionError>;

    /// Runs `copy … to stdout` and hands over its bytes as they come; an error of `take` ends it.
    async fn copy_out(&self, sql: Embedded<'_>, take: Take<'_>) -> Result<(), SessionError>;

    /// Calls a macro as the node would, with dispatch, and gives its text.
    async fn call_macro(&self, name: &str, args: &[MacroArg<'_>]) -> Result<String, SessionError>;

    /// Whether a macro, called by this name or dispatched, is the built-in one for the node;
    /// also true where there is none.
    fn resolves_to_builtin(&self, name: &str) -> bool;

    /// Whether the project or a package has a macro, called by this name or dispatched.
    fn has_own_macro(&self, name: &str) -> bool {
        !self.resolves_to_builtin(name)
    }

    /// Renders a template as the node would, for example a hook. `this` stands for the
    /// node's own relation where it is given.
    async fn render(&self, template: &str, this: Option<&Relation>)
    -> Result<String, SessionError>;
}
