//! Reading projects from disk.

mod config;
mod files;
mod packages;
mod profiles;
mod read;
pub(crate) mod support;
