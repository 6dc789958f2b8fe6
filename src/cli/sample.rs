//! `--sample`: the window of time of whose rows models are built, as dbt reads it: `3 days`
//! back from the start of the run, or a start and an end.

use jiff::civil::DateTime;
use serde_json::Value as Json;

use super::failure::Failure;
use crate::diag::{SourceMap, codes};
use crate::graph::microbatch::{Batch, moment};
use crate::project;

/// The window that the text means.
pub(super) fn window(text: &str, now: DateTime) -> Result<Batch, Failure> {
    let window = match text.trim_start().starts_with('{') {
        true => given(text),
        false => back(text, now),
    };
    let window = window.filter(|window| window.start < window.end);
    window.ok_or_else(|| {
        Failure::message(
            codes::CLI_USAGE,
            format!("--sample is {text:?}, which is no window of time"),
            "write for example '3 days', or \"{'start': '2024-01-01', 'end': '2024-02-01'}\"",
        )
    })
}

fn given(text: &str) -> Option<Batch> {
    let parsed = project::parse_vars(text, &SourceMap::default()).ok()?;
    let at = |key: &str| moment(parsed.get(key).and_then(Json::as_str)?);
    Some(Batch {
        start: at("start")?,
        end: at("end")?,
    })
}

fn back(text: &str, now: DateTime) -> Option<Batch> {
    let (count, grain) = text.trim().split_once(' ')?;
    let count: i64 = count.parse().ok()?;
    let (none, back) = (jiff::Span::new(), count.checked_neg()?);
    let span = match grain.trim().to_ascii_lowercase().trim_end_matches('s') {
        "hour" => none.try_hours(back),
        "day" => none.try_days(back),
        "month" => none.try_months(back),
        "year" => none.try_years(back),
        _ => return None,
    };
    Some(Batch {
        start: now.checked_add(span.ok()?).ok()?,
        end: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let now = moment("2024-03-31T12:30:00").unwrap();
        window(text, now).map_or("no window".to_owned(), |w| w.to_string())
    }

    #[test]
    fn a_window_goes_back_from_now_by_the_calendar() {
        assert_eq!(of("3 days"), "2024-03-28T12:30:00 to 2024-03-31T12:30:00");
        assert_eq!(of("1 month"), "2024-02-29T12:30:00 to 2024-03-31T12:30:00");
        assert_eq!(of("2 Hours"), "2024-03-31T10:30:00 to 2024-03-31T12:30:00");
    }

    #[test]
    fn a_window_may_be_given() {
        let given = "{'start': '2024-01-01', 'end': '2024-02-01T06:00:00'}";
        assert_eq!(of(given), "2024-01-01T00:00:00 to 2024-02-01T06:00:00");
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in [
            "days",
            "3 weeks",
            "-1 day",
            "9999999999999999999 days",
            "99999999999 years",
            "{'start': '2024-01-01'}",
            "",
        ] {
            assert_eq!(of(text), "no window", "{text}");
        }
    }
}
