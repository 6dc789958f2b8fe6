//! Every rule by which a test, or a node that fails, holds something back: a small project is
//! built well as version 1 and then, in each mode, as a version 2 that breaks the rule.

use crate::run::support::Project;

const MODES: [&str; 3] = ["immediate", "audited", "together"];

/// One row of one version.
const ROOT: &str = "{{ config(materialized='table') }} select 1 as id, {{ var('v', 1) }} as v";

/// A table over another.
macro_rules! over {
    ($parent:literal) => {
        concat!(
            "{{ config(materialized='table') }} select id, v from {{ ref('",
            $parent,
            "') }}"
        )
    };
}

/// Fails where a parent has the second version.
macro_rules! no_second {
    ($config:literal, $parent:literal) => {
        concat!(
            $config,
            "select * from {{ ref('",
            $parent,
            "') }} where v = 2"
        )
    };
}

const FOUR: &str = "{{ config(materialized='table') }} select g as id, {{ var('v', 1) }} as v from \
                    generate_series(1, 4) g";
/// Of 200 values, two are missing in version 2 and three in version 3.
const HOLES: &str = "{{ config(materialized='table') }} select g as id, {{ var('v', 1) }} as v, \
                     case when g > {{ var('v', 1) }} or {{ var('v', 1) }} = 1 then g end as x from \
                     generate_series(1, 200) g";
const SHARE: &str = "models: [{name: a, columns: [{name: x, data_tests: [{not_null: {config: \
                     {error_if: '> 1%'}}}]}]}]";
const SNAPSHOT_THAT_FAILS: &str = "{% snapshot h %}{{ config(unique_key='id', strategy='check', check_cols=['v'], \
     target_schema='shop') }} select id, v, 1 / (2 - v) as x from {{ ref('a') }}{% endsnapshot %}";
const SNAPSHOT: &str = "{% snapshot h %}{{ config(unique_key='id', strategy='check', check_cols=['v'], \
     target_schema='shop') }} select id, v from {{ ref('a') }}{% endsnapshot %}";
const SOURCE: &str = "sources: [{name: raw, schema: public, tables: [{name: events, columns: \
                      [{name: v, data_tests: [not_null]}]}]}]";

/// A rule, and what holds after the second build.
struct Rule {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// The version that breaks it.
    version: u8,
    /// Statements before the first build, and between the two.
    sql: [&'static str; 2],
    /// The exit code and each node's status.
    ends: (i32, &'static str),
    /// What readers ask, and what they see in each mode.
    asks: &'static str,
    sees: [&'static str; 3],
}

const RULES: [Rule; 12] = [
    Rule {
        name: "a test of two parents holds back what reads either, and both parents",
        files: &[
            ("models/a.sql", ROOT),
            ("models/b.sql", ROOT),
            ("models/of_a.sql", over!("a")),
            ("models/of_b.sql", over!("b")),
            ("models/neither.sql", ROOT),
            (
                "tests/a_fits_b.sql",
                "select a.id from {{ ref('a') }} a join {{ ref('b') }} b using (id) where a.v = 2",
            ),
        ],
        version: 2,
        sql: ["", ""],
        ends: (
            1,
            "a=success a_fits_b=fail b=success neither=success of_a=skipped of_b=skipped",
        ),
        asks: "select a.v, b.v, of_a.v, of_b.v, neither.v from shop.a, shop.b, shop.of_a, \
               shop.of_b, shop.neither",
        sees: ["2|2|1|1|2", "1|1|1|1|2", "1|1|1|1|1"],
    },
    Rule {
        name: "a warning holds nothing back",
        files: &[
            ("models/a.sql", ROOT),
            ("models/below.sql", over!("a")),
            (
                "tests/odd.sql",
                no_second!("{{ config(severity='warn') }}", "a"),
            ),
        ],
        version: 2,
        sql: ["", ""],
        ends: (0, "a=success below=success odd=warn"),
        asks: "select a.v, below.v from shop.a, shop.below",
        sees: ["2|2", "2|2", "2|2"],
    },
    Rule {
        name: "a count up to error_if is a warning",
        files: &[
            ("models/a.sql", FOUR),
            ("models/below.sql", over!("a")),
            (
                "tests/few.sql",
                no_second!("{{ config(warn_if='> 1', error_if='> 4') }}", "a"),
            ),
        ],
        version: 2,
        sql: ["", ""],
        ends: (0, "a=success below=success few=warn"),
        asks: "select max(a.v), max(below.v) from shop.a, shop.below",
        sees: ["2|2", "2|2", "2|2"],
    },
    Rule {
        name: "a count above error_if holds back",
        files: &[
            ("models/a.sql", FOUR),
            ("models/below.sql", over!("a")),
            (
                "tests/few.sql",
                no_second!("{{ config(warn_if='> 1', error_if='> 3') }}", "a"),
            ),
        ],
        version: 2,
        sql: ["", ""],
        ends: (1, "a=success below=skipped few=fail"),
        asks: "select max(a.v), max(below.v) from shop.a, shop.below",
        sees: ["2|1", "1|1", "1|1"],
    },
    Rule {
        name: "a share of one percent is not above one percent",
        files: &[
            ("models/a.sql", HOLES),
            ("models/below.sql", over!("a")),
            ("models/s.yml", SHARE),
        ],
        version: 2,
        sql: ["", ""],
        ends: (0, "a=success below=success not_null_a_x=warn"),
        asks: "select max(a.v), max(below.v) from shop.a, shop.below",
        sees: ["2|2", "2|2", "2|2"],
    },
    Rule {
        name: "a share of one and a half percent is",
        files: &[
            ("models/a.sql", HOLES),
            ("models/below.sql", over!("a")),
            ("models/s.yml", SHARE),
        ],
        version: 3,
        sql: ["", ""],
        ends: (1, "a=success below=skipped not_null_a_x=fail"),
        asks: "select max(a.v), max(below.v) from shop.a, shop.below",
        sees: ["3|1", "1|1", "1|1"],
    },
    Rule {
        name: "descendants of descendants and their tests are skipped",
        files: &[
            ("models/a.sql", ROOT),
            ("models/b.sql", over!("a")),
            ("models/c.sql", over!("b")),
            ("models/d.sql", "select id, v from {{ ref('c') }}"),
            ("models/aside.sql", ROOT),
            ("tests/a_is_right.sql", no_second!("", "a")),
            ("tests/c_is_right.sql", no_second!("", "c")),
        ],
        version: 2,
        sql: ["", ""],
        ends: (
            1,
            "a=success a_is_right=fail aside=success b=skipped c=skipped c_is_right=skipped \
             d=skipped",
        ),
        asks: "select a.v, b.v, c.v, d.v, aside.v from shop.a, shop.b, shop.c, shop.d, shop.aside",
        sees: ["2|1|1|1|2", "1|1|1|1|2", "1|1|1|1|1"],
    },
    Rule {
        name: "a bad delta stays out of an incremental model",
        files: &[
            (
                "models/f.sql",
                "{{ config(materialized='incremental', unique_key='id') }} select {{ var('v', 1) \
                 }} as id, {{ var('v', 1) }} as v",
            ),
            ("models/below.sql", over!("f")),
            ("tests/f_is_right.sql", no_second!("", "f")),
        ],
        version: 2,
        sql: ["", ""],
        ends: (1, "below=skipped f=success f_is_right=fail"),
        asks: "select count(*), max(f.v), max(below.v) from shop.f, shop.below",
        sees: ["2|2|1", "1|1|1", "1|1|1"],
    },
    Rule {
        name: "a seed that fails stays as it was, and what reads it",
        files: &[
            ("seeds/s.csv", "id,v\n1,1\n"),
            (
                "seeds/s.yml",
                "seeds: [{name: s, config: {column_types: {v: \"{{ 'integer' if var('v', 1) == 1 \
                 else 'date' }}\"}}}]",
            ),
            ("models/below.sql", over!("s")),
            ("models/aside.sql", ROOT),
        ],
        version: 2,
        sql: ["", ""],
        ends: (1, "aside=success below=skipped s=error"),
        asks: "select s.v, below.v, aside.v from shop.s, shop.below, shop.aside",
        sees: ["1|1|2", "1|1|2", "1|1|1"],
    },
    Rule {
        name: "a snapshot that fails stays as it was, and what reads it",
        files: &[
            ("models/a.sql", ROOT),
            ("snapshots/h.sql", SNAPSHOT_THAT_FAILS),
            ("models/below.sql", over!("h")),
        ],
        version: 2,
        sql: ["", ""],
        ends: (1, "a=success below=skipped h=error"),
        asks: "select a.v, count(h), max(below.v) from shop.a, shop.h, shop.below group by 1",
        sees: ["2|1|1", "2|1|1", "1|1|1"],
    },
    Rule {
        name: "a test of a snapshot keeps the new versions out of it",
        files: &[
            ("models/a.sql", ROOT),
            ("snapshots/h.sql", SNAPSHOT),
            ("models/below.sql", over!("h")),
            ("tests/h_is_right.sql", no_second!("", "h")),
        ],
        version: 2,
        sql: ["", ""],
        ends: (1, "a=success below=skipped h=success h_is_right=fail"),
        asks: "select max(a.v), count(h), max(below.v) from shop.a, shop.h, shop.below",
        sees: ["2|2|1", "2|1|1", "1|1|1"],
    },
    Rule {
        name: "a test of a source holds back what reads the source",
        files: &[
            ("models/s.yml", SOURCE),
            (
                "models/a.sql",
                "{{ config(materialized='table') }} select id, {{ var('v', 1) }} as v from {{ \
                 source('raw', 'events') }}",
            ),
            ("models/below.sql", over!("a")),
            ("models/aside.sql", ROOT),
        ],
        version: 2,
        sql: [
            "create table public.events as select 1 as id, 1 as v",
            "update public.events set v = null",
        ],
        ends: (
            1,
            "a=skipped aside=success below=skipped source_not_null_raw_events_v=fail",
        ),
        asks: "select a.v, below.v, aside.v from shop.a, shop.below, shop.aside",
        sees: ["1|1|2", "1|1|2", "1|1|1"],
    },
];

fn built(rule: &Rule, mode: &str) -> Project {
    let project = Project::published(mode, rule.files);
    if !rule.sql[0].is_empty() {
        project.sql(rule.sql[0]);
    }
    project.ok(&["build"]);
    if !rule.sql[1].is_empty() {
        project.sql(rule.sql[1]);
    }
    project
}

#[test]
fn every_rule_holds_back_what_it_says_in_every_mode() {
    for rule in &RULES {
        for (mode, sees) in MODES.iter().zip(rule.sees) {
            let project = built(rule, mode);
            let vars = format!("{{v: {}}}", rule.version);
            let ran = project.marts(&["build", "--vars", &vars]);
            let what = format!("{}, {mode}\n{}", rule.name, ran.stderr);
            assert_eq!((ran.code, &*project.statuses()), rule.ends, "{what}");
            assert_eq!(project.rows(rule.asks), sees, "{what}");
        }
    }
}

#[test]
fn run_publishes_without_tests_in_every_mode_and_the_ledger_says_so() {
    let rule = &RULES[0];
    for mode in MODES {
        let project = built(rule, mode);
        project.ok(&["run", "--vars", "{v: 2}"]);
        assert_eq!(project.rows(rule.asks), "2|2|2|2|2", "{mode}");
        let said = "select distinct published, audited from marts_ledger.entry where kind = 'node' \
                    and command = 'run'";
        assert_eq!(project.rows(said), "t|f", "{mode}");
    }
}

const NUMBERS: &str = "{{ config(materialized='table') }} select g as id, case when {{ var('v', 1) \
                       }} <> 2 or g <> 7 then g * 10 end as amount, {{ var('v', 1) }} as v from \
                       generate_series(1, 100) g";
const FUSED: &str = "models: [{name: numbers, columns: [{name: id, data_tests: [not_null]}, {name: \
                     amount, data_tests: [not_null]}, {name: v, data_tests: [not_null, \
                     accepted_values: {arguments: {values: [1, 2, 3], quote: false}}]}]}]";

#[test]
fn shared_scans_read_the_candidates() {
    for mode in ["audited", "together"] {
        let project = Project::published(
            mode,
            &[("models/numbers.sql", NUMBERS), ("models/s.yml", FUSED)],
        );
        project.ok(&["build"]);
        // What a scan looked at stands in the ledger, which shows that there was one.
        let tested = "select distinct rows_tested from marts_ledger.entry where kind = 'test' and \
                      status = 'pass' and run_id = (select run_id from marts_ledger.entry order by \
                      seq desc limit 1)";
        assert_eq!(project.rows(tested), "100", "{mode}");
        project.fails(
            1,
            &["build", "--vars", "{v: 2}"],
            &["not_null_numbers_amount"],
        );
        assert_eq!(
            project.rows(tested),
            "100",
            "{mode}: the others shared a scan"
        );
        let live = "select count(amount), max(v) from shop.numbers";
        assert_eq!(project.rows(live), "100|1", "{mode}");
        // And what is wrong with the live table is no concern of theirs.
        project.sql("update shop.numbers set amount = null, id = null");
        project.ok(&["build", "--vars", "{v: 3}"]);
        assert_eq!(project.rows(tested), "100", "{mode}");
        assert_eq!(project.rows(live), "100|3", "{mode}");
    }
}
