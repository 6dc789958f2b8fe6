//! All integration tests in one binary, one module per topic. They run against a real
//! PostgreSQL that `support` starts for this process and that ends with it.

mod pg;
mod support;
//! All integration tests but the architecture test: one binary, one module for each topic.

mod project;
