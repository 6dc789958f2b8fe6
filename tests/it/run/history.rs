//! Incremental models and snapshots: what a second run does to the rows of the first.

use super::support::Project;

const DAYS: &str = "create table public.days (id int, day int, note text)";

fn facts(project: &Project) -> String {
    project.rows("select id, day, note from shop.f order by 1, 2, 3")
}

/// An incremental model over `public.days` with this config.
fn incremental(config: &str) -> Project {
    let project = Project::new(&[(
        "models/f.sql",
        &format!(
            "{{{{ config(materialized='incremental'{config}) }}}}\nselect id, day, note from \
             public.days\n{{% if is_incremental() %}} where day > (select max(day) - 1 from {{{{ \
             this }}}}) {{% endif %}}"
        ),
    )]);
    project.sql(DAYS);
    project.sql("insert into public.days values (1, 1, 'a'), (2, 2, 'a')");
    project.ok(&["run"]);
    assert_eq!(facts(&project), "1|1|a 2|2|a");
    project.sql("update public.days set note = 'b'; insert into public.days values (3, 3, 'b')");
    project
}

#[test]
fn append_adds_the_new_rows_and_a_full_refresh_starts_again() {
    let project = incremental("");
    project.ok(&["run"]);
    assert_eq!(facts(&project), "1|1|a 2|2|a 2|2|b 3|3|b");
    project.ok(&["run", "--full-refresh"]);
    assert_eq!(facts(&project), "1|1|b 2|2|b 3|3|b");
}

#[test]
fn delete_and_insert_replaces_rows_by_their_key() {
    for key in ["unique_key='id'", "unique_key=['id', 'day']"] {
        let project = incremental(&format!(", {key}"));
        project.ok(&["run"]);
        assert_eq!(facts(&project), "1|1|a 2|2|b 3|3|b", "{key}");
    }
}

#[test]
fn merge_updates_and_inserts_by_key() {
    for key in ["'id'", "['id', 'day']"] {
        let project = incremental(&format!(", incremental_strategy='merge', unique_key={key}"));
        project.ok(&["run"]);
        assert_eq!(facts(&project), "1|1|a 2|2|b 3|3|b", "{key}");
    }
    let project = incremental(
        ", incremental_strategy='merge', unique_key='id', merge_exclude_columns=['note']",
    );
    project.ok(&["run"]);
    assert_eq!(facts(&project), "1|1|a 2|2|a 3|3|b");
}

#[test]
fn predicates_bound_what_is_replaced() {
    let project =
        incremental(", unique_key='id', incremental_predicates=['DBT_INTERNAL_DEST.day > 2']");
    project.ok(&["run"]);
    assert_eq!(facts(&project), "1|1|a 2|2|a 2|2|b 3|3|b");
}

#[test]
fn a_merge_without_a_key_says_what_is_missing() {
    let project = Project::new(&[(
        "models/f.sql",
        "{{ config(materialized='incremental', incremental_strategy='merge') }} select 1 as id",
    )]);
    project.fails(1, &["run"], &["unique_key"]);
}

#[test]
fn a_change_of_columns_is_met_as_the_config_says() {
    let columns = "select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' \
                   order by attnum) from pg_attribute where attrelid = 'shop.f'::regclass and \
                   attnum > 0 and not attisdropped";
    let model = |policy: &str, query: &str| {
        format!("{{{{ config(materialized='incremental', on_schema_change='{policy}') }}}} {query}")
    };
    let first = "select 1 as id, 'x'::varchar(3) as word, 1 as old";
    let second = "select 2::bigint as id, 'longer'::varchar(9) as word, true as fresh";
    for (policy, shape, rows) in [
        ("ignore", "", ""),
        (
            "append_new_columns",
            "id integer, word character varying(9), old integer, fresh boolean",
            "1|x|1|~ 2|longer|~|t",
        ),
        (
            "sync_all_columns",
            "id bigint, word character varying(9), fresh boolean",
            "1|x|~ 2|longer|t",
        ),
    ] {
        let project = Project::new(&[("models/f.sql", &model(policy, first))]);
        project.ok(&["run"]);
        project.write("models/f.sql", &model(policy, second));
        if policy == "ignore" {
            // The column that went is asked for, as in dbt.
            project.fails(1, &["run"], &["old"]);
            project.write(
                "models/f.sql",
                &model(
                    policy,
                    "select 2 as id, 'longer'::varchar(9) as word, 3 as old, 4 as n",
                ),
            );
            project.ok(&["run"]);
            assert_eq!(
                project.rows("select * from shop.f order by id"),
                "1|x|1 2|longer|3"
            );
            continue;
        }
        project.ok(&["run"]);
        assert_eq!(project.rows(columns), shape, "{policy}");
        assert_eq!(
            project.rows("select * from shop.f order by id"),
            rows,
            "{policy}"
        );
    }
    let project = Project::new(&[("models/f.sql", &model("fail", first))]);
    project.ok(&["run"]);
    project.write("models/f.sql", &model("fail", second));
    project.fails(
        1,
        &["run"],
        &[
            "new: fresh boolean",
            "gone: old integer",
            "changed type: id bigint",
            "--full-refresh",
        ],
    );
    assert_eq!(project.rows("select * from shop.f"), "1|x|1");
    project.no_leftovers();
}

#[test]
fn a_failing_delta_changes_nothing() {
    let project = incremental(", unique_key='id', post_hook='select 1/0'");
    drop(project);
    let project = Project::new(&[(
        "models/f.sql",
        "{{ config(materialized='incremental', unique_key='id', on_schema_change='sync_all_columns') \
         }} select 1 as id, 1 as day, 'a' as note",
    )]);
    project.ok(&["run"]);
    project.write(
        "models/f.sql",
        "{{ config(materialized='incremental', unique_key='id', \
         on_schema_change='sync_all_columns', post_hook='select 1/0') }} select 1 as id, 2 as day, \
         'b' as note, 5 as more",
    );
    project.fails(1, &["run"], &["division by zero"]);
    assert_eq!(project.rows("select * from shop.f"), "1|1|a");
}

/// A snapshot of `public.items`.
fn snapshot(config: &str) -> Project {
    let project = Project::new(&[(
        "snapshots/s.sql",
        &format!(
            "{{% snapshot s %}}\n{{{{ config(unique_key='id', {config}) }}}}\nselect * from \
             public.items\n{{% endsnapshot %}}\n"
        ),
    )]);
    project.sql(
        "create table public.items (id int, v text, at timestamp); insert into public.items \
         values (1, 'a', '2024-01-01'), (2, 'a', '2024-01-01')",
    );
    project.ok(&["snapshot"]);
    project
}

fn versions(project: &Project) -> String {
    project.rows(
        "select id, v, dbt_valid_to is null from shop.s order by id, dbt_valid_from, dbt_valid_to \
         nulls last",
    )
}

#[test]
fn a_snapshot_by_timestamp_keeps_each_version() {
    let project = snapshot("strategy='timestamp', updated_at='at'");
    assert_eq!(versions(&project), "1|a|t 2|a|t");
    project.sql(
        "update public.items set v = 'b', at = '2024-02-01' where id = 1; delete from \
         public.items where id = 2; insert into public.items values (3, 'n', '2024-02-01')",
    );
    project.ok(&["snapshot"]);
    assert_eq!(versions(&project), "1|a|f 1|b|t 2|a|t 3|n|t");
    project.ok(&["snapshot"]);
    assert_eq!(versions(&project), "1|a|f 1|b|t 2|a|t 3|n|t");
    assert_eq!(
        project.rows("select dbt_valid_from, dbt_valid_to from shop.s where id = 1 order by 1"),
        "2024-01-01 00:00:00|2024-02-01 00:00:00 2024-02-01 00:00:00|~"
    );
}

#[test]
fn a_snapshot_by_check_sees_changes_deletes_and_new_columns() {
    let project = snapshot("strategy='check', check_cols='all', hard_deletes='invalidate'");
    project.sql(
        "update public.items set v = null where id = 1; delete from public.items where id = 2",
    );
    project.ok(&["snapshot"]);
    assert_eq!(versions(&project), "1|a|f 1|~|t 2|a|f");
    project.sql("alter table public.items add column extra int; update public.items set extra = 7");
    project.ok(&["snapshot"]);
    assert_eq!(
        project.rows("select id, v, extra from shop.s where dbt_valid_to is null"),
        "1|~|7"
    );
}

#[test]
fn a_deleted_row_of_a_snapshot_may_get_a_record_of_its_own() {
    let project = snapshot("strategy='timestamp', updated_at='at', hard_deletes='new_record'");
    project.sql("delete from public.items where id = 2");
    project.ok(&["snapshot"]);
    project.ok(&["snapshot"]);
    assert_eq!(
        project.rows(
            "select id, dbt_is_deleted, dbt_valid_to is null from shop.s order by id, \
             dbt_valid_from"
        ),
        "1|False|t 2|False|f 2|True|t"
    );
}
