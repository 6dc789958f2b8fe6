//! Dirt: what it does to the rows is what the truth tells, by any road.

use std::collections::BTreeMap;

use marts::synth::schema::{RAW, TABLES};
use marts::synth::{Config, Format, Window};

use super::{bytes, config, date, whole};

fn dirty(customers: u32, seed: u64) -> Config {
    Config {
        dirt: true,
        ..config(customers, seed)
    }
}

/// The rows of every table as text, with how often each comes.
type Lines = BTreeMap<String, usize>;

fn lines(config: Config, window: Window) -> BTreeMap<&'static str, Lines> {
    let (encoded, _) = bytes(config, window, 2, Format::Csv);
    let text = encoded
        .into_iter()
        .map(|csv| String::from_utf8(csv).expect("UTF-8"));
    TABLES
        .iter()
        .zip(text)
        .map(|(table, text)| {
            let mut lines = Lines::new();
            for line in text.lines() {
                *lines.entry(line.to_owned()).or_default() += 1;
            }
            (table.name, lines)
        })
        .collect()
}

#[test]
fn each_defect_is_told_and_nothing_else_differs() {
    let (clean, dirty) = (config(400, 5), dirty(400, 5));
    let (clean, dirty) = (lines(clean, whole(&clean)), lines(dirty, whole(&dirty)));
    let mut told: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for defect in dirty["injected_defects"].keys() {
        let fields: Vec<&str> = defect.split(',').collect();
        *told.entry((fields[1], fields[3])).or_default() += 1;
    }
    for table in TABLES.iter().filter(|t| t.schema == RAW) {
        let of = |kind| told.get(&(table.name, kind)).copied().unwrap_or(0);
        let late = of("late");
        let added = of("duplicate") + of("orphan") + of("bad_currency");
        let (before, after) = (&clean[table.name], &dirty[table.name]);
        let (n, m): (usize, usize) = (before.values().sum(), after.values().sum());
        let gone = before
            .keys()
            .filter(|line| !after.contains_key(*line))
            .count();
        assert!(gone >= late, "{}", table.name);
        // A late row that has not come yet at the end is not told either.
        let outstanding = n + added - m;
        assert_eq!(gone, late + outstanding, "{}", table.name);
        assert!(outstanding < 30, "{}", table.name);
    }
    let kinds: Vec<_> = told.keys().map(|(_, kind)| *kind).collect();
    for kind in ["duplicate", "late", "orphan"] {
        assert!(kinds.contains(&kind), "{told:?}");
    }
}

#[test]
fn dirty_windows_leave_the_same_rows_as_one() {
    let config = dirty(200, 9);
    let stops = [
        date(2024, 3, 15),
        date(2024, 3, 16),
        date(2024, 3, 17),
        date(2025, 7, 1),
    ];
    let window = |since, until| Window { since, until };
    let mut stepped = lines(config, window(None, stops[0]));
    for pair in stops.windows(2) {
        for (name, rows) in lines(config, window(Some(pair[0]), pair[1])) {
            let all = stepped.get_mut(name).expect("every table");
            for (row, n) in rows {
                *all.entry(row).or_default() += n;
            }
        }
    }
    let at_once = lines(config, window(None, stops[stops.len() - 1]));
    // Rows that change leave their earlier versions in the steps.
    for table in TABLES.iter().filter(|t| !t.is_mutable()) {
        assert_eq!(stepped[table.name], at_once[table.name], "{}", table.name);
    }
    for (name, rows) in &at_once {
        assert!(
            rows.keys().all(|row| stepped[name].contains_key(row)),
            "{name}"
        );
    }
}
