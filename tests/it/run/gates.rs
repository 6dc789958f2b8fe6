//! What a failure holds back, what a test's config makes of its rows, exit codes, Ctrl-C.

use super::support::{Project, Ran};

#[test]
fn a_failed_parent_skips_its_children_with_the_reason() {
    let project = Project::new(&[
        ("models/a.sql", "select 1/0 as x"),
        ("models/b.sql", "select * from {{ ref('a') }}"),
        ("models/c.sql", "select * from {{ ref('b') }}"),
        ("models/other.sql", "select 1 as x"),
    ]);
    project.fails(
        1,
        &["run"],
        &["division by zero", "model `a` was not built"],
    );
    assert_eq!(
        project.statuses(),
        "a=error b=skipped c=skipped other=success"
    );
    project.no_leftovers();
}

#[test]
fn fail_fast_starts_nothing_after_the_first_failure() {
    let project = Project::new(&[
        ("models/a.sql", "select 1/0 as x"),
        (
            "models/z1.sql",
            "-- depends_on: {{ ref('y') }}\nselect 1 as x",
        ),
        (
            "models/y.sql",
            "{{ config(materialized='table') }} select 1 as x from pg_sleep(0.5)",
        ),
    ]);
    project.fails(1, &["run", "--fail-fast", "--threads", "2"], &[]);
    assert_eq!(project.statuses(), "a=error y=success z1=skipped");
}

const TESTED: [(&str, &str); 5] = [
    (
        "models/a.sql",
        "select g as id from generate_series(1, 3) g",
    ),
    ("models/b.sql", "select id from {{ ref('a') }}"),
    ("models/c.sql", "select id from {{ ref('b') }}"),
    ("models/d.sql", "select id from {{ ref('c') }}"),
    ("models/e.sql", "select id from {{ ref('b') }}"),
];

#[test]
fn a_failing_test_holds_back_descendants_but_not_what_it_needs() {
    let project = Project::new(&TESTED);
    // It reads a and c, so b and c are built for it; d and e stand behind its parents.
    project.write(
        "tests/a_is_c.sql",
        "select a.id from {{ ref('a') }} a join {{ ref('c') }} c using (id)",
    );
    let ran = project.fails(1, &["build"], &["test `a_is_c` failed"]);
    assert_eq!(
        project.statuses(),
        "a=success a_is_c=fail b=success c=success d=skipped e=skipped",
        "{}",
        ran.stderr
    );
    project.fails(1, &["test"], &["a_is_c"]);
    project.ok(&["run"]);
    // A warning holds nothing back.
    project.write(
        "tests/a_is_c.sql",
        "{{ config(severity='warn') }} select a.id from {{ ref('a') }} a join {{ ref('c') }} c \
         using (id)",
    );
    project.ok(&["build"]);
    assert_eq!(
        project.statuses(),
        "a=success a_is_c=warn b=success c=success d=success e=success"
    );
}

#[test]
fn thresholds_where_and_limit_decide_a_test() {
    for (config, status) in [
        ("", "fail"),
        ("severity='warn'", "warn"),
        ("warn_if='> 5', error_if='> 5'", "pass"),
        ("warn_if='> 1', error_if='> 3'", "warn"),
        ("warn_if='> 1', error_if='>= 3'", "fail"),
        ("severity='warn', error_if='>= 3'", "warn"),
        ("limit=2, error_if='> 2', warn_if='> 2'", "pass"),
        (
            "fail_calc='max(id)', error_if='> 3', warn_if='!= 3'",
            "pass",
        ),
    ] {
        let project = Project::new(&TESTED[..1]);
        project.write(
            "tests/t.sql",
            &format!("{{{{ config({config}) }}}} select id from {{{{ ref('a') }}}}"),
        );
        project.ok(&["run"]);
        let code = i32::from(status == "fail");
        project.fails(code, &["test"], &[]);
        assert_eq!(project.statuses(), format!("t={status}"), "{config}");
    }
    let project = Project::new(&TESTED[..1]);
    project.write(
        "models/a.yml",
        "version: 2\nmodels:\n  - name: a\n    columns:\n      - name: id\n        tests:\n          \
         - accepted_values: {values: [1, 2], config: {where: 'id < 3'}}\n",
    );
    project.ok(&["build"]);
}

#[test]
fn exit_codes_tell_a_failed_node_from_a_wrong_project() {
    let project = Project::new(&[("models/a.sql", "select * from {{ ref('nobody') }}")]);
    project.fails(2, &["run"], &["nobody"]);
    project.fails(2, &["run", "--no-such-flag"], &[]);
    project.write("models/a.sql", "select no_column");
    project.fails(1, &["run"], &["no_column"]);
    project.write("models/a.sql", "select 1 as x");
    project.ok(&["run"]);
}

#[test]
fn ctrl_c_leaves_what_is_published_and_says_so() {
    let project = Project::new(&[
        (
            "models/a.sql",
            "{{ config(materialized='table') }} select 1 as x",
        ),
        (
            "models/b.sql",
            "{{ config(materialized='table') }} select x from {{ ref('a') }}",
        ),
    ]);
    project.ok(&["run"]);
    project.write(
        "models/a.sql",
        "{{ config(materialized='table') }} select 2 as x from pg_sleep(600)",
    );
    let child = project.spawn(&["run"]);
    project.wait_for("select 1 from pg_stat_activity where state = 'active' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()");
    kill(child.id(), "INT");
    let ran = Ran::of(child.wait_with_output().expect("ends"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("ancelled"), "{}", ran.stderr);
    assert!(ran.stderr.contains("shop.a"), "{}", ran.stderr);
    assert_eq!(project.rows("select x from shop.b"), "1");
    assert_eq!(
        project.rows("select count(*) from pg_stat_activity where query like '%pg_sleep(600)%' and state = 'active' and pid <> pg_backend_pid()"),
        "0"
    );
    project.no_leftovers();
}

/// Sends a signal to a process that the test started.
pub(super) fn kill(pid: u32, signal: &str) {
    let status = std::process::Command::new("kill")
        .args([&format!("-{signal}"), &pid.to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success());
}
