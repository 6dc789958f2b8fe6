//! Python's arithmetic, as the filters that the rewrite puts in place of operators.

use minijinja::formatting::{FormatStyle, format};
use minijinja::value::{Tuple, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::{List, dict, list, own};
use crate::jinja::native;

/// Adds the filters that the rewrite emits.
pub(in crate::jinja) fn register(env: &mut Environment<'static>) {
    env.add_filter("__list", list::literal);
    env.add_filter("__dict", dict::literal);
    env.add_filter("__own", own);
    env.add_filter("__add", add);
    env.add_filter("__sub", sub);
    env.add_filter("__mul", mul);
    env.add_filter("__div", div);
    env.add_filter("__floordiv", floordiv);
    env.add_filter("__mod", modulo);
}

fn unsupported(op: &str, a: &Value, b: &Value) -> Error {
    let message = format!("cannot calculate {} {op} {}", describe(a), describe(b));
    Error::new(ErrorKind::InvalidOperation, message)
}

fn describe(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => "something undefined".to_owned(),
        ValueKind::None => "none".to_owned(),
        kind => format!("a {kind}"),
    }
}

/// Two numbers, as integers where both are (booleans count as 0 and 1).
enum Pair {
    Int(i128, i128),
    Float(f64, f64),
}

fn numbers(a: &Value, b: &Value) -> Option<Pair> {
    let numeric = |v: &Value| matches!(v.kind(), ValueKind::Number | ValueKind::Bool);
    if !numeric(a) || !numeric(b) {
        return None;
    }
    let integral = |v: &Value| v.is_integer() || v.kind() == ValueKind::Bool;
    if integral(a)
        && integral(b)
        && let (Ok(x), Ok(y)) = (i128::try_from(a.clone()), i128::try_from(b.clone()))
    {
        return Some(Pair::Int(x, y));
    }
    Some(Pair::Float(float(a)?, float(b)?))
}

fn float(value: &Value) -> Option<f64> {
    if value.kind() == ValueKind::Bool {
        return Some(f64::from(u8::from(value.is_true())));
    }
    f64::try_from(value.clone()).ok()
}

fn int(value: i128) -> Value {
    i64::try_from(value).map_or_else(|_| Value::from(value), Value::from)
}

fn is_list(value: &Value) -> bool {
    value.kind() == ValueKind::Seq && !value.is_tuple()
}

fn add(a: Value, b: Value) -> Result<Value, Error> {
    if let (Some(x), Some(y)) = (a.as_str(), b.as_str()) {
        return Ok(Value::from(format!("{x}{y}")));
    }
    if let Some(pair) = numbers(&a, &b) {
        return Ok(match pair {
            Pair::Int(x, y) => int(x.checked_add(y).ok_or_else(|| unsupported("+", &a, &b))?),
            Pair::Float(x, y) => Value::from(x + y),
        });
    }
    if a.is_tuple() && b.is_tuple() {
        return Ok(Value::from(Tuple::from(joined(&a, &b)?)));
    }
    if is_list(&a) && is_list(&b) {
        return Ok(List::value(joined(&a, &b)?));
    }
    native::add(&a, &b).unwrap_or_else(|| Err(unsupported("+", &a, &b)))
}

fn joined(a: &Value, b: &Value) -> Result<Vec<Value>, Error> {
    Ok(a.try_iter()?.chain(b.try_iter()?).collect())
}

fn sub(a: Value, b: Value) -> Result<Value, Error> {
    if let Some(pair) = numbers(&a, &b) {
        return Ok(match pair {
            Pair::Int(x, y) => int(x.checked_sub(y).ok_or_else(|| unsupported("-", &a, &b))?),
            Pair::Float(x, y) => Value::from(x - y),
        });
    }
    native::sub(&a, &b).unwrap_or_else(|| Err(unsupported("-", &a, &b)))
}

/// More than this many items or bytes of repetition is taken for a mistake.
const MAX_REPEATED: usize = 10_000_000;

fn mul(a: Value, b: Value) -> Result<Value, Error> {
    if let Some(pair) = numbers(&a, &b) {
        return Ok(match pair {
            Pair::Int(x, y) => int(x.checked_mul(y).ok_or_else(|| unsupported("*", &a, &b))?),
            Pair::Float(x, y) => Value::from(x * y),
        });
    }
    let (what, times) = if b.is_integer() { (&a, &b) } else { (&b, &a) };
    let Ok(times) = i64::try_from(times.clone()) else {
        return Err(unsupported("*", &a, &b));
    };
    let times = usize::try_from(times).unwrap_or(0);
    let size = what.as_str().map(str::len).or(what.len()).unwrap_or(0);
    if size.saturating_mul(times) > MAX_REPEATED {
        let message = format!("repeating {times} times makes too long a value");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    if let Some(text) = what.as_str() {
        return Ok(Value::from(text.repeat(times)));
    }
    if is_list(what) || what.is_tuple() {
        let items: Vec<Value> = what.try_iter()?.collect();
        let repeated: Vec<Value> = std::iter::repeat_n(items, times).flatten().collect();
        return Ok(if what.is_tuple() {
            Value::from(Tuple::from(repeated))
        } else {
            List::value(repeated)
        });
    }
    native::mul(&a, &b).unwrap_or_else(|| Err(unsupported("*", &a, &b)))
}

fn by_zero() -> Error {
    Error::new(ErrorKind::InvalidOperation, "division by zero")
}

fn div(a: Value, b: Value) -> Result<Value, Error> {
    let (Some(_), Some(x), Some(y)) = (numbers(&a, &b), float(&a), float(&b)) else {
        return native::div(&a, &b).unwrap_or_else(|| Err(unsupported("/", &a, &b)));
    };
    if y == 0.0 {
        return Err(by_zero());
    }
    Ok(Value::from(x / y))
}

fn floordiv(a: Value, b: Value) -> Result<Value, Error> {
    match numbers(&a, &b) {
        Some(Pair::Int(_, 0)) => Err(by_zero()),
        Some(Pair::Int(x, y)) => {
            let floor = x.wrapping_div(y) - i128::from(x % y != 0 && (x < 0) != (y < 0));
            Ok(int(floor))
        }
        Some(Pair::Float(_, 0.0)) => Err(by_zero()),
        Some(Pair::Float(x, y)) => Ok(Value::from((x / y).floor())),
        None => Err(unsupported("//", &a, &b)),
    }
}

fn modulo(a: Value, b: Value) -> Result<Value, Error> {
    if let Some(text) = a.as_str() {
        let args: Vec<Value> = if b.is_tuple() {
            b.try_iter()?.collect()
        } else {
            vec![b]
        };
        return format(FormatStyle::Printf, text, &args).map(Value::from);
    }
    match numbers(&a, &b) {
        Some(Pair::Int(_, 0)) => Err(by_zero()),
        // Python's remainder has the sign of the divisor
        Some(Pair::Int(x, y)) => Ok(int(x.wrapping_rem(y).wrapping_add(y).wrapping_rem(y))),
        Some(Pair::Float(_, 0.0)) => Err(by_zero()),
        Some(Pair::Float(x, y)) => Ok(Value::from(x - y * (x / y).floor())),
        None => Err(unsupported("%", &a, &b)),
    }
}
