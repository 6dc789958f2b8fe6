//! Amounts: whole numbers only, rounded half away from zero where a definition says so.

use std::collections::BTreeMap;
use std::fs;

/// USD per unit, times 10^8, and the number of decimals of the currency.
pub(super) type Rates = BTreeMap<String, (i128, u32)>;

/// The fixed rates, from the seed's file.
pub(super) fn rates() -> Rates {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/fixed_fx_rates.csv");
    let text = fs::read_to_string(path).expect("the seed is there");
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let (whole, part) = cells[2].split_once('.').unwrap_or((cells[2], ""));
            let rate: i128 = format!("{whole}{part:0<8}").parse().expect("a rate");
            let exponent = cells[1].parse().expect("an exponent");
            (cells[0].to_owned(), (rate, exponent))
        })
        .collect()
}

/// A quotient of two numbers that are not negative, rounded half up.
pub(super) fn divided(number: i128, by: i128) -> i128 {
    (2 * number + by) / (2 * by)
}

/// Minor units of a currency as US cents.
pub(super) fn cents(minor: i128, (rate, exponent): (i128, u32)) -> i128 {
    divided(minor * rate * 100, 10_i128.pow(exponent) * 100_000_000)
}
