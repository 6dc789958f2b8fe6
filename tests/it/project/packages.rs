//! Installed and local packages.

use super::support::Scratch;

#[test]
fn installed_packages_are_read_after_the_root_project() {
    let scratch = Scratch::new()
        .file(
            "packages.yml",
            "packages:\n  - package: acme/tools\n    version: 1.0.0\n",
        )
        .file(
            "dbt_packages/tools/dbt_project.yml",
            "name: tools\nmodel-paths: [sql]\n",
        )
        .file("dbt_packages/tools/sql/calendar.sql", "select 1")
        .file(
            "dbt_packages/tools/macros/cents.sql",
            "{% macro cents() %}{% endmacro %}",
        );
    let project = scratch.read();
    let names: Vec<&str> = project.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["shop", "tools"]);
    let tools = &project.packages[1];
    assert_eq!(tools.models[0].path, "sql/calendar.sql");
    let shown = &project.sources.file(tools.models[0].file).path;
    assert_eq!(
        shown.to_string_lossy(),
        "dbt_packages/tools/sql/calendar.sql"
    );
}

#[test]
fn local_packages_count_without_being_installed_and_bring_their_own() {
    let scratch = Scratch::new()
        .file("packages.yml", "packages: [{local: lib/one}]\n")
        .file("lib/one/dbt_project.yml", "name: one\n")
        .file("lib/one/packages.yml", "packages: [{local: ../two}]\n")
        .file("lib/two/dbt_project.yml", "name: two\n")
        .file("lib/two/packages.yml", "packages: [{local: ../one}]\n");
    let project = scratch.read();
    let names: Vec<&str> = project.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["shop", "one", "two"]);
}

#[test]
fn an_installed_copy_of_a_local_package_stands() {
    let scratch = Scratch::new()
        .file(
            "packages.yml",
            "packages: [{local: lib/one}, {local: gone}]\n",
        )
        .file("lib/one/dbt_project.yml", "name: tools\n")
        .file("dbt_packages/tools_copy/dbt_project.yml", "name: tools\n")
        .file("dbt_packages/gone/dbt_project.yml", "name: gone\n");
    assert!(scratch.codes().is_empty());
    let project = scratch.read();
    let names: Vec<&str> = project.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["shop", "gone", "tools"]);
}

#[test]
fn folders_under_their_older_keys_are_read() {
    let scratch = Scratch::new()
        .file(
            "dbt_packages/tools/dbt_project.yml",
            "name: tools\nsource-paths: [sql]\ndata-paths: [data]\n",
        )
        .file("dbt_packages/tools/sql/calendar.sql", "select 1");
    let project = scratch.read();
    assert_eq!(project.packages[1].models[0].path, "sql/calendar.sql");
}

#[test]
fn warnings_of_a_package_are_its_authors_business() {
    let scratch = Scratch::new()
        .file(
            "dbt_packages/tools/dbt_project.yml",
            "name: tools\nnmae: x\n",
        )
        .file(
            "dbt_packages/tools/models/a.yml",
            "models: [{name: a, colums: []}]\n",
        );
    assert!(scratch.codes().is_empty());
}

#[test]
fn a_package_sees_its_vars_with_those_of_the_root_project_over_them() {
    let scratch = Scratch::new()
        .file("project.yml", "name: shop\nprofile: shop\nvars: {tools: {b: root}, c: all}\n")
        .file("dbt_packages/tools/dbt_project.yml", "name: tools\nvars: {a: own, b: own, c: own}\n")
        .file(
            "dbt_packages/tools/models/s.yml",
            "sources: [{name: raw, schema: \"{{ var('a') }}_{{ var('b') }}_{{ var('c') }}\", tables: [{name: t}]}]\n",
        );
    let project = scratch.read();
    assert_eq!(
        project.packages[1].properties.sources[0].schema,
        "own_root_all"
    );
}
