//! Arguments of `generate` and what they mean.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::failure::Failure;
use crate::diag::codes;
use crate::synth::time::At;
use crate::synth::{Config, Size, Window};

/// Years of history that can be asked for.
const MOST_MONTHS: u32 = 240;

/// `generate`.
#[derive(Args, Clone, Debug, Default)]
pub struct GenerateArgs {
    /// How many customers sign up: tiny 300, demo 3,000, full 30,000
    #[arg(long, value_enum, default_value_t)]
    pub size: SizeArg,
    /// Which history of all
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Signups in the planned months, instead of --size
    #[arg(long, value_name = "N")]
    pub customers: Option<u32>,
    /// Planned months from July 2023; signups go on at the reached pace after them
    #[arg(long, default_value_t = 24, value_name = "N")]
    pub months: u32,
    /// Write what happened before this day [default: the end of the planned months]; a later
    /// day continues an earlier history of the same seed, customers and months
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// Put defects into the rows: duplicates, late events, orphans, bad currencies; truth.injected_defects tells each
    #[arg(long)]
    pub dirt: bool,
    /// Write CSV files and the SQL to load them to this folder, instead of the target
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write everything anew even where the history is there already
    #[arg(long)]
    pub rewrite: bool,
}

/// `--size`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum SizeArg {
    Tiny,
    #[default]
    Demo,
    Full,
}

impl From<SizeArg> for Size {
    fn from(size: SizeArg) -> Self {
        match size {
            SizeArg::Tiny => Self::Tiny,
            SizeArg::Demo => Self::Demo,
            SizeArg::Full => Self::Full,
        }
    }
}

/// Which history, how far, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// The history.
    pub(super) config: Config,
    /// Midnight after the last day that is written.
    pub(super) until: At,
    /// Threads that simulate.
    pub(super) threads: usize,
    /// Write everything anew.
    pub(super) rewrite: bool,
}

impl Request {
    /// Checks the arguments; `threads` defaults to what the machine has.
    pub(crate) fn new(args: &GenerateArgs, threads: Option<usize>) -> Result<Self, Failure> {
        let customers = args
            .customers
            .unwrap_or_else(|| Size::from(args.size).customers());
        if customers == 0 {
            return Err(usage("--customers is 0", "give at least 1"));
        }
        if args.months == 0 || args.months > MOST_MONTHS {
            let message = format!("--months is {}", args.months);
            return Err(usage(message, format!("give 1 to {MOST_MONTHS}")));
        }
        let config = Config {
            seed: args.seed,
            customers,
            months: args.months,
            dirt: args.dirt,
            ..Config::default()
        };
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            config,
            until: until(args.until.as_deref(), &config)?,
            threads: threads.filter(|n| *n > 0).unwrap_or_else(cores),
            rewrite: args.rewrite,
        })
    }

    /// What is to be written after `since`, midnight after the last day that is there.
    pub(super) fn window(&self, since: Option<At>) -> Window {
        // Midnight itself belongs to the day that it begins.
        Window {
            since: since.map(|at| at.plus(-1)),
            until: self.until.plus(-1),
        }
    }
}

fn until(text: Option<&str>, config: &Config) -> Result<At, Failure> {
    let Some(text) = text else {
        return Ok(config.end());
    };
    let date: jiff::civil::Date = text.parse().map_err(|_| {
        usage(
            format!("--until is no date: {text}"),
            "write it as 2025-07-01",
        )
    })?;
    let (year, month, day) = (date.year(), date.month(), date.day());
    let at = At::date(
        year.into(),
        month.unsigned_abs().into(),
        day.unsigned_abs().into(),
    );
    let last = config.start.plus_months(MOST_MONTHS);
    if at <= config.start || at > last {
        return Err(usage(
            format!("--until is {text}"),
            format!(
                "give a day after {} and not after {}",
                day_of(config.start),
                day_of(last)
            ),
        ));
    }
    Ok(at)
}

/// `2025-07-01`.
pub(super) fn day_of(at: At) -> String {
    let (year, month, day) = at.civil();
    format!("{year:04}-{month:02}-{day:02}")
}

fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure::message(codes::CLI_USAGE, message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(until: Option<&str>) -> Result<Request, Failure> {
        let args = GenerateArgs {
            seed: 1,
            months: 24,
            until: until.map(str::to_owned),
            ..GenerateArgs::default()
        };
        Request::new(&args, Some(2))
    }

    #[test]
    fn a_day_is_written_to_its_eve() {
        let request = request(Some("2024-03-01")).unwrap();
        assert_eq!(
            request.window(None).until.to_string(),
            "2024-02-29 23:59:59+00"
        );
    }

    #[test]
    fn without_a_day_the_planned_months_are_written() {
        assert_eq!(day_of(request(None).unwrap().until), "2025-07-01");
    }

    #[test]
    fn a_day_before_the_start_or_no_day_is_refused() {
        for wrong in [
            "2023-07-01",
            "1999-01-01",
            "2100-01-01",
            "soon",
            "2024-02-30",
        ] {
            assert!(request(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
