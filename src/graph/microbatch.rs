//! Microbatch models: what their config must say, and the spans of time that a run builds, one
//! after another. Times are those of UTC; spans include their start and not their end.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};

use super::{Node, ResourceKind};
use crate::diag::{Diagnostic, codes};
use crate::project::NodeConfig;

/// How long a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSize {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// A span of time that is built by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Batch {
    /// Its first moment.
    pub start: DateTime,
    /// The moment after its last.
    pub end: DateTime,
}

/// What a run knows of time.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// `--event-time-start`.
    pub start: Option<DateTime>,
    /// `--event-time-end`.
    pub end: Option<DateTime>,
    /// When the run started.
    pub now: DateTime,
}

impl BatchSize {
    /// The size of a config, `day` where it says none.
    pub fn of(config: &NodeConfig) -> Self {
        match config.batch_size.as_deref() {
            Some("hour") => Self::Hour,
            Some("month") => Self::Month,
            Some("year") => Self::Year,
            _ => Self::Day,
        }
    }

    fn truncate(self, at: DateTime) -> DateTime {
        let day = at.date();
        match self {
            Self::Hour => day.to_datetime(Time::constant(at.hour(), 0, 0, 0)),
            Self::Day => day.to_datetime(Time::midnight()),
            Self::Month => day.first_of_month().to_datetime(Time::midnight()),
            Self::Year => day.first_of_year().to_datetime(Time::midnight()),
        }
    }

    /// The start of the batch that holds `at`, moved by a number of batches.
    fn offset(self, at: DateTime, by: i64) -> DateTime {
        let start = self.truncate(at);
        let span = match self {
            Self::Hour => by.hours(),
            Self::Day => by.days(),
            Self::Month => by.months(),
            Self::Year => by.years(),
        };
        start.checked_add(span).unwrap_or(start)
    }

    fn ceiling(self, at: DateTime) -> DateTime {
        if self.truncate(at) == at {
            at
        } else {
            self.offset(at, 1)
        }
    }

    /// How a batch of this size is called, for example `2024-09-17`.
    pub fn name(self, batch: Batch) -> String {
        let form = match self {
            Self::Hour => "%Y-%m-%dT%H",
            Self::Day => "%Y-%m-%d",
            Self::Month => "%Y-%m",
            Self::Year => "%Y",
        };
        batch.start.strftime(form).to_string()
    }
}

impl Batch {
    /// Start and end as artifacts have them.
    pub fn iso(self) -> (String, String) {
        let text = |at: DateTime| format!("{}+00:00", at.strftime("%Y-%m-%dT%H:%M:%S"));
        (text(self.start), text(self.end))
    }

    /// A pair as artifacts have it.
    pub fn from_iso((start, end): &(String, String)) -> Option<Self> {
        Some(Self {
            start: moment(start)?,
            end: moment(end)?,
        })
    }

    /// The part of it that lies in a window.
    pub fn within(self, window: Self) -> Self {
        Self {
            start: self.start.max(window.start),
            end: self.end.min(window.end),
        }
    }

    /// The condition on a column of event times.
    pub fn condition(self, column: &str) -> String {
        let text = |at: DateTime| format!("{}+00:00", at.strftime("%Y-%m-%d %H:%M:%S%.f"));
        format!(
            "{column} >= '{}' and {column} < '{}'",
            text(self.start),
            text(self.end)
        )
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.start, self.end)
    }
}

/// A moment as a config or the command line has it: a date, or a date and a time, in UTC unless
/// it says otherwise.
pub fn moment(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.to_zoned(jiff::tz::TimeZone::UTC).datetime());
    }
    let date = || Some(text.parse::<Date>().ok()?.to_datetime(Time::midnight()));
    text.parse::<DateTime>().ok().or_else(date)
}

/// The batches that a run builds. `incremental`: there is a table to continue.
pub fn batches(config: &NodeConfig, times: Times, incremental: bool) -> Vec<Batch> {
    let size = BatchSize::of(config);
    let end = size.ceiling(times.end.unwrap_or(times.now));
    let begin = config.begin.as_deref().and_then(moment);
    let start = match (times.start, begin) {
        (Some(start), _) => size.truncate(start),
        (None, Some(begin)) if !incremental => size.truncate(begin),
        _ => {
            // An end on the line between batches belongs to the batch before it.
            let on_line = i64::from(size.truncate(end) == end);
            let lookback = i64::try_from(config.lookback).unwrap_or(i64::MAX - 1);
            size.offset(end, -(lookback.saturating_add(on_line)))
        }
    };
    let mut batches = Vec::new();
    let mut at = start;
    loop {
        let next = size.offset(at, 1);
        if next >= end || next <= at {
            batches.push(Batch { start: at, end });
            return batches;
        }
        batches.push(Batch {
            start: at,
            end: next,
        });
        at = next;
    }
}

/// Whether a config asks for the strategy.
pub(super) fn is_asked_for(node: &Node) -> bool {
    node.kind == ResourceKind::Model
        && node.config.materialized == "incremental"
        && node.config.incremental_strategy.as_deref() == Some("microbatch")
}

/// What the config of a microbatch model lacks.
pub(super) fn check(node: &Node) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut say = |key: &str, what: &str, hint: &str| {
        let message = format!("microbatch model `{}` {what}", node.name);
        let problem = Diagnostic::error(codes::NODE_CONFIG, message).in_file(&node.path);
        problems.push(problem.hint(format!("set `{key}`, for example {hint}")));
    };
    let config = &node.config;
    if config.event_time.is_none() {
        let what = "does not say which column has the time of its rows";
        say("event_time", what, "event_time='created_at'");
    }
    match config.begin.as_deref() {
        None => say(
            "begin",
            "does not say when its data begins",
            "begin='2024-01-01'",
        ),
        Some(text) if moment(text).is_none() => {
            let what = format!("has the `begin` {text:?}, which is no date or time");
            say("begin", &what, "begin='2024-01-01'");
        }
        Some(_) => {}
    }
    if config.batch_size.is_none() {
        let what = "does not say how long its batches are";
        say(
            "batch_size",
            what,
            "batch_size='day' (or hour, month, year)",
        );
    }
    problems
}

/// Warns of microbatch models none of whose inputs has an `event_time`: every batch reads all.
pub(super) fn unfiltered(nodes: &[Box<Node>]) -> Vec<Diagnostic> {
    let has_time = |node: &Node| node.config.event_time.is_some();
    let reads_all = |node: &&Node| {
        let mut parents = node.parents.iter().map(|ix| &*nodes[ix.index()]);
        node.model.microbatch && !parents.any(has_time)
    };
    let warn = |node: &Node| {
        let message = format!(
            "microbatch model `{}` reads nothing that has an `event_time`, so each batch reads all rows",
            node.name
        );
        Diagnostic::warning(codes::NODE_CONFIG, message)
            .in_file(&node.path)
            .hint("set `event_time` in the config of what it reads")
    };
    let nodes = nodes.iter().map(|node| &**node);
    nodes.filter(reads_all).map(warn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(size: &str, begin: &str, lookback: u64) -> NodeConfig {
        NodeConfig {
            batch_size: Some(size.to_owned()),
            begin: Some(begin.to_owned()),
            lookback,
            ..NodeConfig::default()
        }
    }

    fn names(config: &NodeConfig, now: &str, incremental: bool) -> Vec<String> {
        let times = Times {
            start: None,
            end: None,
            now: moment(now).unwrap(),
        };
        let size = BatchSize::of(config);
        let all = batches(config, times, incremental);
        all.into_iter().map(|batch| size.name(batch)).collect()
    }

    #[test]
    fn the_first_run_begins_at_the_beginning_and_later_ones_look_back() {
        let days = config("day", "2024-09-15", 1);
        let now = "2024-09-17T16:06:00";
        assert_eq!(
            names(&days, now, false),
            ["2024-09-15", "2024-09-16", "2024-09-17"]
        );
        assert_eq!(names(&days, now, true), ["2024-09-16", "2024-09-17"]);
        assert_eq!(
            names(&days, "2024-09-17", true),
            ["2024-09-15", "2024-09-16"]
        );
        assert_eq!(
            names(&config("day", "2024-09-15", 0), now, true),
            ["2024-09-17"]
        );
        assert_eq!(
            names(&config("month", "2023-11-20", 1), now, true),
            ["2024-08", "2024-09"]
        );
        assert_eq!(
            names(&config("year", "2022-05-05", 1), now, false),
            ["2022", "2023", "2024"]
        );
        let hours = config("hour", "2024-09-17T14:30:00Z", 2);
        let want = ["2024-09-17T14", "2024-09-17T15", "2024-09-17T16"];
        assert_eq!(names(&hours, now, true), want);
        assert_eq!(names(&hours, now, false), want);
    }

    #[test]
    fn times_of_the_command_line_win_and_a_batch_ends_where_they_end() {
        let times = Times {
            start: moment("2024-01-30 12:00:00"),
            end: moment("2024-02-01"),
            now: moment("2025-01-01").unwrap(),
        };
        let all = batches(&config("day", "2020-01-01", 1), times, true);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].iso().0, "2024-01-30T00:00:00+00:00");
        assert_eq!(all[1].iso().1, "2024-02-01T00:00:00+00:00");
        assert_eq!(Batch::from_iso(&all[1].iso()), Some(all[1]));
        assert_eq!(
            all[0].condition("at"),
            "at >= '2024-01-30 00:00:00+00:00' and at < '2024-01-31 00:00:00+00:00'"
        );
    }

    #[test]
    fn a_begin_after_now_gives_one_batch_that_holds_nothing() {
        assert_eq!(
            names(&config("day", "2030-01-01", 1), "2024-01-01", false),
            ["2030-01-01"]
        );
    }
}
