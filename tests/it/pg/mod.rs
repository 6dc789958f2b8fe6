//! Connections and the private server, against real ones.

mod catalog;
mod helper;
mod logins;
mod private_server;
mod sessions;
mod tcp_server;
