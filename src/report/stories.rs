//! Crafted runs for the tests of all formats: everything that may happen, with values that try
//! to break out of the format that shows them.

use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::digest::Digest;
use super::lineage::Lineage;
use crate::event::{Change, Counts, Event, Outcome, Sample, Status};
use crate::names::NodeId;

/// Values that reach reports from data that nobody checked.
pub(super) const HOSTILE: [&str; 12] = [
    "a|b | c",
    "`code` **bold** _em_ [x](javascript:alert(1))",
    "]]> <![CDATA[",
    "</script><script>alert(1)</script>",
    "</pre></td><img src=x onerror=alert(1)>",
    "\u{1b}[31mred\u{7}\u{0}",
    "👩\u{200d}🔧 héllo 日本語",
    "\u{202e}txt.exe \u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    "@everyone #12 https://evil.example www.evil.example",
    "::error file=x::pwned",
    "line one\r\nline two\ttab",
    "50% & more; \"quoted\" 'single'",
];

/// Events with nodes that are counted.
#[derive(Default)]
pub(super) struct Story {
    pub(super) events: Vec<Event>,
    counts: Counts,
}

impl Story {
    pub(super) fn begin(nodes: usize) -> Self {
        Self {
            events: vec![Event::RunStarted {
                command: "build".into(),
                run_id: "0198c0de".into(),
                nodes,
                threads: 2,
                target: "prod (db.example:5432/shop)".into(),
            }],
            counts: Counts::default(),
        }
    }

    pub(super) fn node(&mut self, id: &str, kind: &str, label: &str, outcome: Outcome) {
        let node = NodeId::new(id);
        let index = self.counts.total() + 1;
        self.counts.add(outcome.status);
        if !matches!(outcome.status, Status::Skipped | Status::Cancelled) {
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

    pub(super) fn end(mut self) -> Vec<Event> {
        let counts = self.counts;
        self.events.push(Event::RunFinished {
            elapsed: Duration::from_secs_f64(12.5),
            counts,
        });
        self.events
    }
}

pub(super) fn built(rows: Option<u64>, file: &str) -> Outcome {
    Outcome {
        rows,
        file: Some(PathBuf::from(file)),
        line: Some(1),
        relation: Some(r#""shop"."gold"."orders""#.into()),
        elapsed: Duration::from_millis(310),
        ..Outcome::new(Status::Success)
    }
}

pub(super) fn verdict(status: Status, failures: u64, expected: &str) -> Outcome {
    Outcome {
        failures: Some(failures),
        expected: Some(expected.into()),
        file: Some(PathBuf::from("models/gold/_gold.yml")),
        line: Some(14),
        compiled_path: Some(PathBuf::from("target/compiled/shop/t.sql")),
        thresholds: Some("error if > 0.1%, warn if != 0".into()),
        elapsed: Duration::from_millis(20),
        ..Outcome::new(status)
    }
}

fn hostile_sample() -> Sample {
    let mut rows: Vec<Vec<Option<String>>> = HOSTILE
        .chunks(3)
        .map(|three| three.iter().map(|v| Some((*v).to_owned())).collect())
        .collect();
    rows.push(vec![None, Some("x".repeat(10_240)), Some(String::new())]);
    Sample {
        columns: vec![
            "plain".into(),
            "od\"d | <b>name</b>".into(),
            "new\nline".into(),
        ],
        rows,
    }
}

fn because(status: Status, reason: &str) -> Outcome {
    Outcome {
        message: Some(reason.into()),
        ..Outcome::new(status)
    }
}

/// A gated run: a test with hostile rows and a model with an SQL error hold back what follows;
/// nothing is published.
pub(super) fn gate() -> Vec<Event> {
    let mut story = Story::begin(9);
    story.events.push(Event::Warned {
        code: "config-unused-path".into(),
        message: "\u{1b}[33mwarning\u{1b}[0m[config-unused-path]: `models.shop.old` applies to nothing\n --> project.yml:7:5\n  |\n7 |     old:\n".into(),
    });
    story.node(
        "seed.shop.fx",
        "seed",
        "raw.fx",
        built(Some(12), "seeds/fx.csv"),
    );
    story.node(
        "model.shop.orders",
        "table model",
        "gold.orders",
        built(Some(1_204_567), "models/gold/orders.sql"),
    );
    story.node(
        "test.shop.unique_orders.1f",
        "test",
        "unique_orders",
        verdict(Status::Pass, 0, ""),
    );
    story.node(
        "test.shop.not_null_orders.77",
        "test",
        "not_null_orders",
        Outcome {
            sample: Some(Sample {
                columns: vec!["id".into()],
                rows: vec![vec![Some("7".into())]],
            }),
            ..verdict(Status::Warn, 1, "gold.orders.customer is never null")
        },
    );
    story.node(
        "test.shop.safe_text.9c",
        "test",
        "safe_text",
        Outcome {
            sample: Some(hostile_sample()),
            ..verdict(
                Status::Fail,
                312,
                "gold.orders.note is | `safe` <b>text</b>",
            )
        },
    );
    let window = "\u{1b}[1merror[sql-error]\u{1b}[0m: column \"amuont\" does not exist\n  --> models/gold/mart_x.sql:3:5\n   |\n 3 |     sum(amuont) as total\n   |         ^^^^^^\n   |\n   = hint: perhaps you meant \"amount\"";
    story.node(
        "model.shop.mart_x",
        "table model",
        "gold.we\"ird | na<me>",
        Outcome {
            file: Some(PathBuf::from("models/gold/mart x,y.sql")),
            line: Some(3),
            elapsed: Duration::from_millis(90),
            ..Outcome::error(window)
        },
    );
    let reason = "model `mart_x` was not built";
    story.node(
        "model.shop.mart_y",
        "view model",
        "gold.mart_y",
        because(Status::Skipped, reason),
    );
    story.node(
        "test.shop.unique_y.aa",
        "test",
        "unique_y",
        because(Status::Skipped, reason),
    );
    story.events.push(Event::NotPublished {
        nodes: vec![
            NodeId::new("seed.shop.fx"),
            NodeId::new("model.shop.orders"),
        ],
        reason: "test `safe_text` failed".into(),
        failed: false,
    });
    story.events.push(Event::Changes { changes: changes() });
    story.events.push(Event::LedgerWritten {
        seq: 42,
        head: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
    });
    story.end()
}

pub(super) fn changes() -> Vec<Change> {
    let change = |relation: &str, kind: &str| Change {
        relation: relation.into(),
        kind: kind.into(),
        ..Change::default()
    };
    vec![
        Change {
            rows: Some((1_204_000, 1_204_567)),
            by_key: Some((570, 3, 12)),
            columns: vec![
                "+ note text".into(),
                "~ amount integer -> numeric(12,2)".into(),
            ],
            ..change("gold.orders", "changed")
        },
        Change {
            rows: Some((0, 12)),
            ..change("raw.fx", "new")
        },
        Change {
            notes: vec!["no model makes it; --drop-orphans drops it".into()],
            ..change("gold.\"o|d\"", "orphan")
        },
        change("gold.calendar", "same"),
    ]
}

/// A run that is stopped by the user and whose publishing fails for one of two transactions.
pub(super) fn refused() -> Vec<Event> {
    let mut story = Story::begin(3);
    story.node(
        "model.shop.a",
        "table model",
        "gold.a",
        built(Some(1), "models/a.sql"),
    );
    story.node(
        "model.shop.b",
        "table model",
        "gold.b",
        built(Some(2), "models/b.sql"),
    );
    story.events.push(Event::Cancelled);
    story.node(
        "model.shop.c",
        "table model",
        "gold.c",
        because(Status::Cancelled, "the run was cancelled"),
    );
    story.events.push(Event::Published {
        nodes: vec![NodeId::new("model.shop.a")],
        elapsed: Duration::from_millis(120),
    });
    story.events.push(Event::NotPublished {
        nodes: vec![NodeId::new("model.shop.b")],
        reason: "error[publish-refused]: view reports.daily of role bi reads gold.b\n  = hint: ask its owner".into(),
        failed: true,
    });
    story.end()
}

/// A project that cannot be read.
pub(super) fn broken_project() -> Vec<Event> {
    vec![Event::Failed {
        code: "yaml-syntax".into(),
        message: "mapping values are not allowed here".into(),
        text: "error[yaml-syntax]: mapping values are not allowed here\n --> models/a.yml:3:7\n  |\n3 | - name: x: y\n".into(),
        file: Some(PathBuf::from("models/a.yml")),
        line: Some(3),
    }]
}

/// Who reads whom in these runs.
pub(super) fn lineage() -> Lineage {
    let mut lineage = Lineage::default();
    let orders = ["model.shop.orders"];
    lineage.add("seed.shop.fx", "raw.fx", &[]);
    lineage.add(
        "model.shop.orders",
        "gold.orders",
        &["model.shop.ephemeral"],
    );
    lineage.add("model.shop.ephemeral", "ephemeral", &["seed.shop.fx"]);
    for test in ["unique_orders.1f", "not_null_orders.77", "safe_text.9c"] {
        lineage.add(&format!("test.shop.{test}"), "gold.orders", &orders);
    }
    lineage.add("model.shop.mart_x", "gold.we\"ird | na<me>", &orders);
    lineage.add("model.shop.mart_y", "gold.mart_y", &["model.shop.mart_x"]);
    lineage.add(
        "test.shop.unique_y.aa",
        "gold.mart_y",
        &["model.shop.mart_y"],
    );
    lineage
}

/// The digest of a run whose events come half a second apart.
pub(super) fn digest(events: &[Event]) -> Digest {
    let mut digest = Digest::new();
    let mut now = Timestamp::UNIX_EPOCH;
    for event in events {
        digest.take(event, now);
        now += SignedDuration::from_millis(500);
    }
    digest
}
