//! Postgres' time limits as profiles, URLs and the config of nodes write them: one spelling
//! for all, read here.
//!
//! A bare number is milliseconds, as in Postgres; zero is no limit.

use std::time::Duration;

/// The longest that Postgres takes.
const LONGEST: f64 = i32::MAX as f64;

/// How a limit is written, for messages.
pub const SPELLING: &str = "a duration such as 500ms, 30s or 5min (a bare number is milliseconds)";

/// Reads `500ms`, `30s`, `1.5 h`, `30000`; `None` when it is none of these or beyond what
/// Postgres takes (24 days).
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let number_ends = |c: char| !(c.is_ascii_digit() || c == '.');
    let (number, unit) = text.split_at(text.find(number_ends).unwrap_or(text.len()));
    let factor = match unit.trim() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    let wanted = number.parse::<f64>().ok()? * factor;
    // Less than a millisecond would round to no limit at all.
    let millis = if wanted > 0.0 { wanted.max(1.0) } else { 0.0 };
    (millis <= LONGEST).then(|| Duration::from_millis(millis.round() as u64))
}

/// A limit in the largest unit that shows it whole: `90s`, `5min`, `1500ms`.
pub fn show(limit: Duration) -> String {
    let millis = limit.as_millis();
    let units = [("h", 3_600_000_u128), ("min", 60_000), ("s", 1_000)];
    match units
        .iter()
        .find(|(_, size)| millis > 0 && millis.is_multiple_of(*size))
    {
        Some((unit, size)) => format!("{}{unit}", millis / size),
        None => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_postgres_reads_them() {
        for (text, millis) in [
            ("30000", 30_000),
            ("500ms", 500),
            ("30s", 30_000),
            (" 5 min ", 300_000),
            ("1.5h", 5_400_000),
            ("2d", 172_800_000),
            ("100us", 1),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for wrong in ["", "s", "-1", "30 sec", "5m", "30S", "25d", "1.2.3s", "inf"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_limit_is_shown_in_its_largest_whole_unit() {
        let show = |millis| show(Duration::from_millis(millis));
        assert_eq!(show(5_400_000), "90min");
        assert_eq!(show(30_000), "30s");
        assert_eq!(show(1_500), "1500ms");
        assert_eq!(show(0), "0ms");
    }
}
