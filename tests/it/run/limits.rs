//! Time limits and retries: which node ran into what, what is tried again, and that nothing
//! of a run idles in a transaction.

use super::gates::kill;
use super::support::{Project, Ran};

/// A session that keeps what its statements hold.
struct Held {
    runtime: tokio::runtime::Runtime,
    connection: marts::pg::Connection,
}

impl Held {
    fn new(project: &Project, sql: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let connection = runtime.block_on(async {
            let connection = project.db.connect().await;
            connection.execute(sql).await.expect("runs");
            connection
        });
        Self {
            runtime,
            connection,
        }
    }

    fn end(self) {
        let ended = self.runtime.block_on(self.connection.execute("rollback"));
        ended.expect("ends");
    }
}

/// Ends the backends that run such a statement, once there is one.
fn terminate(project: &Project, which: &str) {
    project.wait_for(&format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = \
         current_database() and state = 'active' and pid <> pg_backend_pid() and {which}"
    ));
}

const SLOW: &str = "select 1 as id from pg_sleep(30)";

#[test]
fn a_statement_that_runs_into_a_limit_names_node_limit_and_place() {
    let project = Project::new(&[
        (
            "models/own.sql",
            &format!("{{{{ config(materialized='table', statement_timeout='300ms') }}}}\n{SLOW}"),
        ),
        ("models/by_yaml.sql", SLOW),
        (
            "models/m.yml",
            "models:\n  - name: by_yaml\n    config:\n      materialized: table\n      statement_timeout: 200\n",
        ),
        (
            "models/free.sql",
            "{{ config(materialized='table') }} select 1 as id from pg_sleep(0.5)",
        ),
    ]);
    let ran = project.fails(
        1,
        &["run"],
        &[
            "error[sql-limit]: model `own` ran longer than its statement_timeout of 300ms",
            "models/own.sql:1",
            "model `by_yaml` ran longer than its statement_timeout of 200ms",
            "models/m.yml:5",
            "make the query faster, or raise the limit",
        ],
    );
    // The limit of one node does not stay on a connection that another one takes over.
    assert_eq!(
        project.statuses(),
        "by_yaml=error free=success own=error",
        "{}",
        ran.stderr
    );
    project.no_leftovers();
}

#[test]
fn a_limit_of_the_target_is_named_as_such_and_a_node_may_lift_it() {
    let project = Project::new(&[
        ("models/slow.sql", &format!("{{{{ config(materialized='table') }}}} {SLOW}")),
        (
            "models/lifted.sql",
            "{{ config(materialized='table', statement_timeout=0) }} select 1 as id from pg_sleep(1)",
        ),
    ])
    .with_parameter("statement_timeout=400ms");
    project.fails(
        1,
        &["run"],
        &[
            "model `slow` ran longer than its statement_timeout of 400ms",
            "the limit is set by the target in profiles.yml",
        ],
    );
    assert_eq!(project.statuses(), "lifted=success slow=error");
}

#[test]
fn a_limit_that_is_none_is_a_mistake_at_its_place() {
    let project = Project::new(&[(
        "models/m.sql",
        "select 1 as id\n{{ config(lock_timeout='5 minutes') }}",
    )]);
    project.fails(
        2,
        &["run"],
        &[
            "config `lock_timeout` of model `m` is the text \"5 minutes\"",
            "models/m.sql:2",
            "a duration such as 500ms, 30s or 5min",
        ],
    );
}

#[test]
fn a_lock_that_is_not_to_be_had_in_time_is_told() {
    let project = Project::new(&[
        (
            "models/t.sql",
            "{{ config(materialized='table') }} select 1 as id",
        ),
        (
            "models/hooked.sql",
            "{{ config(materialized='table', lock_timeout='200ms', retries=0, \
             pre_hook='lock table shop.locked') }} select 2 as id",
        ),
    ]);
    project.sql("create schema shop; create table shop.locked (a int)");
    let holder = Held::new(&project, "begin; lock table shop.locked");
    project.fails(
        1,
        &["run"],
        &["model `hooked` waited for a lock longer than its lock_timeout of 200ms"],
    );
    holder.end();
    project.ok(&["run"]);
}

#[test]
fn a_hook_that_sets_something_sets_it_for_its_own_node_only() {
    let project = Project::new(&[
        (
            "models/a.sql",
            "{{ config(materialized='table', pre_hook={'sql': \"set statement_timeout = 1; reset statement_timeout; set work_mem = '65kB'\", 'transaction': false}) }} select current_setting('work_mem') as s",
        ),
        (
            "models/b.sql",
            "{{ config(materialized='table') }} -- {{ ref('a') }}\n select current_setting('work_mem') as s",
        ),
    ]);
    project.ok(&["run", "--threads", "1"]);
    assert_eq!(project.rows("select s from shop.a"), "65kB");
    assert_ne!(project.rows("select s from shop.b"), "65kB");
}

#[test]
fn a_step_whose_connection_is_lost_is_tried_again_on_another() {
    let project = Project::new(&[(
        "models/t.sql",
        "{{ config(materialized='table') }} select 1 as id from pg_sleep({{ var('s', 0) }})",
    )]);
    project.ok(&["run"]);
    let child = project.spawn(&["run", "--vars", "{s: 2}"]);
    terminate(&project, "query like '%pg_sleep(2)%'");
    let ran = Ran::of(child.wait_with_output().expect("ends"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("succeeded at the 2nd try, after: "),
        "{}",
        ran.stderr
    );
    let (_, _, message) = project.results().remove(0);
    assert!(message.contains("2nd try"), "{message}");
    project.no_leftovers();
}

#[test]
fn a_model_says_how_often_it_is_tried() {
    let project = Project::new(&[(
        "models/t.sql",
        "{{ config(materialized='table', retries=0) }} select 1 as id from pg_sleep(20)",
    )]);
    let child = project.spawn(&["run"]);
    terminate(&project, "query like '%pg_sleep(20)%'");
    let ran = Ran::of(child.wait_with_output().expect("ends"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(project.statuses(), "t=error");
}

#[test]
fn rows_that_may_be_there_already_are_not_added_twice() {
    let project = Project::new(&[(
        "models/log.sql",
        "{{ config(materialized='incremental', incremental_strategy='append', post_hook={'sql': \
         'select pg_sleep({{ var(\"s\", 0) }})', 'transaction': false}) }} select 1 as id",
    )]);
    project.ok(&["run"]);
    let child = project.spawn(&["run", "--vars", "{s: 21}"]);
    terminate(&project, "query = 'select pg_sleep(21)'");
    let ran = Ran::of(child.wait_with_output().expect("ends"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("not tried again"), "{}", ran.stderr);
    assert_eq!(project.rows("select count(*) from shop.log"), "2");
}

#[test]
fn rows_that_were_rolled_back_are_added_by_the_next_try() {
    let project = Project::new(&[(
        "models/log.sql",
        "{{ config(materialized='incremental', incremental_strategy='append') }} select 1 as id \
         from pg_sleep({{ var('s', 0) }})",
    )]);
    project.ok(&["run"]);
    let child = project.spawn(&["run", "--vars", "{s: 2.5}"]);
    terminate(&project, "query like '%pg_sleep(2.5)%'");
    let ran = Ran::of(child.wait_with_output().expect("ends"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(project.rows("select count(*) from shop.log"), "2");
}

#[test]
fn nothing_of_a_run_idles_in_a_transaction_while_a_hook_outside_of_it_works() {
    let hook = "{'sql': 'select pg_sleep(1.5)', 'transaction': false}";
    let project = Project::new(&[
        (
            "models/i.sql",
            &format!(
                "{{{{ config(materialized='incremental', unique_key='id', post_hook={hook}) }}}} select 1 as id"
            ),
        ),
        (
            "models/t.sql",
            &format!("{{{{ config(materialized='table', pre_hook={hook}) }}}} select 1 as id"),
        ),
        // A query while rendering, slow.
        (
            "models/v.sql",
            "{% if execute %}{% do run_query('select pg_sleep(1.5)') %}{% endif %} select 1 as id",
        ),
    ]);
    project.ok(&["run"]);
    let child = project.spawn(&["run"]);
    project.wait_for(
        "select 1 from pg_stat_activity where datname = current_database() and state = 'active' \
         and query like '%pg_sleep(1.5)%' and pid <> pg_backend_pid() having count(*) = 3",
    );
    let idle = project.rows(
        "select query from pg_stat_activity where datname = current_database() and state like \
         'idle in transaction%'",
    );
    assert_eq!(idle, "");
    assert_eq!(Ran::of(child.wait_with_output().expect("ends")).code, 0);
}

#[test]
fn sigterm_and_sighup_stop_a_run_in_good_order() {
    // Under nohup the suite's children are told to go on, and do.
    let hears = |signal: &&str| *signal != "HUP" || !ignores_hangups();
    for signal in ["TERM", "HUP"].into_iter().filter(hears) {
        let project = Project::new(&[
            (
                "models/a.sql",
                "{{ config(materialized='table') }} select {{ var('v', 1) }} as v from \
                 pg_sleep({{ var('s', 0) }})",
            ),
            ("models/b.sql", "select v from {{ ref('a') }}"),
        ]);
        project.ok(&["run"]);
        let child = project.spawn(&["run", "--vars", "{v: 2, s: 60}"]);
        project.wait_for(
            "select 1 from pg_stat_activity where state = 'active' and query like \
             '%pg_sleep(60)%' and pid <> pg_backend_pid()",
        );
        kill(child.id(), signal);
        let ran = Ran::of(child.wait_with_output().expect("ends"));
        assert_eq!(ran.code, 1, "{signal}: {}", ran.stderr);
        assert!(ran.stderr.contains("Stopping"), "{}", ran.stderr);
        assert_eq!(project.rows("select v from shop.b"), "1");
        assert_eq!(project.statuses(), "a=skipped b=skipped");
        project.no_leftovers();
    }
}

/// Whether SIGHUP (the first bit) is ignored by this process, as its children inherit it.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

#[test]
fn a_changed_column_waits_for_its_lock_without_holding_readers_up() {
    let project = Project::new(&[(
        "models/i.sql",
        "{{ config(materialized='incremental', on_schema_change='append_new_columns') }} select 1 \
         as id {% if var('more', false) %}, 2 as extra{% endif %}",
    )]);
    project.ok(&["run"]);
    let reader = Held::new(&project, "begin; select * from shop.i");
    let child = project.spawn(&["run", "--vars", "{more: true}"]);
    project.wait_for(
        "select 1 from pg_locks where relation = 'shop.i'::regclass and mode = \
         'AccessExclusiveLock' and not granted",
    );
    // A reader that comes later is let in between two attempts.
    assert_eq!(project.rows("select count(*) from shop.i"), "1");
    reader.end();
    let ran = Ran::of(child.wait_with_output().expect("ends"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(
        project.rows("select id, extra from shop.i order by extra"),
        "1|2 1|~"
    );
}
