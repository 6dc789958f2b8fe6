//! What dbt's users bring along beside plain models: each topic of dbt in a file of its own.

mod materialized_views;
mod own_materializations;
mod versions;
