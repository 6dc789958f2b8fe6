//! Python's `datetime`: a civil time of jiff's, perhaps with a time zone.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::civil;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use minijinja::value::{DynObject, Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::day::{Day, isocalendar, weekday};
use super::wrong;
use super::zone::Zone;
use crate::jinja::error::fail;
use crate::jinja::native::duration::Duration;

/// A moment on a wall clock, and where the clock hangs if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::jinja) struct Moment {
    pub(super) clock: civil::DateTime,
    pub(super) zone: Option<TimeZone>,
}

impl Moment {
    pub(in crate::jinja) fn value(self) -> Value {
        Value::from_object(self)
    }

    pub(super) fn naive(clock: civil::DateTime) -> Self {
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

    /// Python's years reach to the last hour of 9999, a little further than an instant does here.
    fn micros_since_epoch(&self) -> i128 {
        if let Ok(zoned) = self.to_zoned() {
            return zoned.timestamp().as_microsecond().into();
        }
        let zone = self.zone.as_ref();
        let offset = zone.and_then(|zone| zone.to_fixed_offset().ok());
        let epoch = civil::date(1970, 1, 1).at(0, 0, 0, 0);
        let behind = offset.map_or(0, |offset| i128::from(offset.seconds()) * 1_000_000);
        self.clock.duration_since(epoch).as_micros() - behind
    }

    pub(super) fn in_zone(&self, zone: TimeZone) -> Result<Value, Error> {
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

    pub(super) fn format(&self, format: &str) -> Result<String, Error> {
        let format = translated(format, self.zone.is_some());
        let broken_down = match &self.zone {
            Some(_) => strtime::BrokenDownTime::from(&self.to_zoned()?),
            None => strtime::BrokenDownTime::from(self.clock),
        };
        broken_down.to_string(&format).map_err(|e| wrong(&e))
    }

    pub(super) fn shifted(&self, duration: Duration) -> Result<Value, Error> {
        let clock = self
            .clock
            .checked_add(SignedDuration::from_micros(duration.0));
        let clock = clock.map_err(|e| wrong(&e))?;
        let zone = self.zone.clone();
        Ok(Self { clock, zone }.value())
    }

    pub(super) fn minus(&self, other: &Self) -> Result<Value, Error> {
        let span = match (&self.zone, &other.zone) {
            (Some(_), Some(_)) => self.to_zoned()?.duration_since(&other.to_zoned()?),
            (None, None) => self.clock.duration_since(other.clock),
            _ => return Err(fail("cannot subtract a time with a zone and one without")),
        };
        Ok(Duration(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)).value())
    }

    pub(super) fn replaced(&self, args: &[Value]) -> Result<Value, Error> {
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
            "timestamp" => Ok(Value::from(self.micros_since_epoch() as f64 / 1e6)),
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
