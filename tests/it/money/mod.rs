//! Money rules end to end: columns that declare money, reconciliations, sums that mix currencies.

mod columns;
mod reconciles;
mod sums;
