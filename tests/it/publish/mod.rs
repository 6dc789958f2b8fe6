//! Publishing after an audit: what readers see, and when.

mod incremental;
mod modes;
