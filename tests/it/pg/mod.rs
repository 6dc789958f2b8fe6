//! Connections and the private server, against real ones.

mod catalog;
mod sessions;
