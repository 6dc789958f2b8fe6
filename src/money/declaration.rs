//! What a column says of itself under `meta.money`, checked: its currency, sign and unit, and
//! the config of the test that watches over it.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::minor_units;

/// The generic test that a declaration becomes.
pub const TEST: &str = "money";
/// The generic test of the decimals of an amount in major units.
pub const TEST_OF_DECIMALS: &str = "money_decimals";

/// Arguments of the test `money`.
const ARGUMENTS: &[&str] = &["currency_column", "currency", "currencies", "sign", "unit"];
/// Config of the test that may stand beside them.
const CONFIG: &[&str] = &[
    "enabled",
    "severity",
    "where",
    "warn_if",
    "error_if",
    "limit",
    "fail_calc",
    "store_failures",
    "store_failures_as",
    "tags",
];

/// Which signs an amount may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sign {
    /// Above zero.
    Positive,
    /// Zero or above.
    NonNegative,
    /// Below zero.
    Negative,
    /// Any.
    #[default]
    Any,
}

/// What one unit of an amount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A cent.
    Minor,
    /// A dollar.
    Major,
}

/// A money column, declared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declaration {
    /// The column that holds the currency of each row.
    pub currency_column: Option<String>,
    /// The currency of every row.
    pub currency: Option<String>,
    /// The codes that are allowed instead of ISO 4217's.
    pub currencies: Vec<String>,
    /// Which signs are allowed.
    pub sign: Sign,
    /// What one unit is, where that is said.
    pub unit: Option<Unit>,
    /// Config of the test, as written.
    pub config: IndexMap<String, Json>,
}

/// What is wrong with a declaration, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, to stand behind the column's name.
    pub message: String,
    /// An action.
    pub hint: String,
}

fn problem(message: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem {
        message: message.into(),
        hint: hint.into(),
    }
}

/// Reads the value of `meta.money`, or the arguments of the test `money`.
pub fn declaration(value: &Json) -> Result<Declaration, Problem> {
    let Json::Object(map) = value else {
        return Err(problem(
            format!("`money` is {value}, where a mapping is expected"),
            "write `money: {currency_column: currency}`, or `money: {currency: USD}`",
        ));
    };
    let mut found = Declaration::default();
    for (key, value) in map {
        match key.as_str() {
            "currency_column" => found.currency_column = Some(word(key, value)?),
            "currency" => found.currency = Some(word(key, value)?),
            "currencies" => found.currencies = words(key, value)?,
            "sign" => found.sign = sign(value)?,
            "unit" => found.unit = Some(unit(value)?),
            key if CONFIG.contains(&key) => {
                found.config.insert(key.to_owned(), value.clone());
            }
            key => return Err(unknown(key)),
        }
    }
    whole(found)
}

/// Refuses what each key allows and all together do not.
fn whole(found: Declaration) -> Result<Declaration, Problem> {
    match (&found.currency_column, &found.currency) {
        (None, None) => Err(problem(
            "`money` names no currency",
            "add `currency_column`, the column that holds it, or `currency`, the one of all rows",
        )),
        (Some(_), Some(_)) => Err(problem(
            "`money` has both `currency_column` and `currency`",
            "keep `currency_column` where rows differ, `currency` where all are in one",
        )),
        (None, Some(code)) if found.currencies.is_empty() && minor_units(code).is_none() => {
            Err(problem(
                format!("the currency `{code}` is no active code of ISO 4217"),
                "write its three capital letters; a code of your own goes under `currencies` too",
            ))
        }
        _ => Ok(found),
    }
}

fn unknown(key: &str) -> Problem {
    let known = ARGUMENTS.iter().chain(CONFIG).copied();
    let near = crate::diag::nearest(key, known);
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`money` takes {}", ARGUMENTS.join(", ")),
    };
    problem(format!("`money` has the unknown key `{key}`"), hint)
}

fn word(key: &str, value: &Json) -> Result<String, Problem> {
    match value.as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(problem(
            format!("`{key}` of `money` is {value}, where a name is expected"),
            format!("write `{key}: name`, in quotes if it is a word of YAML"),
        )),
    }
}

fn words(key: &str, value: &Json) -> Result<Vec<String>, Problem> {
    match value {
        Json::Array(items) => items.iter().map(|item| word(key, item)).collect(),
        other => word(key, other).map(|one| vec![one]),
    }
}

fn sign(value: &Json) -> Result<Sign, Problem> {
    match value.as_str() {
        Some("positive") => Ok(Sign::Positive),
        Some("non_negative") => Ok(Sign::NonNegative),
        Some("negative") => Ok(Sign::Negative),
        Some("any") => Ok(Sign::Any),
        _ => Err(problem(
            format!("`sign` of `money` is {value}"),
            "use positive, non_negative, negative or any",
        )),
    }
}

fn unit(value: &Json) -> Result<Unit, Problem> {
    match value.as_str() {
        Some("minor") => Ok(Unit::Minor),
        Some("major") => Ok(Unit::Major),
        _ => Err(problem(
            format!("`unit` of `money` is {value}"),
            "use minor (cents) or major (dollars)",
        )),
    }
}

impl Declaration {
    /// The arguments of the test `money`, without the column.
    pub fn arguments(&self) -> IndexMap<String, Json> {
        let mut arguments = self.currency_arguments();
        let sign = match self.sign {
            Sign::Positive => Some("positive"),
            Sign::NonNegative => Some("non_negative"),
            Sign::Negative => Some("negative"),
            Sign::Any => None,
        };
        if let Some(sign) = sign {
            arguments.insert("sign".to_owned(), sign.into());
        }
        if let Some(unit) = self.unit {
            let word = match unit {
                Unit::Minor => "minor",
                Unit::Major => "major",
            };
            arguments.insert("unit".to_owned(), word.into());
        }
        if !self.currencies.is_empty() {
            arguments.insert("currencies".to_owned(), self.currencies.clone().into());
        }
        arguments
    }

    /// The arguments of the test `money_decimals`, without the column.
    pub fn currency_arguments(&self) -> IndexMap<String, Json> {
        let mut arguments = IndexMap::new();
        if let Some(column) = &self.currency_column {
            arguments.insert("currency_column".to_owned(), column.as_str().into());
        }
        if let Some(code) = &self.currency {
            arguments.insert("currency".to_owned(), code.as_str().into());
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_declaration_keeps_arguments_and_config_apart() {
        let read = declaration(&json!({
            "currency_column": "ccy", "sign": "positive", "unit": "major", "severity": "warn"
        }))
        .unwrap();
        assert_eq!(
            json!(read.arguments()),
            json!({"currency_column": "ccy", "sign": "positive", "unit": "major"})
        );
        assert_eq!(json!(read.config), json!({"severity": "warn"}));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let wrong = |value: Json| declaration(&value).unwrap_err();
        assert!(wrong(json!(true)).message.contains("a mapping is expected"));
        assert!(wrong(json!({})).message.contains("names no currency"));
        assert!(
            wrong(json!({"currency": "USD", "currency_column": "c"}))
                .message
                .contains("both")
        );
        assert!(
            wrong(json!({"currency": "usd"}))
                .message
                .contains("ISO 4217")
        );
        assert_eq!(
            wrong(json!({"curency_column": "c"})).hint,
            "did you mean `currency_column`?"
        );
        assert!(
            wrong(json!({"currency": "USD", "sign": "plus"}))
                .hint
                .contains("non_negative")
        );
        assert!(declaration(&json!({"currency": "USDC", "currencies": ["USDC"]})).is_ok());
    }
}
