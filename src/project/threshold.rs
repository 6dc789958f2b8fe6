//! `warn_if` and `error_if` of a test: a comparison that the count of failures is put before,
//! as dbt has it, or one with the share of rows that failed, `> 0.1%`.

use std::cmp::Ordering;

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// When a test warns or fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// SQL that follows the count, for example `> 10` or `between 1 and 3`.
    Count(String),
    /// A comparison with the share of the tested rows, in percent.
    Share(Share),
}

/// A comparison with a share in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// `> 0.1%` and its like.
    Compare(Comparison, Percent),
    /// `between 1% and 3%`, both ends included.
    Between(Percent, Percent),
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=` or `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A number of percent, kept exactly: `digits / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent {
    digits: u64,
    scale: u32,
}

/// Longer numbers are no thresholds that anybody means.
const MAX_DIGITS: usize = 15;

impl Threshold {
    /// Reads a threshold; the error says what was expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.ends_with('%') {
            return Share::parse(text)
                .map(Self::Share)
                .ok_or("a share of rows such as \"> 0.1%\" or \"between 1% and 5%\"");
        }
        let plain = "a comparison such as \">10\", \"!= 0\" or \"> 0.1%\"";
        if !begins_as_comparison(text) {
            return Err(plain);
        }
        // Nearly all are `!= 0` or `> 10`, and each test asks.
        if Comparison::split(text).is_some_and(|(_, number)| whole(number).is_some()) {
            return Ok(Self::Count(text.to_owned()));
        }
        // The parentheses find a comment or a semicolon that would swallow what follows.
        let sql = format!("select (count(*) {text}) as met");
        match Parser::parse_sql(&PostgreSqlDialect {}, &sql) {
            Ok(statements) if statements.len() == 1 => Ok(Self::Count(text.to_owned())),
            _ => Err(plain),
        }
    }

    /// Whether no failure at all meets it; `None` where only Postgres can tell.
    pub fn met_by_zero(&self) -> Option<bool> {
        match self {
            Self::Share(share) => Some(share.met(0, 0)),
            Self::Count(text) => {
                let text = text.trim().to_lowercase();
                if let Some(rest) = text.strip_prefix("between ") {
                    let (low, high) = rest.split_once(" and ")?;
                    let (low, high) = (whole(low)?, whole(high)?);
                    return Some(low <= 0 && 0 <= high);
                }
                let (comparison, rest) = Comparison::split(&text)?;
                Some(comparison.holds(0.cmp(&whole(rest)?)))
            }
        }
    }
}

impl Share {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        if let Some(rest) = text.strip_prefix("between ") {
            let (low, high) = rest.split_once(" and ")?;
            return Some(Self::Between(Percent::parse(low)?, Percent::parse(high)?));
        }
        let (comparison, rest) = Comparison::split(&text)?;
        Some(Self::Compare(comparison, Percent::parse(rest)?))
    }

    /// Whether so many failures of so many rows meet it. Nothing of nothing is 0 %.
    pub fn met(&self, failures: u64, rows: u64) -> bool {
        match self {
            Self::Compare(comparison, percent) => comparison.holds(percent.cmp(failures, rows)),
            Self::Between(low, high) => {
                low.cmp(failures, rows).is_ge() && high.cmp(failures, rows).is_le()
            }
        }
    }
}

impl Comparison {
    /// The comparison with which a text begins, and what follows it.
    fn split(text: &str) -> Option<(Self, &str)> {
        let all = [
            (">=", Self::GreaterOrEqual),
            ("<=", Self::LessOrEqual),
            ("<>", Self::NotEqual),
            ("!=", Self::NotEqual),
            (">", Self::Greater),
            ("<", Self::Less),
            ("=", Self::Equal),
        ];
        all.into_iter()
            .find_map(|(sign, comparison)| Some((comparison, text.strip_prefix(sign)?)))
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Percent {
    fn parse(text: &str) -> Option<Self> {
        let number = text.trim().strip_suffix('%')?.trim_end();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        if digits.is_empty() || digits.len() > MAX_DIGITS || !plain {
            return None;
        }
        Some(Self {
            digits: digits.parse().ok()?,
            scale: u32::try_from(fraction.len()).ok()?,
        })
    }

    /// How the share of failures compares with this many percent.
    fn cmp(self, failures: u64, rows: u64) -> Ordering {
        if rows == 0 && failures == 0 {
            return 0.cmp(&self.digits);
        }
        let share = u128::from(failures)
            .saturating_mul(100)
            .saturating_mul(10u128.pow(self.scale));
        share.cmp(&u128::from(self.digits).saturating_mul(u128::from(rows)))
    }
}

fn begins_as_comparison(text: &str) -> bool {
    let text = text.to_lowercase();
    ["<", ">", "=", "!", "%"]
        .iter()
        .any(|sign| text.starts_with(sign))
        || ["between", "in", "is", "not"].iter().any(|word| {
            let rest = text.strip_prefix(word);
            rest.is_some_and(|rest| rest.starts_with([' ', '\n', '\t', '(']))
        })
}

fn whole(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Share {
        match Threshold::parse(text) {
            Ok(Threshold::Share(share)) => share,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_share_is_compared_exactly() {
        let above = share("> 0.1%");
        assert!(!above.met(1, 1000));
        assert!(above.met(2, 1000));
        assert!(above.met(1_000_001, 1_000_000_000));
        assert!(share(">= 1 %").met(1, 100));
        assert!(!share(">=1%").met(1, 101));
        assert!(share("between 1% and 2.5 %").met(25, 1000));
        assert!(!share("BETWEEN 1% and 2.5%").met(26, 1000));
        assert!(share("!= 0%").met(1, u64::MAX));
    }

    #[test]
    fn nothing_of_nothing_is_no_percent() {
        assert!(!share("> 0%").met(0, 0));
        assert!(share(">= 0%").met(0, 0));
        // Failures of no rows (a fail_calc of the user) are more than any share.
        assert!(share("> 99%").met(1, 0));
    }

    #[test]
    fn what_zero_failures_mean_is_known_for_plain_comparisons() {
        let zero = |text: &str| Threshold::parse(text).map(|t| t.met_by_zero());
        for text in [
            "!= 0",
            "<> 0",
            "> 0",
            ">10",
            ">= 1",
            "= 5",
            "between 1 and 3",
            "> 0.1%",
        ] {
            assert_eq!(zero(text), Ok(Some(false)), "{text}");
        }
        for text in [
            "= 0",
            "< 1",
            ">= 0",
            "!= 1",
            "between 0 and 3",
            ">= 0%",
            "< 5%",
        ] {
            assert_eq!(zero(text), Ok(Some(true)), "{text}");
        }
        for text in [
            "> 1 + 1",
            "in (1, 2)",
            "is null",
            "not in (0)",
            "% 2 = 0",
            "> 0.5",
        ] {
            assert_eq!(zero(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_is_no_comparison_is_refused() {
        for text in [
            "",
            "5",
            "0.1%",
            "> %",
            "> 1.2.3%",
            "> -1%",
            "> 1e3%",
            "> 5 -- at most",
            "> 5; drop",
            "> (5",
            "inside",
            "between 1 and 5%",
            "> 12345678901234567%",
        ] {
            assert!(Threshold::parse(text).is_err(), "{text}");
        }
    }
}
