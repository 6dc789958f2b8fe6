//! From a count of failures to a verdict: severity, `warn_if`, `error_if`.

use super::Verdict;
use super::failures::stored_as;
use crate::event::Status;
use crate::graph::{Detail, Node, NodeIx};
use crate::project::{NodeConfig, TestSeverity, Threshold};

/// What stands for a share in dbt's SQL, whose answer to it is not read.
const ANY: &str = "!= 0";

/// A test's thresholds.
#[derive(Clone, Debug)]
pub(super) struct Thresholds {
    warn: Threshold,
    error: Threshold,
    severity: TestSeverity,
}

/// What a test's SQL answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    pub(super) failures: u64,
    pub(super) should_warn: bool,
    pub(super) should_error: bool,
    /// Rows of the tested relation; counted only if a threshold is a share.
    pub(super) rows: Option<u64>,
}

impl Thresholds {
    /// Those of a config; the error is the text that is no threshold.
    pub(super) fn of(config: &NodeConfig) -> Result<Self, String> {
        let parse = |text: &str| {
            Threshold::parse(text).map_err(|expected| format!("{text:?} is not {expected}"))
        };
        Ok(Self {
            warn: parse(&config.warn_if)?,
            error: parse(&config.error_if)?,
            severity: config.severity,
        })
    }

    /// Whether the rows of the tested relation must be counted.
    pub(super) fn need_rows(&self) -> bool {
        [&self.warn, &self.error]
            .into_iter()
            .any(|threshold| matches!(threshold, Threshold::Share(_)))
    }

    /// `warn_if` and `error_if` for dbt's SQL.
    pub(super) fn sql(&self) -> (&str, &str) {
        (in_sql(&self.warn), in_sql(&self.error))
    }

    /// As dbt decides: `error_if` counts for the severity `error` only, `warn_if` for both.
    pub(super) fn judge(&self, answer: Answer) -> Status {
        let met = |threshold: &Threshold, counted: bool| match threshold {
            Threshold::Count(_) => counted,
            Threshold::Share(share) => share.met(answer.failures, answer.rows.unwrap_or(0)),
        };
        if self.severity == TestSeverity::Error && met(&self.error, answer.should_error) {
            Status::Fail
        } else if met(&self.warn, answer.should_warn) {
            Status::Warn
        } else {
            Status::Pass
        }
    }

    /// Whether no failing row at all is certainly a pass.
    fn pass_without_failures(&self) -> bool {
        let errors = match self.severity {
            TestSeverity::Error => self.error.met_by_zero(),
            TestSeverity::Warn => Some(false),
        };
        errors == Some(false) && self.warn.met_by_zero() == Some(false)
    }
}

fn in_sql(threshold: &Threshold) -> &str {
    match threshold {
        Threshold::Count(text) => text,
        Threshold::Share(_) => ANY,
    }
}

/// Severity and thresholds in words, for example `error if > 0.1%, warn if != 0`.
pub fn thresholds(config: &NodeConfig) -> String {
    let warn = format!("warn if {}", config.warn_if.trim());
    match config.severity {
        TestSeverity::Error => format!("error if {}, {warn}", config.error_if.trim()),
        TestSeverity::Warn => warn,
    }
}

/// How a count stands to its threshold, unless that is dbt's `!= 0`, which needs no words.
pub(super) fn message(config: &NodeConfig, status: Status, answer: Answer) -> Option<String> {
    let threshold = match status {
        Status::Fail => format!("error if {}", config.error_if.trim()),
        Status::Warn => format!("warn if {}", config.warn_if.trim()),
        _ => return None,
    };
    let failures = answer.failures;
    match answer.rows {
        Some(rows) => Some(format!(
            "{failures} of {rows} rows failed ({} %): {threshold}",
            percent(failures, rows)
        )),
        None if threshold.ends_with("!= 0") => None,
        None if failures == 1 => Some(format!("1 failure: {threshold}")),
        None => Some(format!("{failures} failures: {threshold}")),
    }
}

/// A share in percent to three digits that say something.
fn percent(failures: u64, rows: u64) -> String {
    if rows == 0 {
        return "0".to_owned();
    }
    let share = failures as f64 * 100.0 / rows as f64;
    let before = share.max(1e-9).log10().floor() as i32;
    let digits = usize::try_from(2 - before).unwrap_or(0).min(9);
    let text = format!("{share:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The node with whose other tests this one may share a scan: a test of one relation for which
/// no failing row is a pass, whatever its SQL turns out to be.
pub fn may_share(node: &Node) -> Option<NodeIx> {
    let [parent] = node.parents.as_slice() else {
        return None;
    };
    let is_data_test = matches!(node.detail, Detail::GenericTest(_) | Detail::SingularTest);
    let config = &node.config;
    let counts = config
        .fail_calc
        .replace(' ', "")
        .eq_ignore_ascii_case("count(*)");
    // `limit 0` would hide failing rows; kept failures are the test's own statement.
    let plain = counts && config.limit != Some(0) && stored_as(config, false).is_none();
    let passes = Thresholds::of(config).is_ok_and(|t| t.pass_without_failures());
    (is_data_test && plain && passes).then_some(*parent)
}

/// The verdict of a test for which [`may_share`] holds and that has no failing row.
pub fn passed(rows_tested: Option<u64>) -> Verdict {
    Verdict {
        status: Status::Pass,
        failures: 0,
        rows_tested,
        sample: None,
        message: None,
    }
}

/// The template of a query that counts the rows a test looks at, if a threshold is a share.
pub fn tested_rows(node: &Node, tested: &Node) -> Option<String> {
    if !Thresholds::of(&node.config).is_ok_and(|t| t.need_rows()) {
        return None;
    }
    let call = match (&tested.detail, node.refs.first()) {
        (Detail::Source { source, .. }, _) => format!("source('{source}', '{}')", tested.name),
        (_, Some((call, _))) => {
            let package = call.package.iter().map(|p| format!("'{p}', "));
            let version = call.version.iter().map(|v| format!(", v='{v}'"));
            format!(
                "ref({}'{}'{})",
                package.collect::<String>(),
                call.name,
                version.collect::<String>()
            )
        }
        _ => format!("ref('{}')", tested.name),
    };
    Some(match node.detail {
        // The `where` of a test is for generic tests, as in dbt.
        Detail::GenericTest(_) => {
            format!("select count(*) from {{{{ get_where_subquery({call}) }}}}")
        }
        _ => format!("select count(*) from {{{{ {call} }}}}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(severity: TestSeverity, warn_if: &str, error_if: &str) -> NodeConfig {
        NodeConfig {
            severity,
            warn_if: warn_if.to_owned(),
            error_if: error_if.to_owned(),
            ..NodeConfig::default()
        }
    }

    fn judged(config: &NodeConfig, failures: u64, rows: u64) -> Status {
        let answer = Answer {
            failures,
            should_warn: failures != 0,
            should_error: failures > 10,
            rows: Some(rows),
        };
        Thresholds::of(config)
            .expect("are thresholds")
            .judge(answer)
    }

    #[test]
    fn severity_decides_which_threshold_counts() {
        let error = config(TestSeverity::Error, "!= 0", "> 10");
        assert_eq!(judged(&error, 11, 100), Status::Fail);
        assert_eq!(judged(&error, 10, 100), Status::Warn);
        assert_eq!(judged(&error, 0, 100), Status::Pass);
        let warn = config(TestSeverity::Warn, "!= 0", "> 10");
        assert_eq!(judged(&warn, 11, 100), Status::Warn);
    }

    #[test]
    fn a_share_is_of_the_tested_rows() {
        let both = config(TestSeverity::Error, "> 0.1%", ">= 1%");
        assert_eq!(judged(&both, 1, 1000), Status::Pass);
        assert_eq!(judged(&both, 2, 1000), Status::Warn);
        assert_eq!(judged(&both, 10, 1000), Status::Fail);
        assert_eq!(judged(&both, 0, 0), Status::Pass);
    }

    #[test]
    fn the_message_says_count_share_and_threshold() {
        let answer = Answer {
            failures: 12,
            rows: Some(4000),
            ..Answer::default()
        };
        let share = config(TestSeverity::Error, "!= 0", "> 0.1%");
        assert_eq!(
            message(&share, Status::Fail, answer).as_deref(),
            Some("12 of 4000 rows failed (0.3 %): error if > 0.1%")
        );
        let counted = Answer {
            rows: None,
            ..answer
        };
        let count = config(TestSeverity::Warn, "> 10", "!= 0");
        assert_eq!(
            message(&count, Status::Warn, counted).as_deref(),
            Some("12 failures: warn if > 10")
        );
        let usual = NodeConfig::default();
        assert_eq!(message(&usual, Status::Fail, counted), None);
        assert_eq!(thresholds(&share), "error if > 0.1%, warn if != 0");
        assert_eq!(thresholds(&count), "warn if > 10");
    }

    #[test]
    fn a_percentage_shows_the_digits_that_say_something() {
        for (failures, rows, text) in [
            (0, 10, "0"),
            (1, 3, "33.3"),
            (1, 3000, "0.0333"),
            (1, 1, "100"),
            (2, 1_000_000_000, "0.0000002"),
            (5, 0, "0"),
        ] {
            assert_eq!(percent(failures, rows), text);
        }
    }
}
