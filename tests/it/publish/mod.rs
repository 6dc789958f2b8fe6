//! Publishing after an audit: what readers see, and when.

mod crowd;
mod gating;
mod incremental;
mod kills;
mod modes;
mod orphans;
mod readers;
mod support;
