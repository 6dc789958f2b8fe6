//! Instants in whole seconds and just enough calendar for billing; UTC throughout.

use std::fmt;

/// Seconds in an hour.
pub const HOUR: i64 = 3_600;
/// Seconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// An instant: whole seconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At(pub i64);

impl At {
    /// Midnight that begins a date.
    pub fn date(year: i32, month: u32, day: u32) -> Self {
        Self(days_from_civil(year, month, day) * DAY)
    }

    /// The instant some seconds later.
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0 + seconds)
    }

    /// The instant some days, given as a fraction, later.
    pub fn plus_days(self, days: f64) -> Self {
        Self(self.0 + (days * DAY as f64) as i64)
    }

    /// Seconds from `earlier` to this instant.
    pub fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Days since 1970-01-01.
    pub fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// Seconds since midnight.
    pub fn second_of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    /// Year, month and day of the month.
    pub fn civil(self) -> (i32, u32, u32) {
        civil_from_days(self.day())
    }

    /// The same day and time of day some months later; a day that the month lacks becomes its last.
    pub fn plus_months(self, months: u32) -> Self {
        let (y, m, d) = self.civil();
        let index = y * 12 + m as i32 - 1 + months as i32;
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) as u32 + 1);
        let date = days_from_civil(year, month, d.min(days_in_month(year, month)));
        Self(date * DAY + self.second_of_day())
    }
}

impl fmt::Display for At {
    /// As Postgres prints a `timestamptz` when its time zone is UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.civil();
        let s = self.second_of_day();
        let (h, min, sec) = (s / HOUR, s / 60 % 60, s % 60);
        write!(f, "{y:04}-{m:02}-{d:02} {h:02}:{min:02}:{sec:02}+00")
    }
}

/// Monday is 0, Sunday 6; for a day since 1970-01-01, which was a Thursday.
pub fn weekday(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar. The year is counted
/// from March, so that the leap day is the last of its year.
fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let y = i64::from(year) - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i32, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let doe = shifted.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_convert_both_ways() {
        for days in -150_000..150_000 {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
        }
        assert_eq!(At::date(1970, 1, 1).0, 0);
        assert_eq!(At::date(2000, 3, 1).day(), 11_017);
        assert_eq!(weekday(At::date(2025, 6, 30).day()), 0);
    }

    #[test]
    fn the_31st_becomes_the_last_day_of_a_short_month() {
        let at = At::date(2024, 1, 31).plus(5);
        assert_eq!(at.plus_months(1).to_string(), "2024-02-29 00:00:05+00");
        assert_eq!(at.plus_months(13).to_string(), "2025-02-28 00:00:05+00");
        assert_eq!(at.plus_months(2).to_string(), "2024-03-31 00:00:05+00");
    }
}
