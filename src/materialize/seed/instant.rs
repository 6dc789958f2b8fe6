//! Dates and times as dbt's seeds read them, as Postgres counts them: days and microseconds
//! since 2000-01-01.
//!
//! Three forms: `2024-1-5`, `2024-1-5 3:04:05`, and ISO 8601 with a `T` (basic, week and
//! ordinal dates and offsets included; an instant with an offset is kept in UTC).

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// `YYYY-MM-DD`, where month and day may have one digit, as days since 2000-01-01.
pub(super) fn date(text: &str) -> Option<i32> {
    let (year, rest) = digits(text.trim().as_bytes(), 4, 4)?;
    let (month, rest) = digits(rest.strip_prefix(b"-")?, 1, 2)?;
    let rest = rest.strip_prefix(b"-")?;
    // C's %d takes a blank for the first digit.
    let (day, rest) = match rest {
        [b' ', last @ ..] => digits(last, 1, 1)?,
        _ => digits(rest, 1, 2)?,
    };
    rest.is_empty().then(|| days(year, month, day))?
}

/// A date, blanks, and `HH:MM:SS` of one or two digits each, as microseconds.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let text = text.trim();
    let (day, time) = text.split_once(char::is_whitespace)?;
    let (hour, rest) = digits(time.trim_start().as_bytes(), 1, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(b":")?, 1, 2)?;
    let (second, rest) = digits(rest.strip_prefix(b":")?, 1, 2)?;
    if !rest.is_empty() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some(i64::from(date(day)?) * DAY + seconds * 1_000_000)
}

/// ISO 8601 with a `T`, as microseconds (UTC where it has an offset).
pub(super) fn iso(text: &str) -> Option<i64> {
    let (day, time) = text.trim().split_once('T')?;
    Some(i64::from(iso_date(day.as_bytes())?) * DAY + iso_time(time)?)
}

/// `YYYY-MM-DD` with `HH:MM:SS` and a fraction of at most six digits, or without a time:
/// the forms in which Postgres reads the same from text, whatever its settings.
pub(super) fn canonical(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() == 10 {
        return Some(i64::from(date(text)?) * DAY);
    }
    let separated = matches!(bytes.get(10), Some(b' ' | b'T')) && bytes.get(13) == Some(&b':');
    let zoned = bytes
        .iter()
        .skip(19)
        .any(|b| !matches!(b, b'.' | b'0'..=b'9'));
    if !separated || zoned || !(19..=26).contains(&bytes.len()) || bytes.len() == 20 {
        return None;
    }
    Some(i64::from(date(text.get(..10)?)?) * DAY + iso_time(text.get(11..)?)?)
}

/// A date's text, `YYYY-MM-DD`.
pub(super) fn date_text(days: i32) -> String {
    let (year, month, day) = civil(i64::from(days));
    format!("{year:04}-{month:02}-{day:02}")
}

/// A timestamp's text, `YYYY-MM-DD HH:MM:SS.ffffff`.
pub(super) fn timestamp_text(micros: i64) -> String {
    let (year, month, day) = civil(micros.div_euclid(DAY));
    let time = micros.rem_euclid(DAY);
    let seconds = time / 1_000_000;
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:06}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        time % 1_000_000
    )
}

/// Between `least` and `most` ASCII digits at the beginning, and what follows.
fn digits(text: &[u8], least: usize, most: usize) -> Option<(u32, &[u8])> {
    let mut value = 0;
    let mut length = 0;
    while length < most && text.get(length).is_some_and(u8::is_ascii_digit) {
        value = value * 10 + u32::from(text[length] - b'0');
        length += 1;
    }
    (length >= least).then(|| (value, &text[length..]))
}

/// Days since 2000-01-01 of a date that exists, in years 1 to 9999.
fn days(year: u32, month: u32, day: u32) -> Option<i32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if year == 0 || day == 0 || day > length {
        return None;
    }
    // Years begin in March, so that the leap day is their last.
    let shifted = if month > 2 { year } else { year - 1 };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let before = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400;
    Some((before + in_year) as i32 - EPOCH)
}

/// 2000-01-01 in days since 0000-03-01.
const EPOCH: i32 = 730_425;

/// The inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + i64::from(EPOCH);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// Each form of an ISO date has its own length and separators.
fn iso_date(text: &[u8]) -> Option<i32> {
    if text.len() == 2 {
        let (century, rest) = digits(text, 2, 2)?;
        return rest.is_empty().then(|| days(century * 100 + 1, 1, 1))?;
    }
    let (year, rest) = digits(text, 4, 4)?;
    let extended = rest.first() == Some(&b'-');
    let rest = if extended { &rest[1..] } else { rest };
    if let [b'W', week @ ..] = rest {
        return iso_week(year, week, extended);
    }
    // As dbt's reader: month 00 is January.
    let from = |month: u32, day| days(year, month.max(1), day);
    let (number, left) = digits(rest, 0, 4)?;
    match (rest.len() - left.len(), left, extended) {
        (0, [], false) => from(1, 1),
        (2, [], _) => from(number, 1),
        (3, [], _) => Some(from(1, 1)? + number as i32 - 1),
        (2, [b'-', day @ ..], true) => {
            let (day, left) = digits(day, 2, 2)?;
            left.is_empty().then(|| from(number, day))?
        }
        (4, [], false) => from(number / 100, number % 100),
        _ => None,
    }
}

fn iso_week(year: u32, text: &[u8], extended: bool) -> Option<i32> {
    let (week, rest) = digits(text, 2, 2)?;
    let day = match rest {
        [] => 1,
        [b'-', day] if extended && day.is_ascii_digit() => i32::from(day - b'0'),
        [day] if !extended && day.is_ascii_digit() => i32::from(day - b'0'),
        _ => return None,
    };
    let first = days(year, 1, 1)?;
    // 2000-01-01 was a Saturday; Monday is 1.
    let weekday = (first + 5).rem_euclid(7) + 1;
    // January 1st lies in week 1 from Monday to Thursday.
    let weeks = week as i32 - i32::from(weekday <= 4);
    Some(first + weeks * 7 - weekday + day)
}

/// The microseconds of a time of day with its offset taken off.
fn iso_time(text: &str) -> Option<i64> {
    let at = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(at);
    let (clock, fraction) = match clock.find(['.', ',']) {
        Some(point) => (&clock[..point], Some(&clock[point + 1..])),
        None => (clock, None),
    };
    let (hour, rest) = digits(clock.as_bytes(), 2, 2)?;
    let extended = rest.first() == Some(&b':');
    let skip = |rest: &'_ [u8]| usize::from(extended && !rest.is_empty());
    let (minute, rest) = part(&rest[skip(rest)..])?;
    if extended && rest.first().is_some_and(|b| *b != b':') {
        return None;
    }
    let (second, rest) = part(&rest[skip(rest)..])?;
    if !rest.is_empty() || (extended && minute.is_none()) || clock.ends_with(':') {
        return None;
    }
    // A fraction belongs to the smallest part that is given.
    let unit: i64 = match (minute, second) {
        (_, Some(_)) => 1,
        (Some(_), None) => 60,
        _ => 3600,
    };
    let fraction = fraction.map_or(Some(0), micros)? * unit;
    let (minute, second) = (minute.unwrap_or(0), second.unwrap_or(0));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some(seconds * 1_000_000 + fraction - offset(zone.as_bytes())?)
}

/// Two digits, or nothing at the end.
fn part(text: &[u8]) -> Option<(Option<u32>, &[u8])> {
    if text.is_empty() {
        return Some((None, text));
    }
    let (value, rest) = digits(text, 2, 2)?;
    Some((Some(value), rest))
}

/// Millionths of a decimal fraction; further digits are cut off.
fn micros(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let taken = &fraction[..fraction.len().min(6)];
    let value: i64 = taken.parse().ok()?;
    Some(value * 10_i64.pow(6 - taken.len() as u32))
}

/// An offset in microseconds: nothing, `Z`, `+hh`, `+hhmm` or `+hh:mm`.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = match zone {
        [] | [b'Z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2, 2)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (minutes, rest) = part(rest)?;
    let minutes = hours * 60 + minutes.unwrap_or(0);
    (rest.is_empty() && hours < 24).then(|| sign * i64::from(minutes) * 60_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(micros: Option<i64>) -> String {
        micros.map_or("none".to_owned(), timestamp_text)
    }

    #[test]
    fn dates_are_days_since_2000() {
        assert_eq!(date("2000-01-01"), Some(0));
        assert_eq!(date("1999-12-31"), Some(-1));
        assert_eq!(date(" 2024-1-5 "), date("2024-01-05"));
        assert_eq!(
            date("2024-02-29").map(date_text).as_deref(),
            Some("2024-02-29")
        );
        assert_eq!(
            date("0001-01-01").map(date_text).as_deref(),
            Some("0001-01-01")
        );
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "0000-01-01",
            "24-01-05",
            "2024-01-05x",
            "2024/01/05",
            "20240105",
            "2024-001-1",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps_want_whole_seconds() {
        assert_eq!(
            shown(timestamp("2024-1-5  3:4:5")),
            "2024-01-05 03:04:05.000000"
        );
        for text in [
            "2024-01-05",
            "2024-01-05 03:04",
            "2024-01-05 03:04:05.5",
            "2024-01-05 24:00:00",
            "2024-01-05 03:04:60",
            "2024-01-05T03:04:05",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn iso_is_read_in_all_its_forms() {
        for (text, instant) in [
            ("2024-01-05T10:00:00", "2024-01-05 10:00:00.000000"),
            ("2024-01-05T10:00:00Z", "2024-01-05 10:00:00.000000"),
            ("2024-01-05T10:00:00+02:00", "2024-01-05 08:00:00.000000"),
            ("2024-01-05T23:00:00.5-0130", "2024-01-06 00:30:00.500000"),
            ("2024-01-05T03:04:05.1234567", "2024-01-05 03:04:05.123456"),
            ("2024-01-05T10:30.5", "2024-01-05 10:30:30.000000"),
            ("20240105T100000", "2024-01-05 10:00:00.000000"),
            ("2024-W01-1T10", "2024-01-01 10:00:00.000000"),
            ("2024W011T10", "2024-01-01 10:00:00.000000"),
            ("2024-W02T10", "2024-01-08 10:00:00.000000"),
            ("2021-W01-1T00", "2021-01-04 00:00:00.000000"),
            ("2024-005T10:30", "2024-01-05 10:30:00.000000"),
            ("2024005T1030", "2024-01-05 10:30:00.000000"),
            ("2024-02T10", "2024-02-01 10:00:00.000000"),
            ("2024T10", "2024-01-01 10:00:00.000000"),
            ("20T10", "2001-01-01 10:00:00.000000"),
            ("2024-00-05T10", "2024-01-05 10:00:00.000000"),
        ] {
            assert_eq!(shown(iso(text)), instant, "{text}");
        }
    }

    #[test]
    fn what_is_no_iso_instant_is_none() {
        for text in [
            "2024-01-05",
            "2024-01-05 10:00:00",
            "2024-01-05T",
            "2024-01-05T24:00:00",
            "2024-01-05T10:0",
            "2024-01-05T1",
            "2024-01-05T10:00:00+2",
            "2024-01-05T10:00:00 Z",
            "2024-01-05T10:",
            "2024-02-30T10:00",
            "T10:00",
            "2024-01-05T10:0000",
            "2024-01-05T10:00:",
            "TEST",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    #[test]
    fn canonical_text_is_what_postgres_reads_alike_under_every_setting() {
        for text in [
            "2024-01-05",
            "2024-01-05 10:00:00",
            "2024-01-05T10:00:00.5",
            "2024-01-05 10:00:00.123456",
        ] {
            assert!(canonical(text).is_some(), "{text}");
        }
        for text in [
            "2024-1-5",
            "2024-01-05 10:00",
            "2024-01-05 10:00:00Z",
            "2024-01-05 10:00:00.1234567",
            "2024-01-05 10:00:00.",
            " 2024-01-05",
            "2024-01-05 10:00:00+02",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_comes_back(day in -730_119i32..2_921_940) {
            let text = date_text(day);
            prop_assert_eq!(date(&text), Some(day));
            let parsed: jiff::civil::Date = text.parse().unwrap();
            let epoch = jiff::civil::date(2000, 1, 1);
            prop_assert_eq!(epoch.until(parsed).unwrap().get_days(), day);
        }

        #[test]
        fn every_microsecond_comes_back(micros in -63_082_281_600_000_000i64..252_455_615_999_999_999) {
            let text = timestamp_text(micros);
            prop_assert_eq!(canonical(&text), Some(micros));
            prop_assert_eq!(iso(&text.replace(' ', "T")), Some(micros));
        }

        #[test]
        fn no_text_makes_it_fail(text in "[0-9TWZ:.,+é -]{0,28}") {
            let _ = (date(&text), timestamp(&text), iso(&text), canonical(&text));
        }
    }
}
