//! Overlays: what the candidate of a continued table reads is what the table will hold.

mod session;
mod strategies;
mod world;
