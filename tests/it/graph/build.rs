//! What a node is after all that is said of it has been put together.

use marts::graph::Detail;
use marts::project::TestSeverity;
use serde_json::json;

use super::{resolve, resolved};
use crate::project::support::Scratch;

fn problems(scratch: &Scratch) -> String {
    match resolve(scratch) {
        Ok(_) => panic!("the project resolves"),
        Err(problems) => problems,
    }
}

#[test]
fn refs_and_sources_become_parents_in_order_of_first_use() {
    let scratch = Scratch::new()
        .file(
            "models/raw.yml",
            "sources:\n  - name: raw\n    tables: [{name: events}]\n",
        )
        .file("seeds/codes.csv", "code\n1\n")
        .file("models/stg.sql", "select * from {{ source('raw', 'events') }}")
        .file(
            "models/fct.sql",
            "select * from {{ ref('codes') }} join {{ ref('shop', 'stg') }} join {{ ref('codes') }}",
        )
        .file("analyses/look.sql", "select * from {{ ref('fct') }}")
        .file("tests/fct_is_right.sql", "select * from {{ ref('fct') }} where false");
    let project = resolved(&scratch);
    assert_eq!(
        project.parents("model.shop.stg"),
        ["source.shop.raw.events"]
    );
    assert_eq!(
        project.parents("model.shop.fct"),
        ["seed.shop.codes", "model.shop.stg"]
    );
    assert_eq!(project.parents("analysis.shop.look"), ["model.shop.fct"]);
    assert_eq!(
        project.parents("test.shop.fct_is_right"),
        ["model.shop.fct"]
    );
    let source = project.node("source.shop.raw.events").relation.as_ref();
    assert_eq!(
        source.expect("a relation").to_string(),
        r#""d"."raw"."events""#
    );
}

#[test]
fn what_hooks_and_macros_read_counts_as_read() {
    let scratch = Scratch::new()
        .file("models/a.sql", "select 1 as id")
        .file("models/b.sql", "select 1 as id")
        .file("models/c.sql", "select 1 as id")
        .file(
            "macros/m.sql",
            "{% macro from_b() %}{{ ref('b') }}{% endmacro %}",
        )
        .file(
            "models/d.sql",
            "{{ config(post_hook=\"insert into log select * from {{ ref('a') }}\") }}
             select * from {{ from_b() }}
             {# {{ ref('nothing') }} #}
             {% if false %} join {{ ref('c') }} {% endif %}",
        );
    let project = resolved(&scratch);
    // What is rendered alone counts, as in dbt.
    assert_eq!(
        project.parents("model.shop.d"),
        ["model.shop.b", "model.shop.a"]
    );
    assert_eq!(project.node("model.shop.d").macros, ["macro.shop.from_b"]);
}

#[test]
fn config_is_laid_over_config_from_the_project_to_the_model() {
    let scratch = Scratch::new()
        .file(
            "project.yml",
            "name: shop
profile: shop
models:
  +tags: all
  +meta: {owner: us, level: 1}
  shop:
    gold:
      +materialized: table
      +tags: [gold]
      +schema: mart
",
        )
        .file(
            "models/gold/m.yml",
            "models:
  - name: by_property
    config: {materialized: incremental, tags: [yml], meta: {level: 2}}
  - name: by_code
    config: {materialized: incremental}
",
        )
        .file("models/gold/by_folder.sql", "select 1 as id")
        .file("models/gold/by_property.sql", "select 1 as id")
        .file(
            "models/gold/by_code.sql",
            "{{ config(materialized='view', schema='own', alias='other') }} select 1 as id",
        )
        .file("models/plain.sql", "select 1 as id");
    let project = resolved(&scratch);
    let config = |name: &str| &project.node(&format!("model.shop.{name}")).config;
    assert_eq!(config("plain").materialized, "view");
    assert_eq!(config("by_folder").materialized, "table");
    assert_eq!(config("by_property").materialized, "incremental");
    assert_eq!(config("by_code").materialized, "view");
    assert_eq!(config("plain").tags, ["all"]);
    assert_eq!(config("by_property").tags, ["all", "gold", "yml"]);
    assert_eq!(
        json!(config("by_property").meta),
        json!({"owner": "us", "level": 2})
    );
    let relation = |name: &str| {
        let node = project.node(&format!("model.shop.{name}"));
        node.relation.as_ref().expect("a relation").to_string()
    };
    assert_eq!(relation("plain"), r#""d"."s"."plain""#);
    assert_eq!(relation("by_folder"), r#""d"."s_mart"."by_folder""#);
    assert_eq!(relation("by_code"), r#""d"."s_own"."other""#);
}

#[test]
fn the_project_decides_how_schemas_are_named() {
    let scratch = Scratch::new()
        .file(
            "macros/names.sql",
            "{% macro generate_schema_name(custom_schema_name, node) %}
               {{ custom_schema_name or target.schema }}_{{ node.name }}
             {% endmacro %}",
        )
        .file("models/a.sql", "{{ config(schema='own') }} select 1 as id");
    let project = resolved(&scratch);
    let relation = project.node("model.shop.a").relation.as_ref();
    assert_eq!(relation.expect("a relation").schema, "own_a");
}

#[test]
fn generic_tests_have_the_names_and_ids_of_dbt() {
    let scratch = Scratch::new()
        .file("models/stg.sql", "select 1 as id, 1 as code")
        .file("seeds/codes.csv", "code\n1\n")
        .file(
            "models/gold/_gold.yml",
            "models:
  - name: fct
    columns:
      - name: id
        data_tests: [unique, not_null]
      - name: code
        quote: true
        tags: [pii]
        data_tests:
          - relationships: {to: ref('codes'), field: code}
          - accepted_values: {values: [1, 2, 3], config: {severity: warn}}
",
        )
        .file("models/gold/fct.sql", "select * from {{ ref('stg') }}");
    let project = resolved(&scratch);
    // Ids as dbt-core 1.11 gives them for this project.
    let unique = project.node("test.shop.unique_fct_id.b17ca094e5");
    assert_eq!(unique.fqn, ["shop", "gold", "unique_fct_id"]);
    project.node("test.shop.not_null_fct_id.32930a35e7");
    let relationships = "test.shop.relationships_fct__code___code__ref_codes_.deadcfaa68";
    let mut parents = project.parents(relationships);
    parents.sort_unstable();
    assert_eq!(parents, ["model.shop.fct", "seed.shop.codes"]);
    let values = project.node("test.shop.accepted_values_fct__code___1__2__3.ef0f1897bb");
    assert_eq!(values.config.severity, TestSeverity::Warn);
    assert_eq!(project.graph().tags(values), ["pii"]);
    let Detail::GenericTest(test) = &values.detail else {
        panic!("a generic test");
    };
    assert_eq!(test.arguments["column_name"], json!("\"code\""));
    assert_eq!(project.graph().node(test.attached).name, "fct");
}

#[test]
fn disabled_nodes_are_known_but_not_in_the_graph() {
    let scratch = Scratch::new()
        .file("models/a.sql", "{{ config(enabled=false) }} select 1 as id")
        .file(
            "models/a.yml",
            "models:
  - name: a
    columns: [{name: id, data_tests: [unique]}]
",
        )
        .file("models/b.sql", "select 1 as id");
    let project = resolved(&scratch);
    assert_eq!(project.graph().nodes().len(), 1);
    let mut disabled = project.graph().disabled();
    assert_eq!(disabled.next().map(|node| node.name.as_str()), Some("a"));
    let scratch = scratch.file("models/c.sql", "select * from {{ ref('a') }}");
    let problems = problems(&scratch);
    assert!(problems.contains("`a` is disabled"), "{problems}");
    assert!(problems.contains("models/c.sql:1"), "{problems}");
}

#[test]
fn snapshots_stand_under_their_file_and_analyses_under_theirs() {
    let scratch = Scratch::new()
        .file("models/a.sql", "select 1 as id")
        .file("analyses/deep/look.sql", "select 1")
        .file(
            "snapshots/hist.sql",
            "{% snapshot hist %}
{{ config(target_schema='snap', unique_key='id', strategy='check', check_cols=['id']) }}
select * from {{ ref('a') }}
{% endsnapshot %}",
        );
    let project = resolved(&scratch);
    let snapshot = project.node("snapshot.shop.hist");
    assert_eq!(snapshot.fqn, ["shop", "hist", "hist"]);
    let relation = snapshot.relation.as_ref().expect("a relation");
    assert_eq!(relation.to_string(), r#""d"."snap"."hist""#);
    assert_eq!(project.parents("snapshot.shop.hist"), ["model.shop.a"]);
    let analysis = project.node("analysis.shop.look");
    assert_eq!(analysis.fqn, ["shop", "analysis", "deep", "look"]);
}

#[test]
fn descriptions_show_their_docs_blocks() {
    let scratch = Scratch::new()
        .file("models/a.sql", "select 1 as id")
        .file(
            "models/docs.md",
            "{% docs a %} All *orders*. {% enddocs %}\n{% docs id %}The key{% enddocs %}",
        )
        .file(
            "models/a.yml",
            "models:
  - name: a
    description: \"See: {{ doc('a') }}\"
    columns: [{name: id, description: \"{{ doc('shop', 'id') }}\"}]
",
        );
    let project = resolved(&scratch);
    let node = project.node("model.shop.a");
    assert_eq!(node.description, "See: All *orders*.");
    assert_eq!(node.columns["id"].description, "The key");
}

#[test]
fn exposures_need_what_they_name() {
    let exposure = |needs: &str| {
        format!(
            "exposures:
  - name: dash
    type: dashboard
    owner: {{name: Ann}}
    depends_on:
      - {needs}
"
        )
    };
    let scratch = Scratch::new()
        .file("models/gold/a.sql", "select 1 as id")
        .file("models/gold/dash.yml", exposure("ref('a')"));
    let project = resolved(&scratch);
    assert_eq!(project.parents("exposure.shop.dash"), ["model.shop.a"]);
    assert_eq!(
        project.node("exposure.shop.dash").fqn,
        ["shop", "gold", "dash"]
    );
    let scratch = scratch.file("models/gold/dash.yml", exposure("ref('aa')"));
    let problems = problems(&scratch);
    assert!(problems.contains("named `aa`"), "{problems}");
    assert!(problems.contains("models/gold/dash.yml:6"), "{problems}");
}

#[test]
fn every_mistake_is_told_at_once() {
    let scratch = Scratch::new()
        .file("models/a.sql", "select * from {{ ref('b') }}")
        .file("models/b.sql", "select * from {{ ref('a') }}")
        .file("models/c.sql", "select * from {{ ref('nothing_like_it') }}")
        .file("models/d.sql", "select * from {{ source('raw', 'x') }}")
        .file("models/e.sql", "select * from {{ ref('e') }}")
        .file(
            "models/f.sql",
            "{{ config(materialized='tabel') }} select 1 as id",
        );
    let problems = problems(&scratch);
    for expected in [
        "models read one another: a -> b -> a",
        "models read one another: e -> e",
        "named `nothing_like_it`",
        "no source table `raw.x`",
        "unknown materialization `tabel`",
    ] {
        assert!(problems.contains(expected), "{expected}: {problems}");
    }
}

#[test]
fn two_models_may_not_build_one_relation() {
    let scratch = Scratch::new()
        .file("models/a.sql", "select 1 as id")
        .file("models/b.sql", "{{ config(alias='a') }} select 1 as id");
    let shown = problems(&scratch);
    assert!(shown.contains(r#"would both build "d"."s"."a""#), "{shown}");
    let apart = scratch.file(
        "models/b.sql",
        "{{ config(alias='a', schema='other') }} select 1 as id",
    );
    assert_eq!(resolved(&apart).graph().nodes().len(), 2);
}
