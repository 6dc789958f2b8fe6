//! Tables that are continued: what an audit sees, and what readers see after it.

use crate::run::support::Project;

const MODES: [&str; 2] = ["audited", "together"];

/// An incremental model over `public.days`, a table that reads it, and a test of the model.
fn project(mode: &str, config: &str) -> Project {
    let project = Project::published(
        mode,
        &[
            (
                "models/f.sql",
                &format!(
                    "{{{{ config(materialized='incremental'{config}) }}}}\nselect id, day, note \
                     from public.days\n{{% if is_incremental() %}} where day > (select max(day) - \
                     1 from {{{{ this }}}}) {{% endif %}}"
                ),
            ),
            (
                "models/below.sql",
                "{{ config(materialized='table') }} select count(*) as n, max(note) as last from \
                 {{ ref('f') }}",
            ),
            (
                "tests/no_bad_notes.sql",
                "select * from {{ ref('f') }} where note = 'bad'",
            ),
        ],
    );
    project.sql(
        "create table public.days (id int, day int, note text); insert into public.days values \
         (1, 1, 'a'), (2, 2, 'a')",
    );
    project.ok(&["build"]);
    project
}

fn facts(project: &Project) -> String {
    project.rows("select id, day, note from shop.f order by 1, 2, 3")
}

#[test]
fn a_bad_delta_leaves_the_table_as_it_was_and_a_good_one_comes_in() {
    for mode in MODES {
        for strategy in ["delete+insert", "merge"] {
            let config = format!(", unique_key='id', incremental_strategy='{strategy}'");
            let project = project(mode, &config);
            project.sql(
                "update public.days set note = 'b'; insert into public.days values (3, 3, 'bad')",
            );
            let oid = "select 'shop.f'::regclass::oid";
            let before = project.rows(oid);
            project.fails(1, &["build"], &["no_bad_notes"]);
            assert_eq!(facts(&project), "1|1|a 2|2|a", "{mode} {strategy}");
            assert_eq!(project.rows("select n, last from shop.below"), "2|a");
            project.sql("update public.days set note = 'c' where note = 'bad'");
            project.ok(&["build"]);
            assert_eq!(facts(&project), "1|1|a 2|2|b 3|3|c", "{mode} {strategy}");
            assert_eq!(project.rows("select n, last from shop.below"), "3|c");
            assert_eq!(project.rows(oid), before, "the table itself stays");
        }
    }
}

#[test]
fn three_runs_in_a_row_equal_a_full_refresh() {
    for mode in MODES {
        let config = ", unique_key='id', incremental_strategy='merge'";
        let project = project(mode, config);
        for day in 3..6 {
            project.sql(&format!(
                "insert into public.days values ({day}, {day}, 'a'), (10 * {day}, {day}, 'b')"
            ));
            project.ok(&["build"]);
        }
        let grown = facts(&project);
        project.ok(&["build", "--full-refresh"]);
        assert_eq!(grown, facts(&project), "{mode}");
    }
}

#[test]
fn a_delta_that_breaks_a_rule_of_the_table_is_refused_by_name_before_the_audit() {
    for mode in MODES {
        let project = project(mode, "");
        project.sql("create unique index one_note on shop.f (note, id)");
        project.sql("insert into public.days values (2, 2, 'a'), (3, 3, 'c')");
        let ran = project.fails(
            1,
            &["build"],
            &[
                "publish-violation",
                "\"one_note\"",
                "(note, id)=(a, 2) already exists",
            ],
        );
        assert!(
            !ran.stderr.contains("no_bad_notes failed"),
            "{}",
            ran.stderr
        );
        assert_eq!(facts(&project), "1|1|a 2|2|a", "{mode}");
    }
}

#[test]
fn hooks_comments_and_privileges_of_a_delta_come_with_it() {
    for mode in MODES {
        let project = project(
            mode,
            ", unique_key='id', post_hook=['create index if not exists by_day on {{ this }} \
             (day)', 'analyze {{ this }}'], persist_docs={'relation': true}",
        );
        project.sql("drop index shop.by_day; insert into public.days values (3, 3, 'c')");
        project.write(
            "models/f.yml",
            "version: 2\nmodels:\n  - name: f\n    description: Facts of days.\n",
        );
        project.ok(&["build"]);
        assert_eq!(
            project.rows(
                "select to_regclass('shop.by_day') is not null, \
                 obj_description('shop.f'::regclass, 'pg_class')"
            ),
            "t|Facts of days.",
            "{mode}"
        );
    }
}

#[test]
fn a_column_that_changes_its_type_changes_for_others_views_too() {
    for mode in MODES {
        let project = project(
            mode,
            ", on_schema_change='sync_all_columns', unique_key='id'",
        );
        project.sql(
            "create view public.theirs as select id, note from shop.f; create index by_note on \
             shop.f (note)",
        );
        project.sql("alter table public.days alter column id type bigint");
        project.sql("insert into public.days values (3, 3, 'c')");
        project.ok(&["build"]);
        assert_eq!(facts(&project), "1|1|a 2|2|a 3|3|c", "{mode}");
        assert_eq!(
            project.rows(
                "select pg_typeof(id), to_regclass('shop.by_note') is not null from public.theirs \
                 limit 1"
            ),
            "bigint|t"
        );
    }
}

#[test]
fn a_snapshot_that_fails_a_test_keeps_its_history() {
    for mode in MODES {
        let project = Project::published(
            mode,
            &[
                (
                    "snapshots/s.sql",
                    "{% snapshot s %}\n{{ config(unique_key='id', strategy='timestamp', \
                     updated_at='at') }}\nselect * from public.items\n{% endsnapshot %}\n",
                ),
                (
                    "tests/no_bad.sql",
                    "select * from {{ ref('s') }} where v = 'bad'",
                ),
                (
                    "models/now.sql",
                    "select v from {{ ref('s') }} where dbt_valid_to is null",
                ),
            ],
        );
        project.sql(
            "create table public.items (id int, v text, at timestamp); insert into public.items \
             values (1, 'a', '2024-01-01')",
        );
        project.ok(&["build"]);
        project.sql("update public.items set v = 'bad', at = '2024-02-01'");
        project.fails(1, &["build"], &["no_bad"]);
        let versions = "select v, dbt_valid_to is null from shop.s order by dbt_valid_from";
        assert_eq!(project.rows(versions), "a|t", "{mode}");
        project.sql("update public.items set v = 'good', at = '2024-03-01'");
        project.ok(&["build"]);
        assert_eq!(project.rows(versions), "a|f good|t", "{mode}");
        assert_eq!(project.rows("select v from shop.now"), "good");
    }
}
