//! Several at once: two runs on one target, readers during runs, a reader that stays long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::support::{Project, Ran};

const FILES: [(&str, &str); 5] = [
    (
        "models/t.sql",
        "{{ config(materialized='table', indexes=[{'columns': ['id']}]) }} select g as id, \
         {{ var('v', 1) }} as v from generate_series(1, 500) g",
    ),
    ("models/v.sql", "select id, v from {{ ref('t') }}"),
    ("models/w.sql", "select id, v from {{ ref('v') }}"),
    (
        "models/i.sql",
        "{{ config(materialized='incremental', unique_key='id') }} select id, v from {{ ref('w') }}",
    ),
    (
        "models/a.sql",
        "{{ config(materialized='incremental') }} select id from {{ ref('t') }} {% if \
         is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}",
    ),
];

/// Reads whole relations in a loop until told to stop; what went wrong.
fn readers(project: &Project, stop: &Arc<AtomicBool>) -> Vec<thread::JoinHandle<(usize, String)>> {
    let reader = |relation: &'static str| {
        let (config, stop) = (project.db.config(), Arc::clone(stop));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let pool = marts::pg::Pool::new(config, 1).expect("no certificates");
                let connection = pool.get().await.expect("connects");
                let sql =
                    format!("select count(*) || '|' || count(distinct v) from shop.{relation}");
                let mut reads = 0;
                while !stop.load(Ordering::Relaxed) {
                    match connection.query_untyped(&sql).await {
                        Ok(rows) if rows.rows[0][0].as_deref() == Some("500|1") => reads += 1,
                        Ok(rows) => return (reads, format!("{relation}: {:?}", rows.rows)),
                        Err(error) => return (reads, format!("{relation}: {error}")),
                    }
                }
                (reads, String::new())
            })
        })
    };
    ["t", "v", "w", "i"].map(reader).into()
}

#[test]
fn readers_see_no_gap_and_no_error_while_runs_go_on() {
    let project = Project::new(&FILES);
    project.ok(&["run"]);
    let stop = Arc::new(AtomicBool::new(false));
    let readers = readers(&project, &stop);
    for version in 2..6 {
        let ran = project.marts(&["run", "--vars", &format!("{{v: {version}}}")]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        let (reads, error) = reader.join().expect("no panic");
        assert_eq!(error, "");
        assert!(reads > 0);
    }
    assert_eq!(project.rows("select distinct v from shop.i"), "5");
    project.ok(&["run"]);
}

#[test]
fn two_runs_at_once_take_turns_and_both_end_well() {
    for first_time in [true, false] {
        let project = Project::new(&FILES);
        if !first_time {
            project.ok(&["run"]);
        }
        for _ in 0..3 {
            // Each writes its artifacts to a folder of its own.
            let runs: Vec<_> = ["one", "two"]
                .map(|out| project.spawn(&["run", "--vars", "{v: 2}", "--target-path", out]))
                .into_iter()
                .collect();
            for run in runs {
                let ran = Ran::of(run.wait_with_output().expect("ends"));
                assert_eq!(ran.code, 0, "{}", ran.stderr);
            }
            for relation in ["t", "v", "w", "i"] {
                let rows = format!("select count(*), count(distinct v) from shop.{relation}");
                assert_eq!(project.rows(&rows), "500|1", "{relation}");
            }
            // Appended once, whichever run came first.
            assert_eq!(
                project.rows("select count(*), count(distinct id) from shop.a"),
                "500|500"
            );
            project.no_leftovers();
        }
    }
}

#[test]
fn a_long_reader_delays_a_swap_but_nobody_else() {
    let project = Project::new(&FILES);
    project.ok(&["run"]);
    let config = project.db.config();
    let done = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&done);
    let (ready, is_ready) = std::sync::mpsc::channel();
    let long = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let pool = marts::pg::Pool::new(config, 1).expect("no certificates");
            let connection = pool.get().await.expect("connects");
            connection
                .execute("begin; select count(*) from shop.t")
                .await
                .expect("reads");
            ready.send(()).expect("is awaited");
            while told.load(Ordering::Relaxed) < 5 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            connection.execute("commit").await.expect("ends");
        });
    });
    is_ready.recv().expect("reads");
    let child = project.spawn(&["run", "--vars", "{v: 2}"]);
    project.wait_for(
        "select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock' and relation = \
         'shop.t'::regclass",
    );
    // Others go on reading while the swap waits, each after a moment at most.
    for _ in 0..5 {
        let start = Instant::now();
        assert_eq!(project.rows("select count(*) from shop.t"), "500");
        assert!(start.elapsed() < Duration::from_secs(30), "held up");
        done.fetch_add(1, Ordering::Relaxed);
    }
    long.join().expect("no panic");
    let ran = Ran::of(child.wait_with_output().expect("ends"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(project.rows("select distinct v from shop.t"), "2");
    project.no_leftovers();
}
