//! The simulation as a whole: the same bytes by any road, and money that ties.

mod dirt;
mod invariants;
mod load;
mod population;
mod roads;

use std::collections::BTreeMap;

use marts::synth::calibration::Tally;
use marts::synth::schema::TABLES;
use marts::synth::time::At;
use marts::synth::{Config, Format, Simulation, Window};

/// A table's rows by key, each a map from column to text; null is the empty text.
pub(crate) type Rows = BTreeMap<String, BTreeMap<&'static str, String>>;

/// A history of the given size.
pub(crate) fn config(customers: u32, seed: u64) -> Config {
    Config {
        seed,
        customers,
        ..Config::default()
    }
}

/// The whole of a config's planned months.
pub(crate) fn whole(config: &Config) -> Window {
    Window {
        since: None,
        until: config.end().plus(-1),
    }
}

/// The bytes of every table and what was counted.
pub(crate) fn bytes(
    config: Config,
    window: Window,
    threads: usize,
    format: Format,
) -> (Vec<Vec<u8>>, Tally) {
    let mut tables = vec![Vec::new(); TABLES.len()];
    let mut tally = Tally::default();
    let done: Result<(), ()> = Simulation::new(config, window).stream(threads, format, |block| {
        for (all, part) in tables.iter_mut().zip(&block.tables) {
            all.extend_from_slice(part);
        }
        tally.merge(&block.tally);
        Ok(())
    });
    done.expect("taking never fails here");
    (tables, tally)
}

/// The rows of every table, by its name. Panics when a key comes twice.
pub(crate) fn tables(config: Config, window: Window) -> BTreeMap<&'static str, Rows> {
    let (encoded, _) = bytes(config, window, 2, Format::Csv);
    TABLES
        .iter()
        .zip(encoded)
        .map(|(table, csv)| {
            let mut rows = Rows::new();
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(&csv[..]);
            for record in reader.records() {
                let record = record.expect("valid CSV");
                assert_eq!(record.len(), table.columns.len(), "{}", table.name);
                let row: BTreeMap<_, _> = table
                    .columns
                    .iter()
                    .map(|c| c.name)
                    .zip(record.iter().map(str::to_owned))
                    .collect();
                let before = rows.insert(record[0].to_owned(), row);
                assert!(
                    before.is_none(),
                    "{} {} comes twice",
                    table.name,
                    &record[0]
                );
            }
            (table.name, rows)
        })
        .collect()
}

/// Midnight that begins a date.
pub(crate) fn date(year: i32, month: u32, day: u32) -> At {
    At::date(year, month, day)
}
