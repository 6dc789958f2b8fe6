//! Connections and the private server, against real ones.

mod catalog;
mod db_command;
pub(crate) mod fake_pooler;
mod helper;
mod logins;
mod private_server;
mod sessions;
pub(crate) mod tcp_server;
