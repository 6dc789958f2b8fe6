//! dbt's Jinja dialect on the stock minijinja engine.
//!
//! [`Engine`] is built once from the macro files and [`Settings`]; it scans templates at
//! parse time and renders them, or calls macros, at run time. Who answers names and queries
//! is given from outside through the traits [`Names`] and [`Database`].

mod api;

pub use api::*;
