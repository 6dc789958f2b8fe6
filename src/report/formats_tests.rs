//! Each format on the same crafted runs: golden files, and what must hold whatever the data is.

use super::digest::Digest;
use super::github::annotations;
use super::html::html;
use super::junit::junit;
use super::lineage::Lineage;
use super::markdown::{COMMENT, markdown};
use super::places::Places;
use super::stories::{
    HOSTILE, Story, broken_project, built, digest, gate, lineage, refused, verdict,
};
use super::timeline::critical_path;
use crate::event::{Event, Status};

fn places() -> Places {
    Places::default()
}

fn page(events: &[Event]) -> String {
    let page = html(&digest(events), &lineage(), &places());
    // Style and script are files of their own.
    let start = page.find("<style>").expect("has a style");
    let end = page.find("</style>").expect("has a style");
    page.replace(&page[start..end], "<style>…")
        .replace(include_str!("html.js"), "…")
}

fn xml(events: &[Event]) -> String {
    junit(&digest(events), &lineage(), &places())
}

fn many_failures(count: usize) -> Digest {
    let mut story = Story::begin(count);
    for index in 0..count {
        let mut outcome = verdict(Status::Fail, index as u64 + 1, "it holds");
        outcome.message = Some("m".repeat(300));
        story.node(&format!("test.shop.t{index}.00"), "test", "t", outcome);
    }
    digest(&story.end())
}

#[test]
fn junit_of_a_gated_run() {
    insta::assert_snapshot!(xml(&gate()));
}

#[test]
fn junit_is_xml_whose_counts_are_right() {
    for (events, tests, bad, skipped) in [
        (gate(), 8, (1, 1), 2),
        (refused(), 3, (0, 1), 1),
        (broken_project(), 1, (0, 1), 0),
    ] {
        let xml = xml(&events);
        let document = roxmltree::Document::parse(&xml).expect("is XML");
        let count = |name: &str| {
            document
                .descendants()
                .filter(|n| n.has_tag_name(name))
                .count()
        };
        assert_eq!(count("testcase"), tests, "{xml}");
        assert_eq!((count("failure"), count("error")), bad, "{xml}");
        assert_eq!(count("skipped"), skipped, "{xml}");
        let root = document.root_element();
        let told = |name: &str| root.attribute(name).and_then(|v| v.parse().ok());
        assert_eq!(told("tests"), Some(tests));
        assert_eq!(
            (told("failures"), told("errors")),
            (Some(bad.0), Some(bad.1))
        );
    }
}

#[test]
fn github_of_all_runs() {
    let of = |events: &[Event]| annotations(&digest(events), &places());
    let all = [of(&gate()), of(&refused()), of(&broken_project())];
    insta::assert_snapshot!(all.join("---\n"));
}

#[test]
fn each_line_for_github_is_one_command_of_ours() {
    for line in annotations(&digest(&gate()), &places()).lines() {
        assert!(
            line.starts_with("::error ") || line.starts_with("::warning "),
            "{line}"
        );
        let (properties, _) = line[2..].split_once("::").expect("has a message");
        let (_, properties) = properties.split_once(' ').expect("has properties");
        for property in properties.split(',') {
            let (name, _) = property.split_once('=').expect("is a name and a value");
            assert!(["file", "line", "title"].contains(&name), "{line}");
        }
    }
}

#[test]
fn github_shows_the_ten_worst_and_counts_the_rest() {
    let text = annotations(&many_failures(30), &places());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 10);
    assert!(lines[0].contains("title=t29%3A 30 rows"), "{}", lines[0]);
    assert!(lines[9].contains("and 21 more errors"), "{}", lines[9]);
}

#[test]
fn markdown_of_all_runs() {
    let of = |events: &[Event]| markdown(&digest(events), &places(), COMMENT);
    let all = [of(&gate()), of(&refused()), of(&broken_project())];
    insta::assert_snapshot!(all.join("\n=====\n\n"));
}

#[test]
fn no_value_acts_in_markdown() {
    let text = markdown(&digest(&gate()), &places(), COMMENT);
    for acts in [
        "<script",
        "<img",
        "](javascript",
        "@everyone",
        "https://",
        "\u{202e}",
        "\u{1b}",
    ] {
        assert!(!text.contains(acts), "{acts}");
    }
    let rows: Vec<&str> = text
        .lines()
        .filter(|l| l.starts_with("| <code>") || l.starts_with("| *NULL"))
        .collect();
    let sample = rows
        .iter()
        .filter(|l| l.matches(" | ").count() == 2)
        .count();
    assert_eq!(
        sample, 6,
        "three columns in each row and the header: {rows:#?}"
    );
}

#[test]
fn markdown_is_cut_below_the_limit_and_says_so() {
    let text = markdown(&many_failures(400), &places(), COMMENT);
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(
        text.contains("**Cut here:**"),
        "{}",
        &text[text.len() - 300..]
    );
    let short = markdown(&digest(&gate()), &places(), COMMENT);
    assert!(!short.contains("Cut here"));
}

#[test]
fn html_of_all_runs() {
    insta::assert_snapshot!("html_of_a_gated_run", page(&gate()));
    insta::assert_snapshot!("html_of_a_stopped_run", page(&refused()));
    insta::assert_snapshot!("html_of_a_broken_project", page(&broken_project()));
}

#[test]
fn no_value_acts_in_html() {
    let page = page(&gate());
    assert_eq!(page.matches("<script").count(), 1, "ours alone");
    for acts in [
        "<img",
        "onerror=alert(1)>",
        "\u{202e}",
        "\u{1b}",
        "http://",
        "https://evil.example\"",
    ] {
        assert!(!page.contains(acts), "{acts}");
    }
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"));
    for value in HOSTILE
        .iter()
        .filter(|v| v.is_ascii() && !v.contains(['<', '&', '\u{1b}', '\r']))
    {
        let shown = value.replace('>', "&gt;");
        assert!(page.contains(&shown), "{value}");
    }
}

#[test]
fn the_critical_path_goes_through_what_is_no_relation_and_through_gates() {
    let digest = digest(&gate());
    let path: Vec<&str> = critical_path(&digest, &lineage())
        .iter()
        .map(|item| item.node.as_str())
        .collect();
    assert_eq!(
        path,
        [
            "seed.shop.fx",
            "model.shop.orders",
            "test.shop.safe_text.9c",
            "model.shop.mart_x"
        ]
    );
}

#[test]
fn a_run_without_nodes_is_a_report_as_well() {
    let digest = digest(&Story::begin(0).end());
    assert!(markdown(&digest, &places(), COMMENT).contains("nothing to do"));
    assert_eq!(annotations(&digest, &places()), "");
    let xml = junit(&digest, &Lineage::default(), &places());
    assert!(roxmltree::Document::parse(&xml).is_ok(), "{xml}");
    assert!(html(&digest, &Lineage::default(), &places()).contains("nothing to do"));
}

#[test]
fn a_dry_run_is_green_and_says_what_would_change() {
    let mut story = Story::begin(1);
    story.node(
        "model.shop.orders",
        "table model",
        "gold.orders",
        built(Some(9), "models/o.sql"),
    );
    let mut events = story.end();
    events.insert(
        3,
        Event::Changes {
            changes: super::stories::changes(),
        },
    );
    events.insert(
        4,
        Event::NotPublished {
            nodes: vec![crate::names::NodeId::new("model.shop.orders")],
            reason: "a dry run publishes nothing".into(),
            failed: false,
        },
    );
    let digest = digest(&events);
    let text = markdown(&digest, &places(), COMMENT);
    assert!(text.contains("## ✅"), "{text}");
    assert!(
        text.contains("| 1,204,000 → 1,204,567 | +570 −3 ~12 |"),
        "{text}"
    );
    assert_eq!(annotations(&digest, &places()), "");
}
