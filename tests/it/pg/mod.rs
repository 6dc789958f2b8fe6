//! Connections and the private server, against real ones.

mod catalog;
mod helper;
mod private_server;
mod sessions;
