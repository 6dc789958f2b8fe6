//! The SaaS simulation: seeds in, raw rows out. Nothing here opens a file or a connection.
//!
//! Start at [`schema`] for what the raw tables look like.

pub mod schema;
pub mod vocab;
