//! What dbt's users bring along beside plain models: each topic of dbt in a file of its own.

mod functions;
mod init;
mod invocations;
mod materialized_views;
mod microbatch;
mod model_variable;
mod own_materializations;
mod packages;
mod results;
mod semantic;
mod versions;
mod warnings;
