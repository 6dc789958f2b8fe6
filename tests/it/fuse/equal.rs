//! Fused and unfused tests say the same of randomly broken tables: verdict, count, message.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};

use crate::run::support::Project;

/// Random tables for each run of the suite; set it for more.
const CASES: &str = "MARTS_FUSE_CASES";

/// A column's name in SQL, its type, and some of its values as SQL.
const COLUMNS: &[(&str, &str, &[&str])] = &[
    ("id", "integer", &["1", "2", "3", "4", "-5", "6"]),
    (
        "\"Größe \"\"x\"\"\"",
        "numeric",
        &["1.0", "1.00", "2.5", "0", "-1", "'NaN'"],
    ),
    (
        "\"user\"",
        "text",
        &[
            "'a'", "'b'", "''", "'it''s'", "'A'", "'100%'", "'  '", "' a '",
        ],
    ),
    (
        "day",
        "date",
        &["'2026-01-01'", "'2026-02-01'", "'infinity'"],
    ),
    ("flag", "boolean", &["true", "false"]),
    ("tags", "text[]", &["'{}'", "'{a,b}'", "'{NULL}'"]),
    ("code", "char(3)", &["'a'", "'a  '", "'abc'", "''"]),
    ("price", "money", &["1.5", "2"]),
    (
        "real_",
        "double precision",
        &["0", "'-0'", "'NaN'", "1e300"],
    ),
    ("doc", "json", &["'{}'"]),
];

const WHERES: &[&str] = &[
    "id > 2",
    "\"user\" is not null",
    "flag",
    "\"Größe \"\"x\"\"\" < 2 or day is null",
    "false",
    "id in (select 1)",
];

const THRESHOLDS: &[&str] = &[
    "!= 0",
    "> 1",
    ">= 2",
    "= 0",
    "< 1",
    "between 1 and 2",
    "> 20%",
    ">= 0%",
    "<> 1",
    "in (0, 3)",
];

const EXPRESSIONS: &[&str] = &[
    "id > 0",
    "\"user\" <> 'a' or flag",
    "coalesce(id, 0) < 6 and \"Größe \"\"x\"\"\" >= 0",
    "10 / id > 1",
    "length(\"user\") < 5",
    "case when flag then id > 1 else day < '2026-01-15' end",
    "\"user\"::integer > 1",
    "not (trim(\"user\") = '')",
    "trim(code) = '' or trim(both \"user\") = '' or code in ('a', 'abc')",
    "trim(id) = ''",
    "flag in ('true', 'f') and day not in ('2026-01-01', 'infinity')",
];

/// Tests of their own SQL over `{T}`, most of them a filter in some way.
const SINGULAR: &[&str] = &[
    "select * from {T} where id < 0",
    "select id from {T} where trim(\"user\") = ''",
    "select u from (select trim(\"user\") as u from {T}) t where u = '' or u is null",
    "select id, upper(\"user\") as u from {T} as o where o.\"user\" like 'i%' and not o.flag",
    "with base as (select id, id * 2 as twice, flag from {T} where flag is not true) select twice \
     from base where twice > 6",
    "with a as (select * from {T}), b as (select * from a where id > 1) select * from b where day > \
     '2026-01-15'",
    "select id from (select id, day from {T} where id is null) x where x.day is null",
    "select distinct id from {T} where id > 3",
    "select id from {T} where id > 3 order by id limit 1",
    "select id, count(*) from {T} group by id having count(*) > 1",
    "select id, flag from {T} group by 1, 2 having count(*) >= 2",
    "select * from {T} a join {T} b using (id) where a.flag and not b.flag",
    "select max(id) from {T} having max(id) > 4",
    "select id from {T} where id = (select max(id) from {T})",
    "select no_such_column from {T} where id < 0",
    "select row_number() over () from {T} where id > 2",
    "select * from {T} where 1 / (id - 1) > 0",
    "select v from (select \"user\" as v, count(*) as n from {T} group by \"user\") g where v not in \
     ('a', 'b', '')",
    "select * from {T} t where t is null",
    "select id from {T} where false union all select id from {T} where id = 6",
];

/// Numbers from which a test is made.
type Dice = (usize, usize, usize, usize, usize, usize);

fn pick<T>(from: &[T], die: usize) -> &T {
    &from[die % from.len()]
}

/// A third of all dice leave a config out.
fn maybe<'a>(from: &'a [&'a str], die: usize) -> Option<&'a str> {
    (!die.is_multiple_of(3)).then(|| *pick(from, die / 3))
}

fn config((.., place, threshold, other): &Dice) -> Json {
    let mut config = json!({});
    if let Some(where_) = maybe(WHERES, *place).filter(|_| place % 2 == 0) {
        config["where"] = where_.into();
    }
    if let Some(error_if) = maybe(THRESHOLDS, *threshold) {
        config["error_if"] = error_if.into();
    }
    if let Some(warn_if) = maybe(THRESHOLDS, threshold / 7) {
        config["warn_if"] = warn_if.into();
    }
    match other % 8 {
        0 => config["severity"] = "warn".into(),
        1 => config["limit"] = 2.into(),
        2 => config["fail_calc"] = "count(*) + 1".into(),
        3 => config["fail_calc"] = "max(2)".into(),
        _ => {}
    }
    config
}

/// A generic test of the table, as its YAML.
fn generic(name: &str, dice: &Dice) -> Json {
    let (kind, column, value, ..) = dice;
    let (column_name, type_, _) = pick(COLUMNS, *column);
    let (test, arguments) = match kind % 7 {
        0 | 1 => ("not_null", json!({"column_name": column_name})),
        2 => ("unique", json!({"column_name": column_name})),
        3 => {
            let other = pick(COLUMNS, value / 2).0;
            ("grain_unique", json!({"columns": [column_name, other]}))
        }
        4 if *type_ == "integer" => (
            "accepted_values",
            json!({"column_name": "id", "values": [1, 2, 3, 4, value % 8], "quote": false}),
        ),
        4 => (
            "accepted_values",
            json!({"column_name": column_name, "values": ["a", "b", "it's", "A"]}),
        ),
        5 => (
            "value_between",
            json!({"column_name": "id", "min_value": value % 4, "max_value": 6}),
        ),
        _ => (
            "expression_is_true",
            json!({"expression": pick(EXPRESSIONS, *value)}),
        ),
    };
    json!({test: {"name": name, "arguments": arguments, "config": config(dice)}})
}

/// A singular test of the table, as its file.
fn singular(dice: &Dice) -> String {
    let mut config = config(dice);
    // Without one tested relation a share is refused; `where` is for generic tests.
    config.as_object_mut().expect("is a map").remove("where");
    let sql = pick(SINGULAR, dice.2).replace("{T}", "{{ source('raw', 't') }}");
    format!("{{{{ config({}) }}}}\n{sql}", keyword_arguments(&config))
}

fn keyword_arguments(config: &Json) -> String {
    let pairs = config.as_object().expect("is a map").iter();
    pairs
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn fill(project: &Project, rows: &[Vec<usize>]) {
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|(name, type_, _)| format!("{name} {type_}"))
        .collect();
    project.sql("drop schema if exists raw cascade; create schema raw");
    project.sql(&format!("create table raw.t ({})", columns.join(", ")));
    for row in rows {
        let cells: Vec<&str> = row
            .iter()
            .zip(COLUMNS)
            .map(|(die, (_, _, values))| maybe(values, *die).unwrap_or("null"))
            .collect();
        project.sql(&format!("insert into raw.t values ({})", cells.join(", ")));
    }
}

/// Name, status, failures and message of every test.
fn verdicts(project: &Project, arguments: &[&str]) -> Vec<String> {
    let ran = project.marts(arguments);
    assert!(ran.code < 2, "{}", ran.stderr);
    let results = project.run_results();
    let mut verdicts: Vec<String> = results["results"]
        .as_array()
        .expect("is a list")
        .iter()
        .map(|r| {
            format!(
                "{} {} {} {} {}",
                r["unique_id"], r["status"], r["failures"], r["message"], r["compiled_code"]
            )
        })
        .collect();
    verdicts.sort();
    verdicts
}

#[test]
fn fused_and_unfused_tests_say_the_same() {
    let cases = std::env::var(CASES)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10);
    let project = Project::new(&[]);
    let die = || 0usize..10_000;
    let dice = (die(), die(), die(), die(), die(), die());
    let row = vec(die(), COLUMNS.len());
    let strategy = (vec(row, 0..8), vec(dice.clone(), 10..30), vec(dice, 6));
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    });
    // A property over tests that all pass would show little.
    let seen = RefCell::new(BTreeMap::<String, usize>::new());
    let run = runner.run(&strategy, |(rows, generics, singulars)| {
        fill(&project, &rows);
        let tests: Vec<Json> = generics
            .iter()
            .enumerate()
            .map(|(at, dice)| generic(&format!("g{at}"), dice))
            .collect();
        let tables =
            json!({"sources": [{"name": "raw", "tables": [{"name": "t", "data_tests": tests}]}]});
        project.write("models/raw.yml", &tables.to_string());
        for (at, dice) in singulars.iter().enumerate() {
            project.write(&format!("tests/s{at}.sql"), &singular(dice));
        }
        let fused = verdicts(&project, &["test"]);
        prop_assert_eq!(&fused, &verdicts(&project, &["test", "--no-fuse"]));
        for verdict in &fused {
            let status = verdict.split(' ').nth(1).unwrap_or_default().to_owned();
            *seen.borrow_mut().entry(status).or_default() += 1;
        }
        Ok(())
    });
    let seen = seen.into_inner();
    println!("{cases} cases: {seen:?}");
    run.expect("fused and unfused agree");
    for status in ["\"pass\"", "\"warn\"", "\"fail\"", "\"error\""] {
        assert!(
            seen.contains_key(status),
            "no test ended as {status}: {seen:?}"
        );
    }
}
