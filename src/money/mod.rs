//! What money is: the currencies of ISO 4217, and what a column declares when it opts in with
//! `meta: {money: …}`. Pure: values in, values out.

mod currency;
mod declaration;

pub use currency::{CURRENCIES, LIST_DATE, MinorUnits, minor_units};
pub use declaration::{Declaration, Problem, Sign, TEST, TEST_OF_DECIMALS, Unit, declaration};
