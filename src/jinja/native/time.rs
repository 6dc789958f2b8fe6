//! Python's `datetime` and `date`, on jiff's civil times; a datetime may have a time zone.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::civil;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use minijinja::value::{DynObject, Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

mod arithmetic;

pub(in crate::jinja) use arithmetic::{add, div, mul, sub};

use super::duration::Duration;
use crate::jinja::error::{fail, fail_with};
use crate::jinja::value::List;

/// A moment on a wall clock, and where the clock hangs if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jinja) struct Moment {
    clock: civil::DateTime,
    zone: Option<TimeZone>,
}

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::jinja) struct Day(civil::Date);

/// A time zone as a value.
#[derive(Clone, Debug)]
pub(in crate::jinja) struct Zone(TimeZone);

fn wrong(error: &jiff::Error) -> Error {
    fail(error.to_string())
}

impl Moment {
    pub(in crate::jinja) fn value(self) -> Value {
        Value::from_object(self)
    }

    fn naive(clock: civil::DateTime) -> Self {
        Self { clock, zone: None }
    }

    fn zoned(zoned: &Zoned) -> Self {
        Self {
            clock: zoned.datetime(),
            zone: Some(zoned.time_zone().clone()),
        }
    }

    /// An instant of UTC, to the microsecond, from its RFC 3339 text.
    pub(in crate::jinja) fn utc(text: &str) -> Option<Self> {
        let instant: Timestamp = text.parse().ok()?;
        Some(Self::zoned(&instant.to_zoned(TimeZone::UTC)))
    }

    /// Now, in a zone if one is given.
    pub(in crate::jinja) fn now(zone: Option<&Value>) -> Value {
        let zone = zone.and_then(Zone::of);
        let now = Timestamp::now().to_zoned(zone.clone().unwrap_or(TimeZone::UTC));
        let now = now.round(jiff::Unit::Microsecond).unwrap_or(now);
        let mut moment = Self::zoned(&now);
        moment.zone = zone;
        moment.value()
    }

    fn to_zoned(&self) -> Result<Zoned, Error> {
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        self.clock.to_zoned(zone).map_err(|e| wrong(&e))
    }

    fn in_zone(&self, zone: TimeZone) -> Result<Value, Error> {
        Ok(Self::zoned(&self.to_zoned()?.with_time_zone(zone)).value())
    }

    /// The offset as `+02:00`; nothing without a zone.
    fn offset(&self) -> String {
        match (&self.zone, self.to_zoned()) {
            (Some(_), Ok(zoned)) => zoned.strftime("%:z").to_string(),
            _ => String::new(),
        }
    }

    fn text(&self, separator: char) -> String {
        let micros = self.clock.subsec_nanosecond() / 1_000;
        let fraction = if micros == 0 {
            String::new()
        } else {
            format!(".{micros:06}")
        };
        let seconds = self.clock.strftime("%H:%M:%S");
        format!(
            "{}{separator}{seconds}{fraction}{}",
            self.clock.date(),
            self.offset()
        )
    }

    fn format(&self, format: &str) -> Result<String, Error> {
        let format = translated(format, self.zone.is_some());
        let broken_down = match &self.zone {
            Some(_) => strtime::BrokenDownTime::from(&self.to_zoned()?),
            None => strtime::BrokenDownTime::from(self.clock),
        };
        broken_down.to_string(&format).map_err(|e| wrong(&e))
    }

    fn shifted(&self, duration: Duration) -> Result<Value, Error> {
        let clock = self
            .clock
            .checked_add(SignedDuration::from_micros(duration.0));
        let clock = clock.map_err(|e| wrong(&e))?;
        let zone = self.zone.clone();
        Ok(Self { clock, zone }.value())
    }

    fn minus(&self, other: &Self) -> Result<Value, Error> {
        let span = match (&self.zone, &other.zone) {
            (Some(_), Some(_)) => self.to_zoned()?.duration_since(&other.to_zoned()?),
            (None, None) => self.clock.duration_since(other.clock),
            _ => return Err(fail("cannot subtract a time with a zone and one without")),
        };
        Ok(Duration(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)).value())
    }

    fn replaced(&self, args: &[Value]) -> Result<Value, Error> {
        let (kwargs,): (Kwargs,) = from_args(args)?;
        let mut with = self.clock.with();
        let field = |name: &str| kwargs.get::<Option<i64>>(name);
        let small = |value: i64| i8::try_from(value).map_err(|_| fail("the value is out of range"));
        if let Some(year) = field("year")? {
            with = with.year(i16::try_from(year).map_err(|_| fail("the year is out of range"))?);
        }
        if let Some(month) = field("month")? {
            with = with.month(small(month)?);
        }
        if let Some(day) = field("day")? {
            with = with.day(small(day)?);
        }
        if let Some(hour) = field("hour")? {
            with = with.hour(small(hour)?);
        }
        if let Some(minute) = field("minute")? {
            with = with.minute(small(minute)?);
        }
        if let Some(second) = field("second")? {
            with = with.second(small(second)?);
        }
        if let Some(micros) = field("microsecond")? {
            let nanos = i32::try_from(micros.saturating_mul(1_000));
            with =
                with.subsec_nanosecond(nanos.map_err(|_| fail("the microsecond is out of range"))?);
        }
        let clock = with.build().map_err(|e| wrong(&e))?;
        let zone = match kwargs.get::<Option<Value>>("tzinfo")? {
            Some(zone) if zone.is_none() => None,
            Some(zone) => Zone::of(&zone),
            None => self.zone.clone(),
        };
        Ok(Self { clock, zone }.value())
    }
}

/// Python's format directives as jiff's: a zone prints as nothing where there is none.
fn translated(format: &str, has_zone: bool) -> String {
    let mut out = String::with_capacity(format.len());
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('f') => out.push_str("%6f"),
            Some('c') => out.push_str("%a %b %e %H:%M:%S %Y"),
            Some('x') => out.push_str("%m/%d/%y"),
            Some('X') => out.push_str("%H:%M:%S"),
            Some('z' | 'Z') if !has_zone => {}
            Some(other) => {
                out.push('%');
                out.push(other);
            }
            None => out.push_str("%%"),
        }
    }
    out
}

fn weekday(date: civil::Date) -> i64 {
    i64::from(date.weekday().to_monday_zero_offset())
}

fn isocalendar(date: civil::Date) -> Value {
    let iso = date.iso_week_date();
    List::value(vec![
        Value::from(i64::from(iso.year())),
        Value::from(i64::from(iso.week())),
        Value::from(weekday(date) + 1),
    ])
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let clock = &self.clock;
        Some(Value::from(match key.as_str()? {
            "year" => i64::from(clock.year()),
            "month" => i64::from(clock.month()),
            "day" => i64::from(clock.day()),
            "hour" => i64::from(clock.hour()),
            "minute" => i64::from(clock.minute()),
            "second" => i64::from(clock.second()),
            "microsecond" => i64::from(clock.subsec_nanosecond() / 1_000),
            "tzinfo" => {
                let zone = self.zone.clone();
                return Some(zone.map_or(Value::from(()), |z| Value::from_object(Zone(z))));
            }
            _ => return None,
        }))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let date = self.clock.date();
        match method {
            "strftime" => {
                let (format,): (String,) = from_args(args)?;
                self.format(&format).map(Value::from)
            }
            "isoformat" => {
                let (separator,): (Option<String>,) = from_args(args)?;
                let separator = separator.and_then(|s| s.chars().next()).unwrap_or('T');
                Ok(Value::from(self.text(separator)))
            }
            "date" => Ok(Value::from_object(Day(date))),
            "weekday" => Ok(Value::from(weekday(date))),
            "isoweekday" => Ok(Value::from(weekday(date) + 1)),
            "isocalendar" => Ok(isocalendar(date)),
            "timestamp" => {
                let micros = self.to_zoned()?.timestamp().as_microsecond();
                Ok(Value::from(micros as f64 / 1e6))
            }
            "replace" => self.replaced(args),
            "astimezone" => {
                let (zone,): (Option<Value>,) = from_args(args)?;
                let zone = zone.as_ref().and_then(Zone::of);
                self.in_zone(zone.unwrap_or(TimeZone::UTC))
            }
            "utcoffset" => {
                let seconds = i64::from(self.to_zoned()?.offset().seconds());
                Ok(Duration(seconds * 1_000_000).value())
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some(match (&self.zone, &other.zone) {
            (Some(_), Some(_)) => self.to_zoned().ok()?.cmp(&other.to_zoned().ok()?),
            _ => self.clock.cmp(&other.clock),
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(' '))
    }
}

impl Object for Day {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(Value::from(match key.as_str()? {
            "year" => i64::from(self.0.year()),
            "month" => i64::from(self.0.month()),
            "day" => i64::from(self.0.day()),
            _ => return None,
        }))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "strftime" => {
                let (format,): (String,) = from_args(args)?;
                let moment = Moment::naive(self.0.to_datetime(civil::Time::midnight()));
                moment.format(&format).map(Value::from)
            }
            "isoformat" => Ok(Value::from(self.0.to_string())),
            "weekday" => Ok(Value::from(weekday(self.0))),
            "isoweekday" => Ok(Value::from(weekday(self.0) + 1)),
            "isocalendar" => Ok(isocalendar(self.0)),
            "replace" => {
                let moment = Moment::naive(self.0.to_datetime(civil::Time::midnight()));
                let replaced = moment.replaced(args)?;
                let moment = replaced.downcast_object_ref::<Moment>();
                Ok(moment.map_or(Value::UNDEFINED, |m| {
                    Value::from_object(Day(m.clock.date()))
                }))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other
            .downcast_ref::<Self>()
            .map(|other| (**self).cmp(other))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Zone {
    /// The zone inside a value.
    fn of(value: &Value) -> Option<TimeZone> {
        value
            .downcast_object_ref::<Self>()
            .map(|zone| zone.0.clone())
    }

    /// UTC.
    pub(in crate::jinja) fn utc() -> Value {
        Value::from_object(Self(TimeZone::UTC))
    }

    /// The zone of an IANA name.
    pub(in crate::jinja) fn named(name: &str) -> Result<Value, Error> {
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Self::utc());
        }
        match TimeZone::get(name) {
            Ok(zone) => Ok(Value::from_object(Self(zone))),
            Err(_) => Err(fail_with(
                format!("there is no time zone `{name}`"),
                "use a name such as Europe/Berlin or UTC",
            )),
        }
    }
}

impl Object for Zone {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("zone")).then(|| Value::from(name_of(&self.0)))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let (moment,): (Value,) = from_args(args)?;
        let Some(moment) = moment.downcast_object_ref::<Moment>() else {
            return Err(fail("a time zone is applied to a datetime"));
        };
        match method {
            "localize" => Ok(Moment {
                clock: moment.clock,
                zone: Some(self.0.clone()),
            }
            .value()),
            "normalize" | "fromutc" => moment.in_zone(self.0.clone()),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name_of(&self.0))
    }
}

fn name_of(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("UTC").to_owned()
}

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
