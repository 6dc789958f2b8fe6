//! Numbers, durations and text as people read them.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A whole number with thousands separators, for example `1,204`.
pub fn thousands(number: u64) -> String {
    group(&number.to_string())
}

/// A count with its noun, for example `1 row`, `1,204 rows`.
pub fn count(number: u64, singular: &str) -> String {
    if number == 1 {
        format!("1 {singular}")
    } else {
        format!("{} {singular}s", thousands(number))
    }
}

/// A decimal number's text, as Postgres gives it, with thousands separators and `places`
/// digits after the point (half away from zero). Text that is no plain decimal number stays
/// as it is.
///
/// ```
/// assert_eq!(marts::report::format::decimal("-1234567.125", 2), "-1,234,567.13");
/// ```
pub fn decimal(text: &str, places: usize) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return text.to_owned();
    }
    let (whole, fraction) = round(whole, fraction, places);
    let zero = whole.bytes().chain(fraction.bytes()).all(|b| b == b'0');
    let sign = if zero { "" } else { sign };
    if places == 0 {
        format!("{sign}{}", group(&whole))
    } else {
        format!("{sign}{}.{fraction}", group(&whole))
    }
}

/// An amount of money given as a decimal number's text, with two places and its currency's
/// code behind it, for example `1,204.50 USD`.
pub fn money(text: &str, currency: &str) -> String {
    format!("{} {currency}", decimal(text, 2))
}

/// A share as per cent with `places` digits: `0.0532` is `5.3%`.
pub fn percent(share: f64, places: usize) -> String {
    if share.is_finite() {
        format!("{}%", decimal(&format!("{:.12}", share * 100.0), places))
    } else {
        share.to_string()
    }
}

/// A duration in at most seven characters: `0.31s`, `12.4s`, `2m 05s`, `1h 02m`.
pub fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds < 9.995 {
        return format!("{seconds:.2}s");
    }
    if seconds < 59.95 {
        return format!("{seconds:.1}s");
    }
    let whole = seconds.round() as u64;
    if whole < 3600 {
        format!("{}m {:02}s", whole / 60, whole % 60)
    } else {
        format!("{}h {:02}m", whole / 3600, whole % 3600 / 60)
    }
}

/// Columns that text takes on a terminal.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Text at most `limit` columns wide, with `…` at its end where it was cut.
pub fn clip(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let mut clipped = head(text, limit.saturating_sub(1)).to_owned();
    clipped.push('…');
    clipped
}

/// Text at most `limit` columns wide, with `…` in its middle where it was cut: names of
/// tests differ at both ends.
pub fn clip_middle(text: &str, limit: usize) -> String {
    if width(text) <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(1);
    let first = head(text, room.div_ceil(2));
    let mut start = text.len();
    let mut taken = 0;
    for (at, c) in text.char_indices().rev() {
        taken += c.width().unwrap_or(0);
        if taken > room / 2 {
            break;
        }
        start = at;
    }
    format!("{first}…{}", &text[start..])
}

/// A database value on one line: line breaks, other control characters and those that turn
/// the direction of writing are shown as escapes, so that no value can move the cursor, colour
/// the screen or show other text than it holds.
pub fn one_line(value: &str) -> String {
    if !value.chars().any(is_hostile) {
        return value.to_owned();
    }
    let mut shown = String::with_capacity(value.len());
    for c in value.chars() {
        if is_hostile(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Text of several lines: as [`one_line`], but line ends and tabs stay.
pub fn many_lines(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            line.split('\t')
                .map(one_line)
                .collect::<Vec<_>>()
                .join("\t")
        })
        .collect();
    lines.join("\n")
}

/// Whether a character does something to the text around it.
fn is_hostile(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Text without colours and other escape sequences of a terminal.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// At most `limit` characters of a text; what was cut is told.
pub fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((at, _)) => {
            let all = text.chars().count() as u64;
            format!("{}… ({})", &text[..at], count(all, "character"))
        }
    }
}

/// The longest beginning of `text` that is at most `limit` columns wide.
fn head(text: &str, limit: usize) -> &str {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        taken += c.width().unwrap_or(0);
        if taken > limit {
            return &text[..at];
        }
    }
    text
}

fn group(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Rounds the digits of a number to `places`, on text: money must not pass through floats.
fn round(whole: &str, fraction: &str, places: usize) -> (String, String) {
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let wanted = whole.len() + places;
    let up = digits.get(wanted).is_some_and(|d| *d >= b'5');
    digits.resize(wanted, b'0');
    let mut carry = up;
    for digit in digits.iter_mut().rev() {
        if !carry {
            break;
        }
        carry = *digit == b'9';
        *digit = if carry { b'0' } else { *digit + 1 };
    }
    let mut text: String = digits.into_iter().map(char::from).collect();
    if carry {
        text.insert(0, '1');
    }
    let fraction = text.split_off(text.len() - places);
    (text, fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(0, "row"), "0 rows");
    }

    #[test]
    fn decimals_round_on_their_text() {
        assert_eq!(decimal("1234.5", 2), "1,234.50");
        assert_eq!(decimal("999.995", 2), "1,000.00");
        assert_eq!(decimal("-0.004", 2), "0.00");
        assert_eq!(decimal("-0.005", 2), "-0.01");
        assert_eq!(decimal("12", 0), "12");
        assert_eq!(decimal("0.5", 0), "1");
        assert_eq!(
            decimal("123456789012345678901234.565", 2),
            "123,456,789,012,345,678,901,234.57"
        );
    }

    #[test]
    fn what_is_no_plain_number_stays() {
        for text in ["NaN", "Infinity", "1e10", "", "-", ".5", "2025-01-01"] {
            assert_eq!(decimal(text, 2), text);
        }
    }

    #[test]
    fn shares_become_per_cent() {
        assert_eq!(percent(0.0532, 1), "5.3%");
        assert_eq!(percent(1.0, 0), "100%");
        assert_eq!(percent(f64::NAN, 1), "NaN");
        assert_eq!(money("1204.5", "USD"), "1,204.50 USD");
    }

    #[test]
    fn durations_are_humane_at_every_size() {
        let shown = |seconds: f64| duration(Duration::from_secs_f64(seconds));
        assert_eq!(shown(0.0), "0.00s");
        assert_eq!(shown(0.314), "0.31s");
        assert_eq!(shown(9.996), "10.0s");
        assert_eq!(shown(59.96), "1m 00s");
        assert_eq!(shown(125.0), "2m 05s");
        assert_eq!(shown(3599.6), "1h 00m");
        assert_eq!(shown(3725.0), "1h 02m");
    }

    #[test]
    fn clipping_counts_columns_and_never_splits_a_character() {
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clip("abc", 3), "abc");
        assert_eq!(clip("日本語", 4), "日…");
        assert_eq!(clip_middle("abcdefgh", 5), "ab…gh");
        assert_eq!(clip_middle("日本語日本語", 6), "日…語");
        assert_eq!(clip_middle("abc", 0), "…");
    }

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(one_line("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(one_line("a\u{202e}cba"), "a\\u{202e}cba");
        assert_eq!(one_line("\u{5e9} 👩\u{200d}🔧"), "\u{5e9} 👩\u{200d}🔧");
    }

    #[test]
    fn long_values_are_cut_and_say_so() {
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("éabc", 2), "éa… (4 characters)");
    }
}
