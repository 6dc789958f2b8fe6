//! Mutation tests of the reference project: each mutant is one plausible mistake in one file of
//! it, and the project's own tests (data tests, unit tests, contracts) must go red.
//!
//! The suite runs a handful. All of them, with the score that the README tells:
//! `MARTS_MUTANTS=all cargo test --test it mutants:: -- --nocapture`; `MARTS_MUTANTS=<parts of
//! names, with commas>` runs those. `MARTS_MUTANTS_PROGRAM` names a `marts` to use instead of the debug build.

mod listed;
mod runner;

use std::collections::BTreeSet;

use listed::Mutant;
use runner::{Runner, Verdict};

/// What the suite runs each time: quick ones, of different kinds of test.
const HANDFUL: [&str; 5] = [
    "collected_and_billed_are_swapped",
    "a_second_month_counts_as_new",
    "plans_fan_out_by_interval",
    "test_accounts_are_customers",
    "a_rate_is_told_in_percent",
];

/// The mistakes of the earlier systems; each has at least one mutant that repeats it.
const REGRESSIONS: [&str; 13] = [
    "revenue_is_what_was_invoiced",
    "rates_of_two_scales",
    "summed_monthly_customers",
    "mau_is_dau",
    "churn_by_a_status_nobody_writes",
    "churn_over_that_months_signups",
    "plan_revenue_fans_out",
    "histogram_as_survival",
    "open_ended_period_ignored",
    "failed_try_counted_several_times",
    "dunning_counts_what_was_paid",
    "calendar_year_beside_iso_week",
    "narrative_contradicts_its_chart",
];

#[test]
fn every_mutant_still_fits_its_file_once_and_says_why() {
    let mutants = listed::read();
    let names: BTreeSet<_> = mutants.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names.len(), mutants.len(), "a name comes twice");
    let unfit: Vec<String> = mutants
        .iter()
        .filter_map(|mutant| mutant.broken().err())
        .collect();
    assert!(unfit.is_empty(), "{}", unfit.join("\n"));
    for mutant in &mutants {
        assert!(
            mutant.why.split_whitespace().count() > 2,
            "{}: why would anybody write this?",
            mutant.name
        );
    }
    let files: BTreeSet<_> = mutants.iter().map(|m| m.file.as_str()).collect();
    assert!(mutants.len() >= 60, "only {} mutants", mutants.len());
    assert!(files.len() >= 25, "only {} files", files.len());
    let repeated: BTreeSet<_> = mutants
        .iter()
        .filter_map(|m| m.regression.as_deref())
        .collect();
    assert_eq!(repeated, REGRESSIONS.into_iter().collect());
    let told = std::fs::read_to_string(listed::project().join("docs/regressions.md"));
    let told = told.expect("the page is there");
    for mutant in mutants.iter().filter(|m| m.regression.is_some()) {
        let name = format!("`{}`", mutant.name);
        assert!(told.contains(&name), "docs/regressions.md: {name}");
    }
}

#[test]
fn the_project_s_own_tests_kill_its_mutants() {
    let wanted = std::env::var("MARTS_MUTANTS").unwrap_or_default();
    let mutants: Vec<Mutant> = listed::read()
        .into_iter()
        .filter(|mutant| match wanted.as_str() {
            "" => HANDFUL.contains(&mutant.name.as_str()),
            "all" => true,
            parts => parts
                .split(',')
                .any(|part| mutant.name.contains(part) || mutant.file.contains(part)),
        })
        .collect();
    assert!(!mutants.is_empty(), "no mutant is called {wanted}");
    let runner = match wanted.as_str() {
        "" => Runner::new("80", &["2025-06-24"]),
        _ => Runner::new("300", &["2025-03-08", "2025-06-24"]),
    };
    let mut wrong = Vec::new();
    let mut killed = 0;
    for mutant in &mutants {
        let verdict = runner.run(mutant);
        tell(mutant, &verdict);
        killed += usize::from(matches!(verdict, Verdict::Killed { .. }));
        if let Some(problem) = unexpected(mutant, &verdict) {
            wrong.push(format!("{}: {problem}", mutant.name));
        }
    }
    #[allow(clippy::print_stderr)] // The score is what the named command is for.
    {
        eprintln!("{killed} of {} mutants killed", mutants.len());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Survivors with a reason are allowed, but few.
    assert!(
        mutants.len() < 20 || killed * 100 >= mutants.len() * 95,
        "{killed} of {}",
        mutants.len()
    );
}

/// What is wrong with a verdict, beside what the list says of the mutant.
fn unexpected(mutant: &Mutant, verdict: &Verdict) -> Option<String> {
    match (verdict, &mutant.survives) {
        (Verdict::Killed { by, .. }, Some(_)) => {
            Some(format!("listed as a survivor, but killed by {by}"))
        }
        (Verdict::Survived, None) => Some("survived: a test is missing".to_owned()),
        (Verdict::Invalid(said), _) => Some(format!("is no valid model: {said}")),
        _ => None,
    }
}

#[allow(clippy::print_stderr)] // Told as it goes, with --nocapture.
fn tell(mutant: &Mutant, verdict: &Verdict) {
    match verdict {
        Verdict::Killed { by, nodes } => {
            eprintln!(
                "killed    {:<58} by {by} ({nodes} nodes rebuilt or tested)",
                mutant.name
            );
        }
        Verdict::Survived => {
            let reason = mutant.survives.as_deref().unwrap_or("a test is missing");
            eprintln!("SURVIVED  {:<58} {reason}", mutant.name);
        }
        Verdict::Invalid(said) => eprintln!("INVALID   {:<58} {said}", mutant.name),
    }
}
