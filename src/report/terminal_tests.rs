//! The screen, exactly: one scripted run at several widths, with and without colour.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::*;
use crate::event::Counts;

/// A writer whose text can be looked at afterwards.
#[derive(Clone, Default)]
pub(in crate::report) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub(in crate::report) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Script {
    events: Vec<Event>,
    counts: Counts,
}

impl Script {
    fn node(&mut self, id: &str, kind: &str, label: &str, outcome: Outcome) {
        let node = NodeId::new(id);
        let index = self.counts.total() + 1;
        self.counts.add(outcome.status);
        if outcome.status != Status::Skipped {
            self.events.push(Event::NodeStarted {
                node: node.clone(),
                kind: kind.into(),
                label: label.into(),
                index,
            });
        }
        self.events.push(Event::NodeFinished {
            node,
            kind: kind.into(),
            label: label.into(),
            index,
            outcome,
        });
    }
}

fn done(status: Status, rows: Option<u64>, seconds: f64) -> Outcome {
    Outcome {
        rows,
        elapsed: Duration::from_secs_f64(seconds),
        ..Outcome::new(status)
    }
}

fn failed_test() -> Outcome {
    let row = |month: &str, plan: Option<&str>, rate: &str| {
        vec![
            Some(month.to_owned()),
            plan.map(str::to_owned),
            Some(rate.to_owned()),
        ]
    };
    Outcome {
        failures: Some(12),
        expected: Some("failure_rate is between 0 and 1".into()),
        sample: Some(Sample {
            columns: vec!["invoice_month".into(), "plan".into(), "failure_rate".into()],
            rows: vec![
                row("2025-01-01", Some("pro"), "1.25"),
                row("2025-02-01", None, "-0.5"),
                row("2025-03-01", Some("a\nb"), "11.125"),
            ],
        }),
        file: Some(PathBuf::from("models/gold/_gold.yml")),
        compiled_path: Some(PathBuf::from(
            "target/compiled/shop/models/gold/_gold.yml/value_between.sql",
        )),
        ..done(Status::Fail, None, 0.02)
    }
}

fn broken_model() -> Outcome {
    let message = "error[sql-error]: column \"amuont\" does not exist\n  --> models/gold/mart_x.sql:3:5\n   |\n 3 |     sum(amuont) as total\n   |         ^^^^^^\n   |\nhint: perhaps you meant \"amount\"";
    Outcome {
        message: Some(message.into()),
        file: Some(PathBuf::from("models/gold/mart_x.sql")),
        compiled_path: Some(PathBuf::from("target/compiled/shop/models/gold/mart_x.sql")),
        ..done(Status::Error, None, 0.09)
    }
}

/// A run in which everything happens once.
pub(in crate::report) fn story() -> Vec<Event> {
    let mut script = Script {
        events: vec![
            Event::RunStarted {
                command: "build".into(),
                run_id: "0198".into(),
                nodes: 9,
                threads: 4,
                target: "dev (private server)".into(),
            },
            Event::Warned {
                code: "yaml-unknown-key".into(),
                message: "models/gold/_gold.yml:3: `colums` is not a key\nhint: write `columns`"
                    .into(),
            },
        ],
        counts: Counts::default(),
    };
    script.node(
        "seed.shop.fx",
        "seed",
        "raw.fx",
        done(Status::Success, Some(12), 0.05),
    );
    script.node(
        "model.shop.stg_a",
        "view model",
        "staging.stg_a",
        done(Status::Success, None, 0.04),
    );
    script.node(
        "model.shop.mart_payment_reliability_plan_monthly",
        "incremental model",
        "gold.mart_payment_reliability_plan_monthly",
        done(Status::Success, Some(1_204_567), 125.0),
    );
    script.node(
        "test.shop.unique_a.1f",
        "test",
        "unique_a",
        done(Status::Pass, None, 0.01),
    );
    script.node(
        "test.shop.value_between_mart_payment_reliability.9c",
        "test",
        "value_between_mart_payment_reliability_failure_rate__0__1",
        failed_test(),
    );
    let warned = Outcome {
        failures: Some(1),
        expected: Some("customer_id is never null".into()),
        ..done(Status::Warn, None, 0.01)
    };
    script.node("test.shop.not_null_b.77", "test", "not_null_b", warned);
    script.events.push(Event::Logged {
        message: "from a macro".into(),
    });
    script.node(
        "model.shop.mart_x",
        "table model",
        "gold.mart_x",
        broken_model(),
    );
    let skipped = |reason: &str| Outcome {
        message: Some(reason.into()),
        ..Outcome::new(Status::Skipped)
    };
    script.node(
        "model.shop.mart_y",
        "table model",
        "gold.mart_y",
        skipped("gold.mart_x failed"),
    );
    script.node(
        "test.shop.unique_y.aa",
        "test",
        "unique_y",
        skipped("gold.mart_x failed"),
    );
    let counts = script.counts;
    script.events.push(Event::RunFinished {
        elapsed: Duration::from_secs_f64(125.4),
        counts,
    });
    script.events
}

fn screen(events: &[Event], style: Style) -> String {
    let written = Shared::default();
    let mut terminal = Terminal::new(Box::new(written.clone()), style, Progress::none());
    for event in events {
        terminal.event(event);
    }
    terminal.finish();
    written.text()
}

fn at(width: usize) -> Style {
    Style {
        width: Some(width),
        ..Style::default()
    }
}

#[test]
fn a_run_at_100_columns() {
    insta::assert_snapshot!(screen(&story(), at(100)));
}

#[test]
fn a_gated_run_tells_what_was_not_published_and_what_would_change() {
    insta::assert_snapshot!(screen(&crate::report::stories::gate(), at(100)));
}

#[test]
fn a_run_whose_publishing_fails_counts_what_is_not_published() {
    insta::assert_snapshot!(screen(&crate::report::stories::refused(), at(100)));
}

#[test]
fn a_run_at_60_columns() {
    insta::assert_snapshot!(screen(&story(), at(60)));
}

#[test]
fn a_run_in_colour() {
    let style = Style {
        color: true,
        ..at(100)
    };
    insta::assert_snapshot!(screen(&story(), style).replace('\u{1b}', "\\e"));
}

#[test]
fn a_run_in_a_file_cuts_nothing() {
    let text = screen(&story(), Style::default());
    assert!(text.contains("value_between_mart_payment_reliability_failure_rate__0__1"));
    assert!(!text.contains('…') && !text.contains('\u{1b}'));
    insta::assert_snapshot!(text);
}

#[test]
fn quiet_says_only_errors_and_failures() {
    insta::assert_snapshot!(screen(&story(), at(100).quiet(true)));
}

#[test]
fn no_line_of_a_node_is_wider_than_the_terminal() {
    for width in [60, 80, 100] {
        let text = screen(&story(), at(width));
        let nodes: Vec<&str> = text.lines().filter(|line| line.contains("/9  ")).collect();
        assert_eq!(nodes.len(), 9);
        for line in nodes {
            assert!(crate::report::format::width(line) <= width, "{line}");
        }
    }
}

#[test]
fn a_run_without_nodes_says_so() {
    let events = [
        Event::RunStarted {
            command: "run".into(),
            run_id: "1".into(),
            nodes: 0,
            threads: 1,
            target: "dev".into(),
        },
        Event::RunFinished {
            elapsed: Duration::ZERO,
            counts: Counts::default(),
        },
    ];
    insta::assert_snapshot!(screen(&events, at(100)), @"
    marts run: 0 nodes, 1 thread, target dev

    Done in 0.00s: nothing to do
    ");
}

#[test]
fn a_coloured_message_is_repeated_without_its_code() {
    let events: Vec<Event> = story()
        .into_iter()
        .map(|event| match event {
            Event::NodeFinished {
                node,
                kind,
                label,
                index,
                outcome,
            } if outcome.status == Status::Error => {
                let message = "\u{1b}[1m\u{1b}[91merror[sql-error]\u{1b}[0m\u{1b}[1m: no such column\u{1b}[0m";
                Event::NodeFinished {
                    node,
                    kind,
                    label,
                    index,
                    outcome: Outcome::error(message),
                }
            }
            other => other,
        })
        .collect();
    let text = screen(&events, at(100));
    assert!(text.contains("\n         no such column\n"), "{text}");
}

#[test]
fn many_skips_for_one_reason_take_few_lines() {
    let mut script = Script {
        events: vec![Event::RunStarted {
            command: "build".into(),
            run_id: "1".into(),
            nodes: 1203,
            threads: 4,
            target: "dev".into(),
        }],
        counts: Counts::default(),
    };
    script.node("model.shop.a", "view model", "a", broken_model());
    let skipped = |reason: &str| Outcome {
        message: Some(reason.into()),
        ..Outcome::new(Status::Skipped)
    };
    for index in 0..1200 {
        let label = format!("m{index}");
        script.node(
            &format!("model.shop.{label}"),
            "view model",
            &label,
            skipped("a failed"),
        );
    }
    script.node("model.shop.x", "view model", "x", skipped("b failed"));
    script.node(
        "model.shop.y",
        "view model",
        "y",
        done(Status::Success, None, 0.1),
    );
    let text = screen(&script.events, at(80));
    let tail: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.contains(" m0 "))
        .collect();
    insta::assert_snapshot!(tail.join("\n"), @r#"
       2/1203  skip   view model         m0  (a failed)
       3/1203  skip   view model         m1  (a failed)
       4/1203  skip   view model         m2  (a failed)
               and 1,197 more skipped (a failed)
    1202/1203  skip   view model         x  (b failed)
    1203/1203  ok     view model         y                                   0.10s
    "#);
}
