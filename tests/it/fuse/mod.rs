//! Fused tests and thresholds, end to end.

mod equal;
mod scans;
mod thresholds;
