//! `--warn-error`, `--warn-error-options` and the project's `flags:`.

use crate::run::support::Project;

fn project(flags: &str) -> Project {
    let project = Project::new(&[
        ("models/m.sql", "select 1 as id union all select 1"),
        (
            "models/m.yml",
            "models:\n  - name: m\n    columns:\n      - name: id\n        data_tests:\n          - unique: {config: {severity: warn}}\n",
        ),
        ("models/after.sql", "select * from {{ ref('m') }}"),
        (
            "models/loud.sql",
            "{% do exceptions.warn('mind the gap') if execute %}select 1 as id",
        ),
    ]);
    let text = project.read("project.yml");
    project.write(
        "project.yml",
        &format!("{text}models:\n  shop:\n    nowhere:\n      +enabled: true\n{flags}"),
    );
    project
}

#[test]
fn warnings_of_the_project_are_errors_where_that_is_asked_for() {
    let project = project("");
    let ran = project.ok(&["parse"]);
    assert!(ran.stderr.contains("config-unused-path"), "{}", ran.stderr);
    project.fails(
        2,
        &["parse", "--warn-error"],
        &["error[config-unused-path]", "warnings are errors"],
    );
    let options = |text: &'static str| ["parse", "--warn-error-options", text];
    project.ok(&options("{error: all, warn: [UnusedResourceConfigPath]}"));
    project.fails(
        2,
        &options("{include: [UnusedResourceConfigPath]}"),
        &["error[config-unused-path]"],
    );
    let ran = project.ok(&options("{silence: [config-unused-path]}"));
    assert!(!ran.stderr.contains("config-unused-path"), "{}", ran.stderr);
    project.fails(
        2,
        &options("{error: [config-unused-pth]}"),
        &["did you mean config-unused-path?"],
    );
    project.fails(
        2,
        &["parse", "--warn-error", "--warn-error-options", "{}"],
        &["both given"],
    );
    project.fails(
        2,
        &[
            "ls",
            "--select",
            "nobody",
            "--warn-error-options",
            "{error: [NoNodesForSelectionCriteria]}",
        ],
        &["error[selection-empty]"],
    );
}

#[test]
fn a_test_that_would_warn_fails_and_holds_back_what_comes_after() {
    let project = project("");
    project.ok(&["build", "--exclude", "loud"]);
    assert_eq!(
        project.statuses(),
        "after=success m=success unique_m_id=warn"
    );
    let options = "{error: [LogTestResult]}";
    project.fails(
        1,
        &[
            "build",
            "--exclude",
            "loud",
            "--warn-error-options",
            options,
        ],
        &[],
    );
    assert_eq!(
        project.statuses(),
        "after=skipped m=success unique_m_id=fail"
    );
}

#[test]
fn flags_of_the_project_file_count_where_the_command_line_says_nothing() {
    let project = project(
        "flags:\n  warn_error_options: {error: all, silence: [config-unused-path]}\n  fail_fast: true\n  indirect_selection: empty\n",
    );
    project.ok(&["parse"]);
    project.ok(&["build", "--select", "m"]);
    assert_eq!(
        project.statuses(),
        "m=success",
        "indirect_selection is empty"
    );
    let ls = project.ok(&["ls", "--select", "m", "--indirect-selection", "eager"]);
    assert!(ls.stdout.contains("unique_m_id"), "{}", ls.stdout);
    project.ok(&["build", "--select", "after", "--warn-error-options", "{}"]);
}
