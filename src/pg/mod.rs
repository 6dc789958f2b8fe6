//! Postgres: connections, the private server, the catalog, COPY and what the server says of
//! errors. Knows no Jinja and no project; text comes in, text and facts go out.
//!
//! Start at [`server::ensure`] for the private server, [`ConnectConfig`] for any other, and
//! [`Pool::get`] for a session.

mod batch;
mod catalog;
pub mod config;
mod connect;
mod connection;
mod diagnostic;
mod error;
mod pool;
mod secret;
pub mod server;
mod statement;
mod tls;

pub use config::{ConfigError, ConnectConfig, Host, SslMode};
pub use connect::Notice;
pub use connection::{
    BatchError, CancelToken, Column, Connection, CopyIn, Done, Rows, StatementComment,
};
pub use diagnostic::SqlPlace;
pub use error::{DbError, PgError, backoff, is_transient};
pub use pool::Pool;
pub use secret::Secret;
pub use statement::{FirstRows, first_rows};
