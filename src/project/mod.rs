//! Reads a project's files into [`Project`]: the only place that reads project files.
//!
//! Start at [`declarations`]; every mistake becomes a diagnostic with its place, and as
//! many as can be found are reported at once.

mod declarations;
mod node_config;

pub use declarations::*;
pub use node_config::{Hook, NodeConfig};
