//! All integration tests but the architecture test: one binary, one module for each topic.

mod errors;
mod project;
