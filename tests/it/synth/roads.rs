//! However the history is made, it is the same history.

use marts::synth::schema::{TABLES, Type};
use marts::synth::time::At;
use marts::synth::{Format, Simulation, Window};
use proptest::prelude::*;

use super::{bytes, config, date, tables, whole};

#[test]
fn one_and_two_threads_make_the_same_bytes() {
    let config = config(300, 7);
    for format in [Format::Copy, Format::Csv] {
        let one = bytes(config, whole(&config), 1, format).0;
        assert_eq!(one, bytes(config, whole(&config), 2, format).0);
        assert_eq!(one, bytes(config, whole(&config), 5, format).0);
    }
}

#[test]
fn another_seed_makes_another_history() {
    let (a, b) = (config(20, 1), config(20, 2));
    assert_ne!(
        bytes(a, whole(&a), 1, Format::Csv).0,
        bytes(b, whole(&b), 1, Format::Csv).0
    );
}

#[test]
fn blocks_made_alone_and_backwards_join_to_the_whole() {
    let config = config(300, 3);
    let simulation = Simulation::new(config, whole(&config));
    assert!(simulation.blocks() > 3);
    let mut joined = vec![Vec::new(); TABLES.len()];
    for index in (0..simulation.blocks()).rev() {
        for (all, part) in joined
            .iter_mut()
            .zip(simulation.block(index, Format::Copy).tables)
        {
            all.splice(0..0, part);
        }
    }
    // The books are closed after the last block.
    let mut whole = bytes(config, whole(&config), 1, Format::Copy).0;
    let costs = TABLES.iter().position(|t| t.name == "cogs");
    whole[costs.expect("a raw table")].clear();
    assert_eq!(joined, whole);
}

/// Writes up to each instant in turn, by key, and compares with writing the last at once.
fn steps_equal_one(customers: u32, seed: u64, stops: &[At]) {
    let config = config(customers, seed);
    let mut stepped = tables(
        config,
        Window {
            since: None,
            until: stops[0],
        },
    );
    for pair in stops.windows(2) {
        let window = Window {
            since: Some(pair[0]),
            until: pair[1],
        };
        for (name, rows) in tables(config, window) {
            let table = TABLES.iter().find(|t| t.name == name).expect("a raw table");
            for (key, row) in rows {
                let before = stepped.get_mut(name).expect("every table").insert(key, row);
                assert!(
                    before.is_none() || table.is_mutable(),
                    "{name} never changes"
                );
            }
        }
    }
    let at_once = tables(
        config,
        Window {
            since: None,
            until: stops[stops.len() - 1],
        },
    );
    for (name, rows) in &at_once {
        assert_eq!(rows.len(), stepped[name].len(), "{name}");
        for (key, row) in rows {
            assert_eq!(Some(row), stepped[name].get(key), "{name} {key}");
        }
    }
}

#[test]
fn two_windows_leave_the_same_rows_as_one() {
    steps_equal_one(150, 1, &[date(2024, 3, 15), date(2025, 7, 1)]);
}

#[test]
fn daily_windows_leave_the_same_rows_as_one() {
    let days: Vec<At> = (0..12)
        .map(|n| date(2024, 2, 24).plus(n * 86_400))
        .collect();
    steps_equal_one(120, 2, &days);
}

#[test]
fn a_history_goes_on_after_its_planned_months() {
    steps_equal_one(120, 3, &[date(2025, 7, 1), date(2025, 9, 1)]);
    let config = config(1_200, 3);
    let later = Window {
        since: Some(config.end()),
        until: date(2025, 9, 1),
    };
    assert!(
        tables(config, later)["customers"]
            .values()
            .filter(|c| c["signup_at"].as_str() >= "2025-07-01")
            .count()
            > 40
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_two_windows_leave_the_same_rows_as_one(
        seed in 0u64..1_000,
        first in 1i64..60_000_000,
        more in 1i64..8_000_000,
    ) {
        let start = date(2023, 7, 1);
        steps_equal_one(12, seed, &[start.plus(first), start.plus(first + more)]);
    }
}

#[test]
fn binary_rows_have_the_columns_and_widths_of_the_schema() {
    let config = config(60, 5);
    let (encoded, _) = bytes(config, whole(&config), 1, Format::Copy);
    for (table, bytes) in TABLES.iter().zip(&encoded) {
        let mut rest = &bytes[..];
        assert!(
            !rest.is_empty() || table.name == "injected_defects",
            "{} has rows",
            table.name
        );
        while !rest.is_empty() {
            let (count, mut tuple) = rest.split_at(2);
            assert_eq!(
                i16::from_be_bytes(count.try_into().unwrap()) as usize,
                table.columns.len()
            );
            for column in table.columns {
                let (len, value) = tuple.split_at(4);
                let len = i32::from_be_bytes(len.try_into().unwrap());
                let place = format!("{}.{}", table.name, column.name);
                if len < 0 {
                    assert!(column.nullable, "{place}");
                    tuple = value;
                    continue;
                }
                let (value, after) = value.split_at(len as usize);
                check_width(&place, column.ty, value);
                let text = std::str::from_utf8(value).unwrap_or("");
                assert!(
                    column.values.is_empty() || column.values.contains(&text),
                    "{place} {text}"
                );
                tuple = after;
            }
            rest = tuple;
        }
    }
}

fn check_width(place: &str, ty: Type, value: &[u8]) {
    let width = match ty {
        Type::Int4 | Type::Date => 4,
        Type::Int8 | Type::Float8 | Type::Timestamptz => 8,
        Type::Bool => 1,
        Type::Char2 => 2,
        Type::Char3 => 3,
        Type::Text => {
            assert!(std::str::from_utf8(value).is_ok(), "{place}");
            return;
        }
        Type::Jsonb => {
            assert_eq!(value[0], 1, "{place}");
            return;
        }
    };
    assert_eq!(value.len(), width, "{place}");
}
