//! Publishing after an audit: what readers see, and when.

mod incremental;
mod kills;
mod modes;
mod readers;
mod support;
