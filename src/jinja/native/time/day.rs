//! Python's `date`.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::civil;
use minijinja::value::{DynObject, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::moment::Moment;
use crate::jinja::value::List;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::jinja) struct Day(pub(super) civil::Date);

pub(super) fn weekday(date: civil::Date) -> i64 {
    i64::from(date.weekday().to_monday_zero_offset())
}

pub(super) fn isocalendar(date: civil::Date) -> Value {
    let iso = date.iso_week_date();
    List::value(vec![
        Value::from(i64::from(iso.year())),
        Value::from(i64::from(iso.week())),
        Value::from(weekday(date) + 1),
    ])
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
