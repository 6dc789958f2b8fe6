//! Values as Postgres' COPY reads them, in binary (half the server's work of CSV) or text.

use std::io::Write as _;

use super::instant::{date_text, timestamp_text};
use super::value::Value;

/// A form of COPY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFormat {
    /// `format binary`: every value's type is known to us.
    Binary,
    /// `format text`: some column's type only Postgres can read.
    Text,
}

impl CopyFormat {
    /// The options of the COPY statement.
    pub fn options(self) -> &'static str {
        match self {
            Self::Binary => "with (format binary)",
            Self::Text => "with (format text)",
        }
    }

    /// What comes before the first row.
    pub(in crate::materialize) fn begin(self, out: &mut Vec<u8>) {
        if self == Self::Binary {
            out.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        }
    }

    /// What comes after the last row.
    pub(in crate::materialize) fn end(self, out: &mut Vec<u8>) {
        if self == Self::Binary {
            out.extend_from_slice(&(-1_i16).to_be_bytes());
        }
    }

    /// What comes before a row's first value.
    pub(in crate::materialize) fn begin_row(self, columns: usize, out: &mut Vec<u8>) {
        if self == Self::Binary {
            // Postgres has at most 1,600 columns, and says so before any row is sent.
            out.extend_from_slice(&(columns as u16).to_be_bytes());
        }
    }

    /// One value; `first` of its row or not.
    pub(in crate::materialize) fn put(self, value: &Value<'_>, first: bool, out: &mut Vec<u8>) {
        match self {
            Self::Binary => binary(value, out),
            Self::Text => {
                if !first {
                    out.push(b'\t');
                }
                text(value, out);
            }
        }
    }

    /// What comes after a row's last value.
    pub(in crate::materialize) fn end_row(self, out: &mut Vec<u8>) {
        if self == Self::Text {
            out.push(b'\n');
        }
    }
}

fn binary(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        Value::Int2(v) => sized(&v.to_be_bytes(), out),
        Value::Int4(v) | Value::Date(v) => sized(&v.to_be_bytes(), out),
        Value::Int8(v) | Value::Timestamp(v) => sized(&v.to_be_bytes(), out),
        Value::Float8(v) => sized(&v.to_be_bytes(), out),
        Value::Bool(v) => sized(&[u8::from(*v)], out),
        Value::Text(v) => sized(v.as_bytes(), out),
        Value::Numeric(v) => numeric(v, out),
    }
}

fn sized(bytes: &[u8], out: &mut Vec<u8>) {
    // A field is shorter than a record, which is shorter than 2^31.
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Plain decimal text as Postgres' numeric: digits of base 10,000, the first with weight
/// `10000^weight`, and how many decimal places are shown.
fn numeric(text: &str, out: &mut Vec<u8>) {
    let (negative, bare) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = bare.split_once('.').unwrap_or((bare, ""));
    let lead = (4 - whole.len() % 4) % 4;
    let trail = (4 - fraction.len() % 4) % 4;
    let zeros = |count| std::iter::repeat_n(b'0', count);
    let decimal: Vec<u8> = zeros(lead)
        .chain(whole.bytes())
        .chain(fraction.bytes())
        .chain(zeros(trail))
        .collect();
    let value = |group: &[u8]| {
        group
            .iter()
            .fold(0_i16, |sum, d| sum * 10 + i16::from(d - b'0'))
    };
    let digits: Vec<i16> = decimal.chunks(4).map(value).collect();
    let skipped = digits.iter().take_while(|d| **d == 0).count();
    let kept = digits.len()
        - digits[skipped..]
            .iter()
            .rev()
            .take_while(|d| **d == 0)
            .count();
    let weight = ((whole.len() + lead) / 4) as i16 - 1 - skipped as i16;
    let digits = &digits[skipped..kept.max(skipped)];
    let weight = if digits.is_empty() { 0 } else { weight };
    let sign: u16 = if negative && !digits.is_empty() {
        0x4000
    } else {
        0
    };
    out.extend_from_slice(&(8 + 2 * digits.len() as u32).to_be_bytes());
    out.extend_from_slice(&(digits.len() as u16).to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&(fraction.len() as u16).to_be_bytes());
    for digit in digits {
        out.extend_from_slice(&digit.to_be_bytes());
    }
}

fn text(value: &Value<'_>, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = match value {
        Value::Null => out.write_all(b"\\N"),
        Value::Int2(v) => write!(out, "{v}"),
        Value::Int4(v) => write!(out, "{v}"),
        Value::Int8(v) => write!(out, "{v}"),
        Value::Float8(v) if v.is_nan() => out.write_all(b"NaN"),
        Value::Float8(v) if v.is_infinite() => {
            out.write_all(if *v > 0.0 { b"Infinity" } else { b"-Infinity" })
        }
        Value::Float8(v) => write!(out, "{v:e}"),
        Value::Bool(v) => out.write_all(if *v { b"t" } else { b"f" }),
        Value::Date(v) => out.write_all(date_text(*v).as_bytes()),
        Value::Timestamp(v) => out.write_all(timestamp_text(*v).as_bytes()),
        Value::Numeric(v) => out.write_all(v.as_bytes()),
        Value::Text(v) => {
            escape(v.as_bytes(), out);
            Ok(())
        }
    };
}

fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(*other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use proptest::prelude::*;

    fn bytes(value: &Value<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        CopyFormat::Binary.put(value, true, &mut out);
        out
    }

    fn line(values: &[Value<'_>]) -> String {
        let mut out = Vec::new();
        for (index, value) in values.iter().enumerate() {
            CopyFormat::Text.put(value, index == 0, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    /// ndigits, weight, sign, dscale, digits.
    fn parts(text: &str) -> Vec<i16> {
        let bytes = bytes(&Value::Numeric(Cow::Borrowed(text)));
        let pairs = bytes[4..].chunks(2);
        pairs
            .map(|pair| i16::from_be_bytes([pair[0], pair[1]]))
            .collect()
    }

    #[test]
    fn numerics_are_groups_of_four_digits() {
        assert_eq!(parts("0"), [0, 0, 0, 0]);
        assert_eq!(parts("-0.00"), [0, 0, 0, 2]);
        assert_eq!(parts("1"), [1, 0, 0, 0, 1]);
        assert_eq!(parts("-12345.6"), [3, 1, 0x4000, 1, 1, 2345, 6000]);
        assert_eq!(parts("0.00012"), [2, -1, 0, 5, 1, 2000]);
        assert_eq!(parts("0.00001"), [1, -2, 0, 5, 1000]);
        assert_eq!(parts("10000"), [1, 1, 0, 0, 1]);
        assert_eq!(parts("007.50"), [2, 0, 0, 2, 7, 5000]);
    }

    #[test]
    fn values_in_text_are_escaped() {
        let values = [
            Value::Text("a\\b\tc\nd\re"),
            Value::Null,
            Value::Float8(1e300),
            Value::Float8(f64::NAN),
            Value::Bool(true),
            Value::Date(0),
            Value::Timestamp(-1),
        ];
        assert_eq!(
            line(&values),
            "a\\\\b\\tc\\nd\\re\t\\N\t1e300\tNaN\tt\t2000-01-01\t1999-12-31 23:59:59.999999"
        );
    }

    #[test]
    fn null_has_the_length_minus_one() {
        assert_eq!(bytes(&Value::Null), [0xff; 4]);
        assert_eq!(bytes(&Value::Int4(7)), [0, 0, 0, 4, 0, 0, 0, 7]);
        assert_eq!(bytes(&Value::Text("é")), [0, 0, 0, 2, 0xc3, 0xa9]);
    }

    proptest! {
        #[test]
        fn a_numeric_keeps_its_digits(whole in "[0-9]{1,30}", fraction in "[0-9]{0,30}") {
            let text = if fraction.is_empty() { whole.clone() } else { format!("{whole}.{fraction}") };
            let parts = parts(&text);
            let (weight, scale, digits) = (parts[1], parts[3] as usize, &parts[4..]);
            let mut decimal = String::new();
            for digit in digits {
                decimal.push_str(&format!("{digit:04}"));
            }
            let point = (i32::from(weight) + 1) * 4;
            let (mut before, mut after) = (String::new(), String::new());
            for (index, digit) in decimal.chars().enumerate() {
                if (index as i32) < point { before.push(digit) } else { after.push(digit) }
            }
            before.push_str(&"0".repeat((point.max(0) as usize).saturating_sub(before.len())));
            let after = "0".repeat((-point).max(0) as usize) + &after;
            prop_assert_eq!(scale, fraction.len());
            prop_assert_eq!(before.trim_start_matches('0'), whole.trim_start_matches('0'));
            prop_assert_eq!(after.trim_end_matches('0'), fraction.trim_end_matches('0'));
        }
    }
}
