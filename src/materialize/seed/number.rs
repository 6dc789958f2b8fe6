//! Numbers as dbt's seeds read them: a plain decimal, or one dressed with blanks, thousands
//! separators, a percent sign, a currency symbol or underscores.

use std::borrow::Cow;

/// Symbols that may stand around a number.
const CURRENCIES: [char; 19] = [
    '؋', '$', 'ƒ', '៛', '¥', '₡', '₱', '£', '€', '¢', '﷼', '₪', '₩', '₭', '₮', '₦', '฿', '₤', '₫',
];
/// Longer text is no number; a double's longest decimal form is shorter.
const LONGEST: usize = 1200;

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Size {
    /// A whole number that fits into `integer`.
    Int4,
    /// A whole number that fits into `bigint`.
    Int8,
    /// A whole number of at most 28 digits.
    Whole,
    /// Has a fraction, is longer, infinite or no number.
    Float,
}

/// The size of a number, or `None` if the text is none. In strict reading, text that would
/// not survive being a number (`007`, `1_000`) is none.
pub(super) fn size(text: &str, strict: bool) -> Option<Size> {
    match plain(text.as_bytes()) {
        Some(found) if strict && found.padded => None,
        Some(found) => found.size(),
        None => Dressed::parse(text, strict)?.size(),
    }
}

/// The value of a whole number that fits into 64 bits.
pub(super) fn int(text: &str) -> Option<i64> {
    if let Some(found) = plain(text.as_bytes()) {
        return found.whole;
    }
    Dressed::parse(text, false)?.int()
}

/// The value as a double; a finite number beyond its range is none.
pub(super) fn float(text: &str) -> Option<f64> {
    let parsed: f64 = match plain(text.as_bytes()) {
        Some(_) => text.parse().ok()?,
        None => match Dressed::parse(text, false)? {
            Dressed::Special(value) => return Some(value),
            dressed => dressed.decimal()?.parse().ok()?,
        },
    };
    parsed.is_finite().then_some(parsed)
}

/// The value as a decimal number's text.
pub(super) fn decimal(text: &str) -> Option<Cow<'_, str>> {
    match plain(text.as_bytes()) {
        Some(_) => Some(Cow::Borrowed(text)),
        None => Dressed::parse(text, false)?.decimal().map(Cow::Owned),
    }
}

/// A number without any dress: `-?digits(.digits)?`, at most 18 digits before the point.
struct Plain {
    /// Its value where nothing but zeros follows the point.
    whole: Option<i64>,
    /// Whether zeros stand before its first digit.
    padded: bool,
}

impl Plain {
    fn size(&self) -> Option<Size> {
        Some(match self.whole {
            Some(whole) if i32::try_from(whole).is_ok() => Size::Int4,
            Some(_) => Size::Int8,
            None => Size::Float,
        })
    }
}

fn plain(text: &[u8]) -> Option<Plain> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let mut value: i64 = 0;
    let mut length = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        // Overflow cannot happen: longer ones are left to the slow way below.
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        length += 1;
    }
    if length == 0 || length > 18 {
        return None;
    }
    let padded = length > 1 && digits[0] == b'0';
    let fraction = match &digits[length..] {
        [] => &[],
        [b'.', rest @ ..] if !rest.is_empty() && rest.iter().all(u8::is_ascii_digit) => rest,
        _ => return None,
    };
    let signed = if digits.len() < text.len() {
        -value
    } else {
        value
    };
    let whole = fraction.iter().all(|d| *d == b'0').then_some(signed);
    Some(Plain { whole, padded })
}

/// A number that needed undressing.
enum Dressed {
    /// `0.digits * 10^point`, with neither leading nor trailing zeros in `digits`.
    Finite {
        negative: bool,
        digits: String,
        point: i64,
    },
    /// Infinite or not a number.
    Special(f64),
}

impl Dressed {
    fn parse(text: &str, strict: bool) -> Option<Self> {
        // A text of letters is the usual case, and cheap to refuse.
        let text = text.trim();
        if text.len() > LONGEST
            || !text
                .bytes()
                .any(|b| b.is_ascii_digit() || matches!(b, b'n' | b'N'))
        {
            return None;
        }
        let text = text.trim_matches('%');
        let (minus, mut text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        text = text.trim_matches(CURRENCIES.as_slice()).trim();
        let (negative, text) = match text.as_bytes().first() {
            Some(b'-') => (!minus, &text[1..]),
            Some(b'+') => (minus, &text[1..]),
            _ => (minus, text),
        };
        if let Some(special) = special(text) {
            return Some(Self::Special(if negative { -special } else { special }));
        }
        if strict && text.contains('_') {
            return None;
        }
        let bare: String = text.chars().filter(|c| !matches!(c, ',' | '_')).collect();
        Self::finite(&bare, negative, strict)
    }

    fn finite(text: &str, negative: bool, strict: bool) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if strict && whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let bare = digits.trim_start_matches('0');
        let point = whole.len() as i64 - (digits.len() - bare.len()) as i64 + exponent;
        let digits = bare.trim_end_matches('0').to_owned();
        let point = if digits.is_empty() { 0 } else { point };
        Some(Self::Finite {
            negative,
            digits,
            point,
        })
    }

    fn size(&self) -> Option<Size> {
        let Self::Finite { digits, point, .. } = self else {
            return Some(Size::Float);
        };
        if *point >= digits.len() as i64 && *point <= 28 {
            return Some(match self.int() {
                Some(value) if i32::try_from(value).is_ok() => Size::Int4,
                Some(_) => Size::Int8,
                None => Size::Whole,
            });
        }
        // Beyond a double's range it is no number that a column could hold.
        let value: f64 = self.decimal()?.parse().ok()?;
        value.is_finite().then_some(Size::Float)
    }

    fn int(&self) -> Option<i64> {
        match self {
            Self::Finite { digits, point, .. } if *point >= digits.len() as i64 && *point <= 19 => {
                self.decimal()?.parse().ok()
            }
            _ => None,
        }
    }

    /// As plain decimal text; with an exponent where that would be long.
    fn decimal(&self) -> Option<String> {
        let Self::Finite {
            negative,
            digits,
            point,
        } = self
        else {
            return None;
        };
        let sign = if *negative { "-" } else { "" };
        let length = digits.len() as i64;
        Some(match *point {
            _ if digits.is_empty() => "0".to_owned(),
            point if point >= length && point <= 40 => {
                format!("{sign}{digits}{}", "0".repeat((point - length) as usize))
            }
            point if point > 0 && point < length => {
                let (whole, fraction) = digits.split_at(point as usize);
                format!("{sign}{whole}.{fraction}")
            }
            point => format!("{sign}0.{digits}e{point}"),
        })
    }
}

fn special(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" | "infinity" => Some(f64::INFINITY),
        _ => None,
    }
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let plain = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lax(text: &str) -> Option<Size> {
        size(text, false)
    }

    #[test]
    fn plain_numbers_have_their_size() {
        assert_eq!(lax("0"), Some(Size::Int4));
        assert_eq!(lax("-2147483648"), Some(Size::Int4));
        assert_eq!(lax("2147483648"), Some(Size::Int8));
        assert_eq!(lax("9223372036854775807"), Some(Size::Int8));
        assert_eq!(lax("9223372036854775808"), Some(Size::Whole));
        assert_eq!(lax("1.50"), Some(Size::Float));
        assert_eq!(lax("1.00"), Some(Size::Int4));
    }

    #[test]
    fn dressed_numbers_are_numbers_as_in_dbt() {
        for (text, value) in [
            ("1,000", 1000),
            (" 5 ", 5),
            ("$5", 5),
            ("-$5", -5),
            ("5%", 5),
            ("+5", 5),
            ("--5", 5),
            ("5.", 5),
            ("1e5", 100_000),
            ("120e-1", 12),
            ("1_000", 1000),
            ("€ 7", 7),
            ("0e10", 0),
        ] {
            assert_eq!(lax(text), Some(Size::Int4), "{text}");
            assert_eq!(int(text), Some(value), "{text}");
        }
        for (text, value) in [
            (".5", 0.5),
            ("1E-5", 0.00001),
            ("12.5%", 12.5),
            ("1e30", 1e30),
        ] {
            assert_eq!(lax(text), Some(Size::Float), "{text}");
            assert_eq!(float(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        for text in [
            "",
            "-",
            "%",
            "(5)",
            "1 2",
            "abc",
            "1e",
            "e5",
            "1.2.3",
            "2024-01-05",
            "0x10",
            "1e999999",
        ] {
            assert_eq!(lax(text), None, "{text}");
        }
    }

    #[test]
    fn no_number_and_infinity_are_floats() {
        assert_eq!(lax("NaN"), Some(Size::Float));
        assert!(float("nan").unwrap().is_nan());
        assert_eq!(float("-inf"), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn strict_reading_keeps_what_would_be_lost() {
        for text in ["007", "-01", "00.5", "1_000", "0,123"] {
            assert_eq!(size(text, true), None, "{text}");
            assert!(lax(text).is_some(), "{text}");
        }
        for text in ["0", "0.5", "-0.5", "10", "1,000", "5%"] {
            assert!(size(text, true).is_some(), "{text}");
        }
    }

    #[test]
    fn decimals_keep_every_digit() {
        assert_eq!(
            decimal("12345678901234567890123").unwrap(),
            "12345678901234567890123"
        );
        assert_eq!(decimal("1,234.50").unwrap(), "1234.5");
        assert_eq!(decimal("-1e-3").unwrap(), "-0.1e-2");
        assert_eq!(decimal("x"), None);
    }

    proptest! {
        #[test]
        fn whole_numbers_come_back(value: i64) {
            prop_assert_eq!(int(&value.to_string()), Some(value));
        }

        #[test]
        fn doubles_come_back(value in proptest::num::f64::NORMAL) {
            prop_assert_eq!(float(&format!("{value:e}")), Some(value));
            prop_assert_eq!(float(&format!("{value}")), Some(value));
        }

        #[test]
        fn no_text_makes_it_fail(text in "[-+$%0-9eE.,_ a€]{0,12}") {
            if let Some(found) = lax(&text) {
                match found {
                    Size::Int4 | Size::Int8 => prop_assert!(int(&text).is_some()),
                    Size::Whole => prop_assert!(decimal(&text).is_some()),
                    Size::Float => prop_assert!(float(&text).is_some()),
                }
            }
        }
    }
}
