//! JUnit XML, as GitLab, Jenkins and the test reporters of GitHub read it: a suite for each
//! relation with its build and its tests as cases.

use indexmap::IndexMap;
use quick_junit::{
    NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite, XmlString,
};

use super::details;
use super::digest::{Digest, Item, Notice, Publication};
use super::format::one_line;
use super::lineage::Lineage;
use super::places::Places;
use crate::event::Status;

/// The whole document. Characters that XML cannot hold are left out.
pub(super) fn junit(digest: &Digest, lineage: &Lineage, places: &Places) -> String {
    let mut report = Report::new(format!("marts {}", digest.command).trim_end().to_owned());
    report.set_time(digest.elapsed);
    let mut suites: IndexMap<&str, Vec<&Item>> = IndexMap::new();
    for item in &digest.items {
        let subject = lineage.subject(&item.node).unwrap_or(&item.label);
        suites.entry(subject).or_default().push(item);
    }
    let problems = problems(digest, places);
    if problems.tests > 0 {
        report.add_test_suite(problems);
    }
    for (subject, items) in suites {
        report.add_test_suite(suite(subject, &items, digest, places));
    }
    match report.to_string() {
        Ok(xml) => xml,
        // Writing to memory cannot fail; an empty document would hide it if it did.
        Err(error) => format!("<!-- the report cannot be written: {error} -->\n"),
    }
}

fn suite(subject: &str, items: &[&Item], digest: &Digest, places: &Places) -> TestSuite {
    let mut suite = TestSuite::new(subject);
    let began = items.iter().filter_map(|item| item.started).min();
    if let Some(began) = began {
        let began = began.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        suite.extra.insert("timestamp".into(), began.into());
    }
    suite.set_time(items.iter().map(|item| item.outcome.elapsed).sum());
    suite.add_properties(properties(digest));
    for item in items {
        suite.add_test_case(case(subject, item, places));
    }
    suite
}

fn properties(digest: &Digest) -> Vec<Property> {
    let mut facts = vec![
        ("target", digest.target.clone()),
        ("run_id", digest.run_id.clone()),
    ];
    if let Some((seq, head)) = &digest.ledger {
        facts.push(("ledger_seq", seq.to_string()));
        facts.push(("ledger_head", head.clone()));
    }
    facts
        .into_iter()
        .map(|(name, value)| Property::new(name, value))
        .collect()
}

fn case(subject: &str, item: &Item, places: &Places) -> TestCase {
    let mut case = TestCase::new(name(item), status(item, places));
    case.set_classname(subject);
    case.set_time(item.outcome.elapsed);
    place(
        &mut case,
        item.outcome.file.as_deref().map(|f| places.path(f)),
        item.outcome.line,
    );
    case.set_system_out(system_out(item, places));
    case
}

fn place(case: &mut TestCase, file: Option<String>, line: Option<usize>) {
    if let Some(file) = file {
        case.extra.insert("file".into(), file.into());
    }
    if let Some(line) = line {
        case.extra.insert("line".into(), line.to_string().into());
    }
}

/// A test by its name; a relation by what is done to it, since the suite has its name.
fn name(item: &Item) -> String {
    if item.is_test() {
        item.name().to_owned()
    } else {
        format!("{} {}", item.kind, item.name())
    }
}

fn status(item: &Item, places: &Places) -> TestCaseStatus {
    let kind = match (&item.publication, item.outcome.status) {
        (_, Status::Fail) => NonSuccessKind::Failure,
        (_, Status::Error) | (Publication::Failed(_), _) => NonSuccessKind::Error,
        (_, Status::Skipped | Status::Cancelled) => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(item.reason());
            return skipped;
        }
        _ => return TestCaseStatus::success(),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(item.word());
    status.set_message(item.reason());
    status.set_description(details::text(item, places));
    status
}

fn system_out(item: &Item, places: &Places) -> XmlString {
    let mut lines = vec![format!("node          {}", item.node.as_str())];
    let outcome = &item.outcome;
    if let Some(relation) = &outcome.relation {
        lines.push(format!("relation      {}", one_line(relation)));
    }
    if let Some(rows) = outcome.rows {
        lines.push(format!("rows          {rows}"));
    }
    if item.publication == Publication::Published {
        lines.push("publishing    published".to_owned());
    }
    // A case that is red says the rest in its failure.
    if !item.is_bad() && item.word() != "skipped" && item.word() != "stopped" {
        lines.extend(details::text(item, places).lines().map(str::to_owned));
    }
    (lines.join("\n") + "\n").into()
}

/// What ended the command beside its nodes, as a suite of its own.
fn problems(digest: &Digest, places: &Places) -> TestSuite {
    let mut suite = TestSuite::new("project");
    let refused = digest.unpublished.iter().filter(|(.., failed)| *failed);
    for (reason, ..) in refused {
        let notice = Notice {
            code: "publish".to_owned(),
            title: super::wording::first_line(reason),
            text: reason.clone(),
            file: None,
            line: None,
        };
        suite.add_test_case(problem("publishing", &notice, places));
    }
    for notice in &digest.problems {
        suite.add_test_case(problem(&notice.code, notice, places));
    }
    suite
}

fn problem(name: &str, notice: &Notice, places: &Places) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(notice.code.as_str());
    status.set_message(notice.title.as_str());
    status.set_description(notice.text.as_str());
    let mut case = TestCase::new(name, status);
    case.set_classname("project");
    place(
        &mut case,
        notice.file.as_deref().map(|f| places.path(f)),
        notice.line,
    );
    case
}
