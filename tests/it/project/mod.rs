//! Reading projects from disk.

mod read;
mod support;
