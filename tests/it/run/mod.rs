//! The engine end to end: tiny projects built by the `marts` binary in real databases.

mod kinds;
mod support;
