//! The engine end to end: tiny projects built by the `marts` binary in real databases.

mod crashes;
mod gates;
mod history;
mod kinds;
mod limits;
mod logistic;
mod others;
mod reports;
mod retry;
pub(crate) mod support;
mod together;
