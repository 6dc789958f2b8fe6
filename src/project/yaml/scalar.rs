//! Plain scalars by PyYAML's implicit resolvers (YAML 1.1 with its deviations).

use serde_json::Number;

use super::Yaml;

/// The value of an unquoted scalar.
pub(super) fn resolve(text: &str) -> Yaml {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Yaml::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Yaml::Bool(true);
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Yaml::Bool(false);
        }
        _ => {}
    }
    let numeric = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'));
    if numeric && let Some(number) = integer(text).or_else(|| float(text)) {
        return Yaml::Number(number);
    }
    Yaml::String(text.to_owned())
}

fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = sign(text);
    let magnitude = if digits == "0" {
        0
    } else if let Some(rest) = digits.strip_prefix("0b") {
        radix(rest, 2)?
    } else if let Some(rest) = digits.strip_prefix("0x") {
        radix(rest, 16)?
    } else if let Some(rest) = digits.strip_prefix('0') {
        radix(rest, 8)?
    } else if digits.contains(':') {
        sexagesimal(digits)?
    } else if digits.starts_with(|c: char| c.is_ascii_digit()) {
        radix(digits, 10)?
    } else {
        return None;
    };
    if negative {
        i64::try_from(-i128::from(magnitude)).ok().map(Number::from)
    } else {
        Some(Number::from(magnitude))
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn radix(digits: &str, base: u32) -> Option<u64> {
    let bare: String = digits.chars().filter(|c| *c != '_').collect();
    if bare.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(&bare, base).ok()
}

/// `1:30` is ninety in YAML 1.1.
fn sexagesimal(digits: &str) -> Option<u64> {
    let mut parts = digits.split(':');
    let mut value = radix(parts.next()?, 10)?;
    for part in parts {
        let low = part.parse::<u64>().ok().filter(|n| *n < 60)?;
        if part.len() > 2 || part.starts_with('+') {
            return None;
        }
        value = value.checked_mul(60)?.checked_add(low)?;
    }
    Some(value)
}

fn float(text: &str) -> Option<Number> {
    let (_, digits) = sign(text);
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let well_formed = mantissa.matches('.').count() == 1
        && mantissa.bytes().any(|b| b.is_ascii_digit())
        && mantissa
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.' || b == b'_')
        && exponent.is_none_or(|e| {
            e.starts_with(['+', '-']) && e.len() > 1 && e[1..].bytes().all(|b| b.is_ascii_digit())
        });
    if !well_formed {
        return None;
    }
    let bare: String = text.chars().filter(|c| *c != '_').collect();
    Number::from_f64(bare.parse().ok()?)
}
