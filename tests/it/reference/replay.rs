//! Days replayed one by one on dirty data, with late and doubled events, equal one build of all.
//!
//! `MARTS_REPLAY_DAYS=30 cargo test --test it reference::replay` replays a month.

use super::Reference;

fn day(n: u32) -> String {
    format!("2024-10-{n:02}")
}

/// Tables whose rows differ between the two.
fn differing(a: &Reference, b: &Reference) -> Vec<String> {
    let relations = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname \
                     in ('core', 'gold') order by 1";
    let tables = b.lines(relations);
    assert!(
        tables.len() > 40 && tables == a.lines(relations),
        "{tables:?}"
    );
    let digest = |r: &Reference, table: &str| {
        let sum = "count(*), sum(hash_record_extended(t, 0)::numeric)";
        r.lines(&format!("select {sum} from {table} t"))
    };
    let differs = |table: &String| digest(a, table) != digest(b, table);
    tables.into_iter().filter(differs).collect()
}

#[test]
fn days_replayed_with_dirt_equal_one_full_refresh() {
    let asked = std::env::var("MARTS_REPLAY_DAYS").ok();
    let days: u32 = asked.and_then(|n| n.parse().ok()).unwrap_or(3);
    assert!((1..=30).contains(&days), "MARTS_REPLAY_DAYS is 1 to 30");
    let history = ["generate", "--customers", "300", "--dirt", "--until"];
    let (replayed, once) = (Reference::new(), Reference::new());
    for n in 1..=1 + days {
        replayed.ok(&[&history[..], &[&day(n)]].concat());
        if n == 1 {
            replayed.ok(&["build"]);
        } else {
            replayed.ok(&["run"]);
        }
    }
    // Running twice changes nothing.
    replayed.ok(&["run"]);
    replayed.ok(&["snapshot"]);
    once.ok(&[&history[..], &[&day(1 + days)]].concat());
    once.ok(&["build"]);
    let came = format!(
        "select count(*) from truth.injected_defects where kind in ('late', 'duplicate') and \
         updated_at >= '2024-10-01' and updated_at < '{}'",
        day(1 + days)
    );
    assert_ne!(
        once.lines(&came),
        ["0"],
        "late and doubled events came in those days"
    );
    assert_eq!(differing(&replayed, &once), Vec::<String>::new());
}
