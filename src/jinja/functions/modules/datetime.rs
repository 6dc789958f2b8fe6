//! `modules.datetime` and `modules.pytz`.

use minijinja::value::{Kwargs, Value, from_args};

use super::{Module, none};
use crate::jinja::native::time::{self, Moment, Zone};
use crate::jinja::native::timedelta;

/// `modules.datetime`, with its classes.
pub(super) fn module() -> Value {
    Value::from_object(Module {
        name: "datetime",
        functions: &[("timedelta", |_, args| timedelta(args))],
        constants: |name| {
            Some(match name {
                "datetime" => Value::from_object(DATETIME),
                "date" => Value::from_object(DATE),
                "timezone" => Value::from_object(TIMEZONE),
                "timedelta" => Value::from_object(TIMEDELTA),
                _ => return None,
            })
        },
        constructor: None,
    })
}

const DATETIME: Module = Module {
    name: "datetime.datetime",
    functions: &[
        ("now", |_, args| {
            let (zone, kwargs): (Option<Value>, Kwargs) = from_args(args)?;
            let zone = match zone {
                Some(zone) => Some(zone),
                None => kwargs.get::<Option<Value>>("tz")?,
            };
            Ok(Moment::now(zone.as_ref()))
        }),
        ("utcnow", |_, _| Ok(Moment::now(None))),
        ("today", |_, _| Ok(Moment::now(None))),
        ("strptime", |_, args| time::strptime(args)),
        ("fromisoformat", |_, args| time::from_iso(args)),
        ("combine", |_, args| {
            let (date, _): (Value, Option<Value>) = from_args(args)?;
            let parts =
                ["year", "month", "day"].map(|name| date.get_attr(name).unwrap_or_default());
            time::datetime(&parts)
        }),
    ],
    constants: none,
    constructor: Some(|_, args| time::datetime(args)),
};

const DATE: Module = Module {
    name: "datetime.date",
    functions: &[
        ("today", |_, _| Ok(time::today())),
        ("fromisoformat", |_, args| time::date_from_iso(args)),
    ],
    constants: none,
    constructor: Some(|_, args| time::date(args)),
};

const TIMEDELTA: Module = Module {
    name: "datetime.timedelta",
    functions: &[],
    constants: none,
    constructor: Some(|_, args| timedelta(args)),
};

const TIMEZONE: Module = Module {
    name: "datetime.timezone",
    functions: &[],
    constants: |name| (name == "utc").then(Zone::utc),
    constructor: None,
};

/// `modules.pytz`.
pub(super) fn pytz() -> Value {
    Value::from_object(Module {
        name: "pytz",
        functions: &[("timezone", |_, args| {
            let (name,): (String,) = from_args(args)?;
            Zone::named(&name)
        })],
        constants: |name| matches!(name, "utc" | "UTC").then(Zone::utc),
        constructor: None,
    })
}
