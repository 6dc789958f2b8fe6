//! dbt's Jinja dialect on the stock minijinja engine.
//!
//! [`Engine`] is built once from the macro files and [`Settings`]; it scans templates at
//! parse time and renders them, or calls macros, at run time. Who answers names and queries
//! is given from outside through the traits [`Names`] and [`Database`].

mod api;
mod blocks;
mod builtin;
mod callable;
mod context;
mod contract;
mod engine;
mod error;
mod functions;
mod lines;
mod materialization;
mod native;
mod overrides;
mod registry;
mod rewrite;
#[cfg(test)]
mod tests;
mod text_blocks;
mod unknown;
mod value;
mod yaml;

pub use api::*;
pub use engine::Engine;
pub use lines::map as line_map;
pub use materialization::Materialized;
pub use overrides::EngineOverrides;
pub use text_blocks::{TextBlock, docs_blocks, snapshot_blocks};
pub use yaml::{YamlContext, render_description};
