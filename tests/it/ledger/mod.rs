//! Failures kept: the ledger and its verification, stored failures, samples and masking.

mod chain;
mod failures;
mod masking;
