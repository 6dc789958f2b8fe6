//! What integration tests share.

// Some of it is for topics that are still to come.
#[allow(dead_code)]
pub(crate) mod server;

pub(crate) use server::TestDb;
