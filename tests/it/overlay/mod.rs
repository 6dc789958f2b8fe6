//! Overlays: what the candidate of a continued table reads is what the table will hold.

mod copies;
mod histories;
mod session;
mod strategies;
mod world;
