//! Dirty raw data: the build is green on it, and the marts of money say what they say on clean data.

use std::fs;
use std::path::Path;

use super::Reference;

/// Marts of money and customers. Those of use may lack what comes late.
const MARTS: [&str; 9] = [
    "mart_revenue_monthly",
    "mart_mrr_movements",
    "mart_retention",
    "mart_payment_reliability",
    "mart_failure_reason_monthly",
    "mart_payments_funnel",
    "mart_cohort_retention",
    "mart_survival",
    "mart_promo_code",
];

fn digests(reference: &Reference) -> Vec<String> {
    let digest = |mart: &&str| {
        let sum = "count(*), sum(hash_record_extended(t, 0)::numeric)";
        let sql = format!("select '{mart}', {sum} from gold.{mart} t");
        reference.lines(&sql).remove(0)
    };
    MARTS.iter().map(digest).collect()
}

/// Ten seeds: `bench/seeds.py dirt`.
#[test]
fn money_is_the_same_on_dirty_and_on_clean_data() {
    let (clean, dirty) = (Reference::new(), Reference::new());
    let history = ["generate", "--customers", "250", "--seed", "11"];
    clean.ok(&history);
    clean.ok(&["build"]);
    dirty.ok(&[&history[..], &["--dirt"]].concat());
    dirty.ok(&["build"]);
    assert_eq!(digests(&dirty), digests(&clean));
    let defects = "select count(*) from truth.injected_defects where fate = 'rejected'";
    let rejects = "select count(*) from staging.dq_rejects";
    assert_eq!(dirty.lines(defects), dirty.lines(rejects));
    assert_ne!(dirty.lines(defects), ["0"]);
    // A defect that staging lets pass is found: the fates are judged.
    dirty.database.sql(
        "update truth.injected_defects set fate = 'accepted' where defect_id = (select min(defect_id) \
         from truth.injected_defects where fate = 'rejected')",
    );
    let output = dirty.run(&["test", "--select", "t12_defects_meet_their_fate"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn no_model_reads_the_truth() {
    fn search(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                search(&path, found);
            } else if path.extension().is_some_and(|e| e == "sql") {
                let text = fs::read_to_string(&path).expect("it can be read");
                if text.contains("source('truth'") || text.contains("truth.") {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["models", "snapshots", "macros", "analyses"] {
        search(&root.join(folder), &mut found);
    }
    assert!(found.is_empty(), "{found:?}");
}
