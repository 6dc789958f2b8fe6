//! What came out, for people: rows per table, and figures beside their targets.

use std::path::Path;
use std::time::Duration;

use super::Written;
use super::load::Loaded;
use super::options::{Request, day_of};
use super::state::Way;
use crate::report::format::{count, decimal, duration, percent, thousands};
use crate::report::table::Fit;
use crate::report::{Grid, Style};
use crate::synth::calibration::{Figure, Tolerance};
use crate::synth::schema::TABLES;

/// Failed invoices below which the figures are mostly noise.
const FEW: u64 = 1_000;

/// After files were written.
pub(super) fn files(
    request: &Request,
    written: &Written,
    took: Duration,
    dir: &Path,
    style: Style,
) -> String {
    let head = format!(
        "{} to {} in {}; load them with: cd {} && psql -f load.sql",
        total(written),
        dir.display(),
        duration(took),
        dir.display()
    );
    text(request, written, &head, style)
}

/// After a database was written.
pub(super) fn database(
    request: &Request,
    loaded: &Loaded,
    took: Duration,
    label: &str,
    style: Style,
) -> String {
    let until = day_of(request.until);
    let head = match loaded.way {
        Way::Nothing => {
            return format!(
                "raw already holds this history until {until}; --rewrite writes it anew\n"
            );
        }
        Way::Continue(since) => format!(
            "{} new or changed from {} until {until}, into raw on {label} in {}",
            total(&loaded.written),
            day_of(since),
            duration(took)
        ),
        Way::Anew { replaces } => format!(
            "{} until {until}, into raw on {label} in {}{}",
            total(&loaded.written),
            duration(took),
            if replaces {
                "\nAnother history was there: build with --full-refresh"
            } else {
                ""
            }
        ),
    };
    text(request, &loaded.written, &head, style)
}

fn total(written: &Written) -> String {
    count(written.rows.iter().sum(), "row")
}

fn text(request: &Request, written: &Written, head: &str, style: Style) -> String {
    let rows = TABLES
        .iter()
        .zip(&written.rows)
        .map(|(table, rows)| vec![Some(table.name.to_owned()), Some(thousands(*rows))])
        .collect();
    let tables = Grid::new(vec!["table".into(), "rows".into()], rows);
    let is_small = written.tally.failed_invoices() < FEW;
    let title = format!(
        "Synthetic data, seed {}: measured on all rows, beside the calibration targets",
        request.config.seed
    );
    let figures = written.tally.figures();
    let grid = Grid::new(
        ["figure", "measured", "target", "tolerance", ""]
            .map(str::to_owned)
            .to_vec(),
        figures.iter().map(|figure| row(figure, is_small)).collect(),
    )
    .titled(title);
    let note = if is_small {
        "Few payments failed yet: the tolerances are those of --size full.\n"
    } else {
        ""
    };
    format!(
        "{}\n{}{note}\n{head}\n",
        tables.text(style, Fit::DropColumns),
        grid.text(style, Fit::DropColumns)
    )
}

fn row(figure: &Figure, is_small: bool) -> Vec<Option<String>> {
    let shown = |value: f64| match figure.is_share {
        _ if value.is_nan() => "-".to_owned(),
        true => percent(value, 2),
        false => decimal(&format!("{value:.6}"), 2),
    };
    let tolerance = match figure.tolerance {
        Tolerance::Relative(share) => format!("± {}", percent(share, 0)),
        Tolerance::Points(points) => format!("± {points} points"),
    };
    let verdict = if is_small || figure.holds(1.0) {
        ""
    } else {
        "off"
    };
    vec![
        Some(figure.name.clone()),
        Some(shown(figure.measured)),
        Some(shown(figure.target)),
        Some(tolerance),
        Some(verdict.to_owned()),
    ]
}
