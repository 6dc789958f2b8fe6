//! Datetimes and dates from numbers and from text.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use minijinja::Error;
use minijinja::value::{Kwargs, Value, from_args};

use super::day::Day;
use super::moment::Moment;
use super::wrong;
use crate::jinja::error::{fail, fail_with};

/// Integers of a constructor, by place or name.
fn fields<const N: usize>(
    args: &[Value],
    names: [(&str, Option<i64>); N],
) -> Result<[i64; N], Error> {
    let kwargs = match args.last().filter(|v| v.is_kwargs()) {
        Some(kwargs) => Some(Kwargs::try_from(kwargs.clone())?),
        None => None,
    };
    let mut found = [0; N];
    for (index, (name, default)) in names.into_iter().enumerate() {
        let positional = args.get(index).filter(|v| !v.is_kwargs());
        let named = match &kwargs {
            Some(kwargs) => kwargs.get::<Option<i64>>(name)?,
            None => None,
        };
        let value = match positional {
            Some(value) => Some(i64::try_from(value.clone())?),
            None => named.or(default),
        };
        found[index] = value.ok_or_else(|| fail(format!("the {name} is missing")))?;
    }
    Ok(found)
}

fn date_of(year: i64, month: i64, day: i64) -> Result<civil::Date, Error> {
    let out_of_range = || fail(format!("{year}-{month}-{day} is no date"));
    let year = i16::try_from(year).map_err(|_| out_of_range())?;
    let month = i8::try_from(month).map_err(|_| out_of_range())?;
    let day = i8::try_from(day).map_err(|_| out_of_range())?;
    civil::Date::new(year, month, day).map_err(|_| out_of_range())
}

/// `datetime(2024, 1, 31, 12, 30)`.
pub(in crate::jinja) fn datetime(args: &[Value]) -> Result<Value, Error> {
    let zero = Some(0);
    let [year, month, day, hour, minute, second, micros] = fields(
        args,
        [
            ("year", None),
            ("month", None),
            ("day", None),
            ("hour", zero),
            ("minute", zero),
            ("second", zero),
            ("microsecond", zero),
        ],
    )?;
    let clock = date_of(year, month, day)?.to_datetime(civil::Time::midnight());
    let seconds = hour * 3_600 + minute * 60 + second;
    let span = SignedDuration::from_micros(seconds * 1_000_000 + micros);
    let clock = clock.checked_add(span).map_err(|e| wrong(&e))?;
    Ok(Moment::naive(clock).value())
}

/// `date(2024, 1, 31)`.
pub(in crate::jinja) fn date(args: &[Value]) -> Result<Value, Error> {
    let [year, month, day] = fields(args, [("year", None), ("month", None), ("day", None)])?;
    Ok(Value::from_object(Day(date_of(year, month, day)?)))
}

/// `datetime.strptime(text, format)`.
pub(in crate::jinja) fn strptime(args: &[Value]) -> Result<Value, Error> {
    let (text, format): (String, String) = from_args(args)?;
    let unfit = |_| {
        fail_with(
            format!("`{text}` does not fit the format `{format}`"),
            "the directives are those of Python's strptime",
        )
    };
    let parsed = strtime::parse(translated_for_parsing(&format), &text).map_err(unfit)?;
    let date = parsed.to_date().map_err(unfit)?;
    let time = parsed.to_time().unwrap_or(civil::Time::midnight());
    let zone = parsed.offset().map(TimeZone::fixed);
    let clock = date.to_datetime(time);
    Ok(Moment { clock, zone }.value())
}

fn translated_for_parsing(format: &str) -> String {
    format
        .replace("%c", "%a %b %e %H:%M:%S %Y")
        .replace("%x", "%m/%d/%y")
        .replace("%X", "%H:%M:%S")
}

/// `datetime.fromisoformat(text)`.
pub(in crate::jinja) fn from_iso(args: &[Value]) -> Result<Value, Error> {
    let (text,): (String,) = from_args(args)?;
    parse_moment(&text).ok_or_else(|| fail(format!("`{text}` is no ISO 8601 datetime")))
}

/// `date.fromisoformat(text)`.
pub(in crate::jinja) fn date_from_iso(args: &[Value]) -> Result<Value, Error> {
    let (text,): (String,) = from_args(args)?;
    parse_day(&text).ok_or_else(|| fail(format!("`{text}` is no ISO 8601 date")))
}

/// `date.today()`.
pub(in crate::jinja) fn today() -> Value {
    Value::from_object(Day(Timestamp::now().to_zoned(TimeZone::UTC).date()))
}

fn parse_day(text: &str) -> Option<Value> {
    Some(Value::from_object(Day(text.parse().ok()?)))
}

/// A timestamp in Postgres' or ISO form, with or without an offset.
fn parse_moment(text: &str) -> Option<Value> {
    let text = with_minutes(text);
    if let Some(moment) = Moment::utc(&text) {
        let pieces = jiff::fmt::temporal::Pieces::parse(&text).ok();
        let offset = pieces.and_then(|p| p.to_numeric_offset());
        return moment
            .in_zone(offset.map_or(TimeZone::UTC, TimeZone::fixed))
            .ok();
    }
    Some(Moment::naive(text.replacen(' ', "T", 1).parse().ok()?).value())
}

/// Postgres writes an offset of whole hours as `+02`.
fn with_minutes(text: &str) -> String {
    let bytes = text.as_bytes();
    let short =
        bytes.len() > 3 && matches!(bytes[bytes.len() - 3], b'+' | b'-') && text.contains(':');
    if short {
        format!("{text}:00")
    } else {
        text.to_owned()
    }
}

/// A cell of a date or time type as a value; `None` if it is none.
pub(in crate::jinja) fn temporal(text: &str, data_type: &str) -> Option<Value> {
    match data_type {
        "date" => parse_day(text),
        "timestamp"
        | "timestamptz"
        | "timestamp without time zone"
        | "timestamp with time zone" => parse_moment(text),
        _ => None,
    }
}
