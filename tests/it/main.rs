//! All integration tests but the architecture test: one binary, one module per topic.

mod errors;
mod project;
