//! What a valid project is read as.

use serde_json::json;

use super::support::Scratch;

#[test]
fn each_file_is_found_by_its_kind() {
    let scratch = Scratch::new()
        .file("models/gold/mart.sql", "select 1")
        .file("models/a.sql", "select 2")
        .file("models/docs.md", "{% docs x %}y{% enddocs %}")
        .file("seeds/rates.csv", "a,b\n1,2\n")
        .file("tests/total.sql", "select 1 where false")
        .file(
            "tests/generic/positive.sql",
            "{% test positive(model) %}{% endtest %}",
        )
        .file(
            "macros/cents.sql",
            "{% macro cents(c) %}{{ c }} / 100{% endmacro %}",
        )
        .file(
            "snapshots/s.sql",
            "{% snapshot s %}select 1{% endsnapshot %}",
        )
        .file("analyses/look.sql", "select 3");
    let project = scratch.read();
    let package = project.root_package();
    let paths = |files: &[marts::project::CodeFile]| {
        files.iter().map(|f| f.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        paths(&package.models),
        ["models/a.sql", "models/gold/mart.sql"]
    );
    assert_eq!(paths(&package.docs), ["models/docs.md"]);
    assert_eq!(paths(&package.singular_tests), ["tests/total.sql"]);
    assert_eq!(
        paths(&package.macros),
        ["macros/cents.sql", "tests/generic/positive.sql"]
    );
    assert_eq!(paths(&package.snapshots), ["snapshots/s.sql"]);
    assert_eq!(paths(&package.analyses), ["analyses/look.sql"]);
    assert_eq!(package.seeds[0].name, "rates");
    assert_eq!(project.target.name, "dev");
    assert_eq!(project.target.schema, "s");
    assert_eq!(project.target.threads, 4);
}

#[test]
fn a_property_file_gives_columns_tests_and_sources() {
    let scratch = Scratch::new().file(
        "models/schema.yml",
        r#"
version: 2
models:
  - name: mart
    description: One row a month {{ doc('x') }}
    config: {tags: [gold], post_hook: "analyze {{ this }}"}
    columns:
      - name: id
        tests:
          - unique
          - not_null:
              config: {severity: "{{ 'warn' if target.name == 'dev' else 'error' }}", where: "{{ recent() }}"}
          - accepted_values:
              arguments: {values: [a, yes], where: "x > 1", config: {severity: warn}}
          - name: short
            test_name: relationships
            to: ref('b')
            field: id
sources:
  - name: raw
    schema: "{{ env_var('RAW') }}"
    tables:
      - name: orders
        identifier: "{{ var('orders', 'o') }}"
        data_tests: [dbt_utils.not_empty]
tests:
  - unique: {column_name: id}
"#,
    );
    let project = scratch.env("RAW", "raw_schema").read();
    let properties = &project.root_package().properties;
    let model = &properties.models[0];
    assert_eq!(model.description, "One row a month {{ doc('x') }}");
    assert_eq!(model.config["post-hook"].value, json!("analyze {{ this }}"));
    let tests = &model.columns[0].tests;
    assert_eq!(tests[0].test.value, "unique");
    assert_eq!(tests[1].config["severity"], json!("warn"));
    assert_eq!(tests[1].config["where"], json!("{{ recent() }}"));
    assert_eq!(tests[2].arguments["values"], json!(["a", true]));
    assert_eq!(tests[2].config["where"], json!("x > 1"));
    assert_eq!(tests[2].config["severity"], json!("warn"));
    assert_eq!(tests[3].name.as_deref(), Some("short"));
    assert_eq!(tests[3].arguments["to"], json!("ref('b')"));
    let table = &properties.sources[0];
    assert_eq!(table.schema, "raw_schema");
    assert_eq!(table.identifier, "o");
    assert_eq!(table.tests[0].test.value, "dbt_utils.not_empty");
}

#[test]
fn a_tree_resolves_from_the_package_down_to_the_model() {
    let scratch = Scratch::new().file(
        "project.yml",
        r#"
name: shop
profile: shop
models:
  +tags: all
  shop:
    materialized: view
    gold:
      +materialized: table
      +tags: [gold]
      mart: {+enabled: no}
"#,
    );
    let project = scratch.read();
    let models = &project.root_package().file.configs.models;
    let config = models.resolve(&["shop", "gold", "mart"]);
    assert_eq!(config["materialized"], json!("table"));
    assert_eq!(config["tags"], json!(["all", "gold"]));
    assert_eq!(config["enabled"], json!(false));
    let other = models.resolve(&["shop", "silver", "x"]);
    assert_eq!(other["materialized"], json!("view"));
}
