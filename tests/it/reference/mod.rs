//! The reference project end to end: it builds green on a synthetic history, its totals tie
//! to the raw rows by another path, a broken row is named, and increments equal one build.

mod dirt;
mod replay;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::TestDb;

/// The program in the reference project, against a database of the test's own.
struct Reference {
    database: TestDb,
    target: tempfile::TempDir,
}

impl Reference {
    fn new() -> Self {
        let target = tempfile::tempdir().expect("a temporary folder");
        Self {
            database: TestDb::new(),
            target,
        }
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_marts"))
            .args([
                "--project-dir",
                env!("CARGO_MANIFEST_DIR"),
                "--log-level",
                "none",
            ])
            .args(["--url", &self.database.url()])
            .arg("--target-path")
            .arg(self.target.path())
            .args(args)
            .env_remove("DATABASE_URL")
            .output()
            .expect("the program starts")
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(0),
            "marts {}:\n{said}",
            args.join(" ")
        );
        said
    }

    /// A query's rows, each as one line.
    fn lines(&self, sql: &str) -> Vec<String> {
        let cell = |cell: Option<String>| cell.unwrap_or_else(|| "NULL".to_owned());
        self.database
            .sql(sql)
            .into_iter()
            .map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join(" | "))
            .collect()
    }
}

fn recomputations() -> Vec<(String, PathBuf, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/reference/recompute");
    let mut found: Vec<_> = fs::read_dir(&folder)
        .expect("the folder is there")
        .filter_map(|entry| {
            let raw = entry.expect("it can be listed").path();
            let name = raw.file_name()?.to_str()?.strip_suffix(".sql")?.to_owned();
            let mart = folder.join(format!("{name}.mart.sql"));
            (!name.ends_with(".mart")).then_some((name, raw, mart))
        })
        .collect();
    found.sort();
    found
}

fn query(path: &Path) -> String {
    fs::read_to_string(path)
        .expect("it can be read")
        .trim()
        .trim_end_matches(';')
        .to_owned()
}

/// docs/metrics.md is what its own command makes of the catalog.
fn the_page_of_metrics_is_the_catalog(reference: &Reference) {
    let show = ["show", "-q", "--select", "metrics_page", "--limit", "1000"];
    let output = reference.run(&[&show[..], &["--output", "json"]].concat());
    let shown = String::from_utf8_lossy(&output.stdout);
    let rows: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
    let lines = rows.as_array().expect("a list").iter();
    let made: Vec<&str> = lines.filter_map(|row| row["text"].as_str()).collect();
    assert!(made.len() > 40, "{shown}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = fs::read_to_string(path).expect("the page is there");
    let (_, kept) = page.split_once("## economics").expect("its first group");
    let made = made.join("\n");
    let (_, made) = made.split_once("## economics").expect("its first group");
    assert_eq!(kept.trim(), made.trim(), "make docs/metrics.md anew");
}

/// Figures that are not the same on both sides, and how many were compared.
fn differences(reference: &Reference, raw: &Path, mart: &Path) -> (Vec<String>, usize) {
    let sides = format!(
        "with raw_side as (\n{}\n), mart_side as (\n{}\n)",
        query(raw),
        query(mart)
    );
    let wrong = reference.lines(&format!(
        "{sides} select metric, period, r.value as raw, m.value as mart from raw_side r full join \
         mart_side m using (metric, period) where r.value is distinct from m.value or r.metric is \
         null or m.metric is null order by 1, 2 limit 20"
    ));
    let compared = reference.lines(&format!("{sides} select count(value) from mart_side"));
    (wrong, compared[0].parse().expect("a count"))
}

#[test]
fn every_total_of_every_gold_mart_ties_to_the_raw_rows_by_another_path() {
    let reference = Reference::new();
    reference.ok(&["generate", "--size", "tiny", "--seed", "7"]);
    let said = reference.ok(&["build"]);
    assert!(said.contains("Done in"), "{said}");
    // No model adds up what does not add up.
    for code in ["semi-additive-sum", "money-sum"] {
        assert!(!said.contains(code), "{said}");
    }
    the_page_of_metrics_is_the_catalog(&reference);
    let marts = recomputations();
    assert!(
        marts.len() >= 8,
        "the seven marts and the figures: {marts:?}"
    );
    for (name, raw, mart) in &marts {
        let (wrong, compared) = differences(&reference, raw, mart);
        assert!(
            wrong.is_empty(),
            "{name}: metric | period | raw | mart\n{}",
            wrong.join("\n")
        );
        assert!(compared > 4, "{name} compares only {compared} figures");
    }
    // The comparison can fail: one cent more in one mart is found.
    reference.database.sql(
        "update gold.mart_revenue_monthly set collected_usd = collected_usd + 0.01 where \
         month_start = (select max(month_start) from gold.mart_revenue_monthly)",
    );
    let (name, raw, mart) = &marts[marts.len() - 1];
    assert_eq!(name, "mart_revenue_monthly");
    assert!(!differences(&reference, raw, mart).0.is_empty());
}

#[test]
fn a_raw_row_out_of_bounds_fails_its_test_by_name_until_it_is_repaired() {
    let reference = Reference::new();
    reference.ok(&["generate", "--customers", "60"]);
    reference.ok(&["seed"]);
    reference.ok(&["run"]);
    reference.ok(&["snapshot"]);
    reference.ok(&["test"]);
    let sql = "select attempt_id from raw.payment_attempts order by attempt_id limit 1";
    let id = reference.lines(sql).remove(0);
    let set = |amount: &str| {
        let sql =
            format!("update raw.payment_attempts set amount = {amount} where attempt_id = '{id}'");
        reference.database.sql(&sql);
    };
    set("-1 - amount");
    let output = reference.run(&["test", "--select", "source:raw.payment_attempts"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("source_value_between_raw_payment_attempts_amount__1"),
        "{said}"
    );
    assert!(said.contains(&id) && said.contains("1 row"), "{said}");
    set("-1 - amount");
    reference.ok(&["test"]);
}

#[test]
fn a_history_built_in_two_steps_equals_the_same_history_built_at_once() {
    let (steps, once) = (Reference::new(), Reference::new());
    let history = ["generate", "--customers", "150", "--until"];
    for until in ["2024-09-10", "2025-02-11"] {
        steps.ok(&[&history[..], &[until]].concat());
        steps.ok(&["build"]);
        // Running twice changes nothing.
        steps.ok(&["run"]);
    }
    once.ok(&[&history[..], &["2025-02-11"]].concat());
    once.ok(&["build"]);
    let relations = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname \
                     in ('core', 'gold') order by 1";
    let tables = once.lines(relations);
    assert!(tables.len() > 15, "{tables:?}");
    assert_eq!(steps.lines(relations), tables);
    for table in tables {
        let digest =
            format!("select count(*), sum(hash_record_extended(t, 0)::numeric) from {table} t");
        assert_eq!(steps.lines(&digest), once.lines(&digest), "{table}");
    }
}
