//! Python's `timedelta`, in microseconds.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

/// A span of time in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::jinja) struct Duration(pub(in crate::jinja) i64);

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The units of a `timedelta`, in the order of its arguments, and their microseconds.
const UNITS: [(&str, i64); 7] = [
    ("days", DAY),
    ("seconds", SECOND),
    ("microseconds", 1),
    ("milliseconds", 1_000),
    ("minutes", 60 * SECOND),
    ("hours", 3_600 * SECOND),
    ("weeks", 7 * DAY),
];

impl Duration {
    /// The duration inside a value.
    pub(super) fn of(value: &Value) -> Option<Self> {
        value.downcast_object_ref::<Self>().copied()
    }

    pub(super) fn value(self) -> Value {
        Value::from_object(self)
    }

    /// This many times the duration.
    pub(super) fn times(self, factor: f64) -> Value {
        Self((self.0 as f64 * factor).round() as i64).value()
    }
}

/// `timedelta(days=…, hours=…)`.
pub(in crate::jinja) fn timedelta(args: &[Value]) -> Result<Value, Error> {
    let positional = args.iter().filter(|v| !v.is_kwargs());
    let mut micros = 0.0;
    for (value, (_, unit)) in positional.zip(UNITS) {
        micros += f64::try_from(value.clone())? * unit as f64;
    }
    if let Some(kwargs) = args.last().filter(|v| v.is_kwargs()) {
        let kwargs = Kwargs::try_from(kwargs.clone())?;
        for (name, unit) in UNITS {
            micros += kwargs.get::<Option<f64>>(name)?.unwrap_or(0.0) * unit as f64;
        }
        kwargs.assert_all_used()?;
    }
    Ok(Duration(micros.round() as i64).value())
}

impl Object for Duration {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let rest = self.0.rem_euclid(DAY);
        match key.as_str()? {
            "days" => Some(Value::from(self.0.div_euclid(DAY))),
            "seconds" => Some(Value::from(rest / SECOND)),
            "microseconds" => Some(Value::from(rest % SECOND)),
            _ => None,
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.0 != 0
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let () = from_args(args)?;
        match method {
            "total_seconds" => Ok(Value::from(self.0 as f64 / SECOND as f64)),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other
            .downcast_ref::<Self>()
            .map(|other| (**self).cmp(other))
    }

    /// As Python prints it: `1 day, 2:03:04.000005`.
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        if days != 0 {
            let plural = if days.abs() == 1 { "" } else { "s" };
            write!(f, "{days} day{plural}, ")?;
        }
        let seconds = rest / SECOND;
        write!(
            f,
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        match rest % SECOND {
            0 => Ok(()),
            micros => write!(f, ".{micros:06}"),
        }
    }
}
