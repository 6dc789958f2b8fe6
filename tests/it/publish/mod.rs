//! Publishing after an audit: what readers see, and when.

mod crowd;
mod incremental;
mod kills;
mod modes;
mod readers;
mod support;
