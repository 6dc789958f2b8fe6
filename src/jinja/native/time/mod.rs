//! Python's dates and times on jiff's, and how they are added and subtracted.

mod day;
mod moment;
mod parse;
mod zone;

use jiff::SignedDuration;
use minijinja::Error;
use minijinja::value::Value;

use super::duration::Duration;
use crate::jinja::error::fail;

pub(in crate::jinja) use day::Day;
pub(in crate::jinja) use moment::Moment;
pub(in crate::jinja) use parse::{
    date, date_from_iso, datetime, from_iso, strptime, temporal, today,
};
pub(in crate::jinja) use zone::Zone;

fn wrong(error: &jiff::Error) -> Error {
    fail(error.to_string())
}

/// `a + b` where one is a duration.
pub(in crate::jinja) fn add(a: &Value, b: &Value) -> Option<Result<Value, Error>> {
    let (other, duration) = match (Duration::of(a), Duration::of(b)) {
        (Some(a), Some(b)) => return Some(Ok(Duration(a.0.saturating_add(b.0)).value())),
        (None, Some(duration)) => (a, duration),
        (Some(duration), None) => (b, duration),
        (None, None) => return None,
    };
    shifted(other, duration)
}

fn shifted(value: &Value, duration: Duration) -> Option<Result<Value, Error>> {
    if let Some(moment) = value.downcast_object_ref::<Moment>() {
        return Some(moment.shifted(duration));
    }
    let day = value.downcast_object_ref::<Day>()?;
    let days = SignedDuration::from_hours(duration.0.div_euclid(86_400_000_000) * 24);
    let moved = day.0.checked_add(days).map_err(|e| wrong(&e));
    Some(moved.map(|date| Value::from_object(Day(date))))
}

/// `a - b` of moments, days and durations.
pub(in crate::jinja) fn sub(a: &Value, b: &Value) -> Option<Result<Value, Error>> {
    if let Some(duration) = Duration::of(b) {
        return match Duration::of(a) {
            Some(a) => Some(Ok(Duration(a.0.saturating_sub(duration.0)).value())),
            None => shifted(a, Duration(-duration.0)),
        };
    }
    if let (Some(a), Some(b)) = (
        a.downcast_object_ref::<Moment>(),
        b.downcast_object_ref::<Moment>(),
    ) {
        return Some(a.minus(b));
    }
    let (a, b) = (
        a.downcast_object_ref::<Day>()?,
        b.downcast_object_ref::<Day>()?,
    );
    let hours = a.0.duration_since(b.0).as_hours();
    Some(Ok(Duration(hours * 3_600_000_000).value()))
}

/// `a * b` where one is a duration and the other a number.
pub(in crate::jinja) fn mul(a: &Value, b: &Value) -> Option<Result<Value, Error>> {
    let (duration, factor) = match (Duration::of(a), Duration::of(b)) {
        (Some(duration), None) => (duration, b),
        (None, Some(duration)) => (duration, a),
        _ => return None,
    };
    Some(f64::try_from(factor.clone()).map(|factor| duration.times(factor)))
}

/// `a / b` of durations, or of a duration and a number.
pub(in crate::jinja) fn div(a: &Value, b: &Value) -> Option<Result<Value, Error>> {
    let a = Duration::of(a)?;
    if let Some(b) = Duration::of(b) {
        return Some(Ok(Value::from(a.0 as f64 / b.0 as f64)));
    }
    Some(f64::try_from(b.clone()).map(|divisor| a.times(1.0 / divisor)))
}
