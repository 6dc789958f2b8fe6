//! What readers see while a run publishes: one statement, a transaction with one snapshot, a
//! prepared statement. `docs/publishing.md` says the same in words.

use std::collections::BTreeSet;

use super::support::{Client, Poller};
use crate::run::support::Project;

/// Two marts and a view over one of them, which all carry the version. The second takes its
/// time, so that between the two there is something to catch.
const MARTS: [(&str, &str); 4] = [
    (
        "models/base.sql",
        "{{ config(materialized='table') }} select g as id, {{ var('v', 1) }} as v from \
         generate_series(1, 50) g",
    ),
    (
        "models/billed.sql",
        "{{ config(materialized='table') }} select id, v from {{ ref('base') }}",
    ),
    (
        "models/collected.sql",
        "{{ config(materialized='table', pre_hook='select pg_sleep(0.1)') }} select id, v from \
         {{ ref('billed') }}",
    ),
    (
        "models/shown.sql",
        "select id, v, {{ var('v', 1) }} as text_v from {{ ref('billed') }}",
    ),
];

/// One row per combination of versions that one statement sees, and whether rows are missing.
const INVARIANT: &str = "select distinct b.v, c.v, s.v, s.text_v, count(*) over () from \
                         shop.billed b full join shop.collected c using (id) full join shop.shown \
                         s using (id)";

/// Readers of the invariant during builds with ever new versions, until they have read so
/// often or one has seen a mixture; how often they read, and the mixtures.
fn poll(project: &Project, reads: usize) -> (usize, Vec<String>) {
    project.ok(&["build"]);
    let pollers = [(); 4].map(|()| Poller::start(project.db.config(), INVARIANT));
    let (read, mixed) = (
        || pollers.iter().map(Poller::reads).sum::<usize>(),
        || pollers.iter().any(|poller| poller.saw_other_than(is_whole)),
    );
    let mut version = 1;
    while version < 4 || read() < reads && !mixed() {
        version += 1;
        project.ok(&["build", "--vars", &format!("{{v: {version}}}")]);
    }
    let read = read();
    let seen: BTreeSet<String> = pollers
        .into_iter()
        .flat_map(|p| p.stop().into_keys())
        .collect();
    assert!(seen.len() >= 3, "they saw several versions: {seen:?}");
    (
        read,
        seen.into_iter()
            .filter(|answer| !is_whole(answer))
            .collect(),
    )
}

/// All rows, all of one version.
fn is_whole(answer: &str) -> bool {
    let cells: Vec<&str> = answer.split('|').collect();
    cells.len() == 5 && cells[4] == "50" && cells[..4].iter().all(|v| *v == cells[0])
}

#[test]
fn one_statement_over_two_marts_sees_all_old_or_all_new_a_thousand_times() {
    let project = Project::published("together", &MARTS);
    let (reads, mixed) = poll(&project, 1000);
    assert_eq!(mixed, Vec::<String>::new());
    assert!(reads >= 1000);
}

#[test]
fn the_same_reader_catches_what_is_published_one_by_one() {
    let project = Project::published("immediate", &MARTS);
    let (_, mixed) = poll(&project, 100_000);
    assert!(!mixed.is_empty(), "the reader would miss a half publish");
    assert!(mixed.iter().all(|m| !m.starts_with("error")), "{mixed:?}");
}

/// A table that moves and one whose rows are exchanged.
const METHODS: [(&str, &str); 3] = [
    (
        "models/moved.sql",
        "{{ config(materialized='table') }} select g as id, {{ var('v', 1) }} as v from \
         generate_series(1, 3) g",
    ),
    (
        "models/rows.sql",
        "{{ config(materialized='table', publish_method='rows') }} select id, v from \
         {{ ref('moved') }}",
    ),
    ("models/shown.sql", "select id, v from {{ ref('rows') }}"),
];

const BOTH: &str = "select (select coalesce(max(v), 0) from shop.moved) as moved, (select max(v) \
                    from shop.rows) as rows, (select max(v) from shop.shown) as shown";

#[test]
fn a_snapshot_older_than_the_build_sees_a_moved_table_empty_and_exchanged_rows_as_they_were() {
    let project = Project::published("together", &METHODS);
    project.ok(&["build"]);
    let reader = Client::new(project.db.config());
    // The snapshot is taken, no table is touched yet.
    reader.rows("begin isolation level repeatable read; select count(*) from pg_class");
    project.ok(&["build", "--vars", "{v: 2}"]);
    assert_eq!(reader.rows(BOTH), "0|1|1");
    reader.rows("commit");
    assert_eq!(reader.rows(BOTH), "2|2|2");
}

#[test]
fn a_snapshot_that_has_read_a_table_keeps_it_until_it_ends() {
    let project = Project::published("together", &METHODS);
    project.ok(&["build"]);
    let reader = Client::new(project.db.config());
    reader.rows("begin isolation level repeatable read");
    assert_eq!(reader.rows(BOTH), "1|1|1");
    let build = project.spawn(&["build", "--vars", "{v: 2}"]);
    project.wait_for("select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock'");
    assert_eq!(reader.rows(BOTH), "1|1|1", "while the publication waits");
    reader.rows("commit");
    assert!(build.wait_with_output().expect("ends").status.success());
    assert_eq!(reader.rows(BOTH), "2|2|2");
    project.no_leftovers();
}

#[test]
fn a_prepared_statement_goes_on_with_the_new_tables() {
    let project = Project::published("together", &METHODS);
    project.ok(&["build"]);
    let reader = Client::new(project.db.config());
    reader.rows(&format!("prepare p as {BOTH}"));
    // From the sixth on the plan is a generic one, which is kept.
    for _ in 0..7 {
        assert_eq!(reader.rows("execute p"), "1|1|1");
    }
    project.ok(&["build", "--vars", "{v: 2}"]);
    assert_eq!(reader.rows("execute p"), "2|2|2");
}

#[test]
fn a_prepared_statement_fails_once_its_columns_change_and_must_be_prepared_again() {
    let project = Project::published("together", &METHODS[..1]);
    project.ok(&["build"]);
    let reader = Client::new(project.db.config());
    reader.rows("prepare p as select * from shop.moved; prepare q as select id from shop.moved");
    assert_eq!(reader.rows("execute p"), "1|1 2|1 3|1");
    assert_eq!(reader.rows("execute q"), "1 2 3");
    project.write(
        "models/moved.sql",
        "{{ config(materialized='table') }} select 7 as id, 1 as v, 'more' as more",
    );
    project.ok(&["build"]);
    let said = reader.ask("execute p").expect_err("has a column more");
    assert!(
        said.contains("cached plan must not change result type"),
        "{said}"
    );
    // Who names columns is not disturbed by a new one.
    assert_eq!(reader.rows("execute q"), "7");
    reader.rows("deallocate p; prepare p as select * from shop.moved");
    assert_eq!(reader.rows("execute p"), "7|1|more");
    project.write(
        "models/moved.sql",
        "{{ config(materialized='table') }} select 7::bigint as id",
    );
    project.ok(&["build"]);
    let said = reader.ask("execute q").expect_err("id has another type");
    assert!(
        said.contains("cached plan must not change result type"),
        "{said}"
    );
}

#[test]
fn a_cursor_that_is_open_keeps_the_old_rows_and_the_publication_waits_for_it() {
    let project = Project::published("together", &METHODS[..1]);
    project.ok(&["build"]);
    let reader = Client::new(project.db.config());
    reader.rows("begin; declare c cursor for select v from shop.moved; fetch 1 from c");
    let build = project.spawn(&["build", "--vars", "{v: 2}"]);
    project.wait_for("select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock'");
    assert_eq!(reader.rows("fetch 2 from c"), "1 1");
    reader.rows("commit");
    assert!(build.wait_with_output().expect("ends").status.success());
    assert_eq!(reader.rows("select max(v) from shop.moved"), "2");
}
