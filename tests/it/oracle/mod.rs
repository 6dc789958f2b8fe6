//! MRR and its movements, recomputed event by event in Rust from the raw tables, beside what the
//! models made. The two share no SQL: the oracle reads rows and walks them in time.
//!
//! The suite takes two seeds; `MARTS_ORACLE_SEEDS=10 cargo test --test it oracle:: --
//! --nocapture` takes the first ten, and `MARTS_ORACLE_CUSTOMERS` customers of each.

mod cases;
mod compare;
mod ledger;
mod money;
mod months;
mod raw;

use std::process::Command;

use crate::support::TestDb;
use compare::differences;

/// The first instant that is not in the data, in seconds since 1970: 2025-06-12.
const AS_OF: i64 = 1_749_686_400;

/// The reference project on a history of that seed, built as far as the movements need.
fn built(seed: &str, customers: &str) -> TestDb {
    let db = TestDb::new();
    let until = ["--until", "2025-06-12"];
    let generate = [
        "generate",
        "--seed",
        seed,
        "--customers",
        customers,
        until[0],
        until[1],
    ];
    let kinds = ["--exclude-resource-type", "test", "unit_test"];
    let build = ["build", "--select", "+mart_mrr_movements"];
    for args in [&generate[..], &[&build[..], &kinds[..]].concat()] {
        let target = tempfile::tempdir().expect("a temporary folder");
        let output = Command::new(env!("CARGO_BIN_EXE_marts"))
            .args(args)
            .args(["--project-dir", env!("CARGO_MANIFEST_DIR")])
            .args(["--url", &db.url(), "--log-level", "none"])
            .args(["--target-path".as_ref(), target.path().as_os_str()])
            .env_remove("DATABASE_URL")
            .output();
        let output = output.expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}:\n{said}");
    }
    db
}

#[test]
fn the_movements_of_mrr_are_those_of_a_walk_through_the_raw_events() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u32>().ok());
    let seeds: Vec<u32> = match number("MARTS_ORACLE_SEEDS") {
        Some(seeds) => (1..=seeds).collect(),
        None => vec![3, 11],
    };
    let customers = number("MARTS_ORACLE_CUSTOMERS").unwrap_or(80).to_string();
    for seed in seeds {
        let db = built(&seed.to_string(), &customers);
        let (wrong, compared) = differences(&db, AS_OF);
        #[allow(clippy::print_stderr)] // Told with --nocapture.
        {
            eprintln!("seed {seed}: {compared} figures compared");
        }
        assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
        assert!(compared > 1000, "only {compared} figures");
        // The comparison can fail: a cent in one ledger, and a movement of another kind.
        db.sql(
            "update core.fct_mrr_event set delta_usd = delta_usd + 0.01 where effective_at = \
             (select max(effective_at) from core.fct_mrr_event)",
        );
        assert!(!differences(&db, AS_OF).0.is_empty());
    }
}
