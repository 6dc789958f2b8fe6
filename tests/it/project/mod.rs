//! Reading projects from disk.

mod config;
mod files;
mod packages;
mod profiles;
mod read;
mod support;
