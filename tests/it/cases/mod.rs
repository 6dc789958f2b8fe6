//! File-driven cases: an input file, a snapshot of what comes out of it.

mod fake;
mod render;
