//! Months of the UTC calendar, as numbers: `12 x year + month - 1`.

/// The month of an instant in seconds since 1970.
pub(super) fn month_of(seconds: i64) -> i64 {
    let mut month = 12 * 1970 + seconds.div_euclid(86_400) / 31;
    while start(month + 1) <= seconds {
        month += 1;
    }
    month
}

/// The first instant of a month, in seconds since 1970.
pub(super) fn start(month: i64) -> i64 {
    let (year, of_year) = (month.div_euclid(12), month.rem_euclid(12));
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let mut days: i64 = (1970..year).map(|y| 365 + i64::from(leap(y))).sum();
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (at, length) in (0..of_year).zip(lengths) {
        days += length + i64::from(at == 1 && leap(year));
    }
    days * 86_400
}

/// As Postgres writes the first day of it.
pub(super) fn written(month: i64) -> String {
    format!(
        "{}-{:02}-01",
        month.div_euclid(12),
        month.rem_euclid(12) + 1
    )
}
