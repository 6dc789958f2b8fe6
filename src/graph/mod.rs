//! The resolved project: nodes, what each reads, and the questions asked of that.

mod node;

pub use node::*;
