//! Tables, exactly.

use super::*;

fn row(values: &[&str]) -> Vec<Option<String>> {
    let value = |v: &&str| (*v != "∅").then(|| (*v).to_owned());
    values.iter().map(value).collect()
}

fn grid() -> Grid {
    let headers = ["month", "failure_rate", "note"].map(str::to_owned);
    Grid::new(
        headers.to_vec(),
        vec![
            row(&["2025-01-01", "5.32%", "a"]),
            row(&["2025-02-01", "∅", "日本, \"x\"\nb"]),
            row(&["2025-03-01", "11.00%", "∅"]),
        ],
    )
}

fn at(width: usize) -> Style {
    Style {
        width: Some(width),
        ..Style::default()
    }
}

#[test]
fn numbers_stand_right_and_null_is_named() {
    insta::assert_snapshot!(grid().titled("Payment reliability").text(at(80), Fit::Records), @r#"
    Payment reliability

    month       failure_rate  note
    ──────────────────────────────────────
    2025-01-01         5.32%  a
    2025-02-01          NULL  日本, "x"\nb
    2025-03-01        11.00%  NULL
    "#);
}

#[test]
fn a_wide_table_drops_columns_and_says_so() {
    insta::assert_snapshot!(grid().text(at(30), Fit::DropColumns), @"
    month       failure_rate
    ────────────────────────
    2025-01-01         5.32%
    2025-02-01          NULL
    2025-03-01        11.00%
    (and 1 more column)
    ");
}

#[test]
fn a_wide_table_becomes_records() {
    insta::assert_snapshot!(grid().text(at(30), Fit::Records), @r#"
    row 1
    month         2025-01-01
    failure_rate  5.32%
    note          a
    row 2
    month         2025-02-01
    failure_rate  NULL
    note          日本, "x"\nb
    row 3
    month         2025-03-01
    failure_rate  11.00%
    note          NULL
    "#);
}

#[test]
fn a_table_without_rows_shows_its_columns() {
    let grid = Grid::new(vec!["a".into(), "b".into()], Vec::new());
    insta::assert_snapshot!(grid.text(Style::default(), Fit::Records), @"
    a  b
    ────
    ");
}

#[test]
fn a_table_without_columns_is_empty() {
    let text = Grid::new(Vec::new(), vec![Vec::new()]).text(Style::default(), Fit::Records);
    assert_eq!(text.trim(), "");
}

#[test]
fn csv_quotes_and_leaves_null_empty() {
    let mut out = Vec::new();
    grid().write_csv(&mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
    month,failure_rate,note
    2025-01-01,5.32%,a
    2025-02-01,,"日本, ""x""
    b"
    2025-03-01,11.00%,
    "#);
}

#[test]
fn json_keeps_the_order_of_columns_and_null() {
    let mut grid = grid();
    grid.rows.truncate(2);
    let mut out = Vec::new();
    grid.write_json(&mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
    [
      {
        "month": "2025-01-01",
        "failure_rate": "5.32%",
        "note": "a"
      },
      {
        "month": "2025-02-01",
        "failure_rate": null,
        "note": "日本, \"x\"\nb"
      }
    ]
    "#);
}
