//! Time zones, as `modules.pytz` and `datetime.timezone` give them.

use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use minijinja::value::{Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::moment::Moment;
use crate::jinja::error::{fail, fail_with};

/// A time zone as a value.
#[derive(Clone, Debug)]
pub(in crate::jinja) struct Zone(pub(super) TimeZone);

impl Zone {
    /// The zone inside a value.
    pub(super) fn of(value: &Value) -> Option<TimeZone> {
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
