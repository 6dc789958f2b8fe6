//! All integration tests in one binary, one module per topic. They run against a real
//! PostgreSQL that `support` starts for this process and that ends with it.

mod pg;
mod support;
