//! Materializations that a project or a package writes in Jinja.

use crate::run::support::Project;

/// Makes a table of `this` in dbt's manner, and notes that it ran.
const OWN: &str = r#"
{% materialization noted, adapter='postgres' %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set old = load_cached_relation(this) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% if old is none or should_full_refresh() %}
    {% do adapter.drop_relation(old) if old else none %}
    {% call statement('main') %}
      {{ create_table_as(False, target_relation, sql) }}
    {% endcall %}
  {% else %}
    {% call statement('main') %}
      insert into {{ target_relation }} {{ compiled_code }}
    {% endcall %}
  {% endif %}
  {% do create_indexes(target_relation) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
"#;

const MODEL: &str = "{{ config(materialized='noted', pre_hook='create table if not exists \
                     public.hooked (what text)', post_hook=[\"insert into public.hooked select \
                     '{{ this.identifier }} ' || count(*) from {{ this }}\", {'sql': 'vacuum {{ this }}', \
                     'transaction': false}]) }} select id from {{ ref('base') }}";

#[test]
fn a_projects_own_materialization_builds_with_hooks_and_a_transaction() {
    let project = Project::new(&[
        ("macros/noted.sql", OWN),
        ("models/base.sql", "select 7 as id"),
        ("models/m.sql", MODEL),
        (
            "models/after.sql",
            "select sum(id) as s from {{ ref('m') }}",
        ),
    ]);
    project.ok(&["run"]);
    project.ok(&["run"]);
    assert_eq!(project.rows("select count(*) from shop.m"), "2");
    assert_eq!(project.rows("select s from shop.after"), "14");
    assert_eq!(
        project.rows("select what from public.hooked order by 1"),
        "m 1 m 2"
    );
    assert_eq!(
        project.run_results()["results"][1]["adapter_response"]["rows_affected"],
        1
    );
    project.ok(&["run", "--full-refresh"]);
    assert_eq!(project.rows("select count(*) from shop.m"), "1");
}

#[test]
fn what_it_did_is_rolled_back_when_it_fails_or_does_not_commit() {
    let broken = OWN.replace("{{ adapter.commit() }}", "{% do run_query('select 1/0') %}");
    let project = Project::new(&[
        ("macros/noted.sql", &broken),
        ("models/base.sql", "select 7 as id"),
        ("models/m.sql", MODEL),
    ]);
    project.fails(1, &["run"], &["division by zero", "noted.sql"]);
    assert_eq!(
        project.rows("select to_regclass('shop.m'), to_regclass('public.hooked')"),
        "~|~"
    );
    project.write(
        "macros/noted.sql",
        &OWN.replace("{{ adapter.commit() }}", ""),
    );
    project.write(
        "models/m.sql",
        "{{ config(materialized='noted') }} select id from {{ ref('base') }}",
    );
    let ran = project.ok(&["run"]);
    assert!(ran.stderr.contains("adapter.commit()"), "{}", ran.stderr);
    assert_eq!(project.rows("select to_regclass('shop.m')"), "~");
}

#[test]
fn it_says_which_relations_it_made_and_has_a_main_statement() {
    let project = Project::new(&[(
        "models/m.sql",
        "{{ config(materialized='bad') }} select 1 as id",
    )]);
    let head = "{% materialization bad, default %}";
    let tail = "{% endmaterialization %}";
    project.write(
        "macros/bad.sql",
        &format!("{head}{{{{ return({{'relations': []}}) }}}}{tail}"),
    );
    project.fails(1, &["run"], &["has no statement called `main`"]);
    project.write(
        "macros/bad.sql",
        &format!("{head}{{% call statement('main') %}}select 1{{% endcall %}}{tail}"),
    );
    project.fails(1, &["run"], &["does not say which relations it made"]);
}

/// The root project's `table` counts, a package's does not unless a flag says so.
#[test]
fn a_built_in_one_is_overridden_by_the_project_and_by_packages_only_when_allowed() {
    let table = |what: &str| {
        format!(
            "{{% materialization table, default %}}{{%- do run_query(\"create table if not exists \
             public.{what} (a int)\") -%}}{{{{ return(dbt.materialization_table_default()) \
             }}}}{{% endmaterialization %}}"
        )
    };
    let project = Project::new(&[
        ("packages.yml", "packages:\n  - local: pkg\n"),
        ("pkg/dbt_project.yml", "name: pkg\nversion: '1.0'\n"),
        ("pkg/macros/table.sql", &table("by_package")),
        (
            "models/t.sql",
            "{{ config(materialized='table', indexes=[{'columns': ['id']}]) }} select 1 as id",
        ),
    ]);
    project.ok(&["run"]);
    assert_eq!(
        project.rows("select to_regclass('public.by_package'), count(*) from shop.t"),
        "~|1"
    );
    let text = project.read("project.yml");
    project.write(
        "project.yml",
        &format!("{text}flags:\n  require_explicit_package_overrides_for_builtin_materializations: false\n"),
    );
    project.ok(&["run"]);
    assert_eq!(
        project.rows("select to_regclass('public.by_package') is null, count(*) from shop.t"),
        "f|1"
    );
    project.write("macros/table.sql", &table("by_project"));
    project.write("project.yml", &text);
    project.ok(&["run"]);
    project.ok(&["run"]);
    assert_eq!(
        project.rows("select to_regclass('public.by_project') is null, count(*) from shop.t"),
        "f|1"
    );
    assert_eq!(
        project.rows("select count(*) from pg_indexes where tablename = 't'"),
        "1"
    );
}

#[test]
fn under_other_modes_it_is_published_at_once_with_what_it_reads() {
    let project = Project::published(
        "together",
        &[
            ("macros/noted.sql", OWN),
            ("models/base.sql", "select 7 as id"),
            (
                "models/m.sql",
                "{{ config(materialized='noted') }} select id from {{ ref('base') }}",
            ),
            (
                "models/last.sql",
                "{{ config(materialized='table') }} select id from {{ ref('m') }}",
            ),
            (
                "models/m.yml",
                "models:\n  - name: m\n    columns:\n      - {name: id, data_tests: [not_null]}\n  - name: last\n    columns:\n      - {name: id, data_tests: [unique]}\n",
            ),
        ],
    );
    let ran = project.ok(&["build"]);
    assert!(
        ran.stderr.contains("published immediately"),
        "{}",
        ran.stderr
    );
    assert_eq!(project.rows("select count(*) from shop.last"), "1");
    project.fails(1, &["build"], &[]);
    assert_eq!(
        project.rows("select count(*) from shop.m"),
        "2",
        "it writes by itself"
    );
    assert_eq!(
        project.rows("select count(*) from shop.last"),
        "1",
        "held back by its test"
    );
    project.fails(2, &["build", "--dry-run"], &["which would write"]);
    assert_eq!(project.rows("select count(*) from shop.m"), "2");
}
