//! What a unit test gives its model: formats, files, types, overrides.

use super::project;
use crate::run::support::Project;

/// A property file with one unit test of `m`.
fn test(given: &str, expect: &str) -> String {
    format!(
        "
unit_tests:
  - name: t
    model: m
    given:
{given}
    expect: {expect}
"
    )
}

/// A project whose model reads `p`.
fn reading_p(sql: &str, given: &str, expect: &str) -> Project {
    let project = project(sql, &test(given, expect));
    project.write("models/p.sql", "select 1 as a");
    project
}

#[test]
fn rows_may_be_csv_with_nulls_quotes_and_types() {
    let project = reading_p(
        "select id + 1 as id, n * 2 as n, flag and true as flag, day + 1 as day, upper(word) as \
         word, missing from {{ ref('p') }}",
        "      - input: ref('p')
        format: csv
        rows: |
          id,n,flag,day,word,missing
          1,1.50,true,2024-02-28,\"a, b\",
          2,,False,,,",
        "{rows: [{id: 2, n: 3, flag: true, day: 2024-02-29, word: 'A, B', missing: null}, {id: 3, n: null, flag: false, day: null, word: null, missing: null}]}",
    );
    project.ok(&["test"]);
}

#[test]
fn rows_may_come_from_files() {
    let project = Project::new(&[
        (
            "models/m.sql",
            "select a, b from {{ ref('p') }} join {{ ref('q') }} using (a)",
        ),
        ("models/p.sql", "select 1 as a"),
        ("models/q.sql", "select 1 as a, 2 as b"),
        (
            "models/schema.yml",
            &test(
                "      - {input: ref('p'), format: csv, fixture: given_p}
      - {input: ref('q'), format: sql, fixture: given_q}",
                "{format: csv, fixture: wanted}",
            ),
        ),
        ("tests/fixtures/given_p.csv", "a\n1\n2\n"),
        (
            "tests/fixtures/deep/given_q.sql",
            "select {{ 1 + 1 }} as a, 'x'::text as b;\n",
        ),
        ("tests/fixtures/wanted.csv", "a,b\n2,x\n"),
    ]);
    project.ok(&["test"]);
    project.ok(&["build"]);
}

#[test]
fn expected_rows_may_be_a_query() {
    let project = reading_p(
        "select a, now() as t from {{ ref('p') }}",
        "      - {input: ref('p'), format: sql, rows: 'select generate_series(1, 3) as a'}",
        "{format: sql, rows: 'select 1 as \"A\" union all select 2 union all select 3'}",
    );
    project.ok(&["test"]);
}

#[test]
fn a_seed_without_rows_gives_those_of_its_file() {
    let project = project(
        "select code, factor * 2 as twice from {{ ref('codes') }}",
        &test(
            "      - {input: ref('codes')}",
            "{rows: [{code: '01', twice: 3}, {code: '02', twice: null}]}",
        ),
    );
    project.write("seeds/codes.csv", "code,factor\n01,1.5\n02,\n");
    project.ok(&["test"]);
}

#[test]
fn macros_vars_and_environment_are_overridden_for_the_test_alone() {
    let yaml = "
unit_tests:
  - name: t
    model: m
    overrides:
      macros: {today: \"'2024-01-01'::date\", util.rate: 3, is_incremental: true}
      vars: {limit: 7, who: \"{{ 'a' ~ 'b' }}\"}
      env_vars: {REGION: eu}
    given:
      - {input: this, rows: [{a: 1}]}
      - {input: ref('p'), rows: [{a: 1}, {a: 2}]}
    expect: {rows: [{a: 2, d: 2024-01-01, r: 3, l: 7, w: ab, e: eu, inner_day: 2024-01-01}]}
";
    let project = project(
        "{{ config(materialized='incremental') }} select a, {{ today() }} as d, {{ util.rate(1) }} as r, \
         {{ var('limit') }} as l, '{{ var('who') }}' as w, '{{ env_var('REGION') }}' as e, \
         {{ through() }} as inner_day from {{ ref('p') }}
{% if is_incremental() %}where a > (select max(a) from {{ this }}){% endif %}",
        yaml,
    );
    project.write("models/p.sql", "select 1 as a");
    project.write(
        "macros/m.sql",
        "{% macro today() %}current_date{% endmacro %}{% macro through() %}{{ today() }}{% endmacro %}",
    );
    project.write(
        "dbt_packages/util/dbt_project.yml",
        "name: util\nversion: '1.0'\n",
    );
    project.write(
        "dbt_packages/util/macros/r.sql",
        "{% macro rate(x) %}{{ x }}{% endmacro %}",
    );
    project.write("packages.yml", "packages: [{local: dbt_packages/util}]\n");
    let mut command = project.command(&["test", "--vars", "{limit: 1, who: x}"]);
    let ran = crate::run::support::Ran::of(command.env("REGION", "us").output().expect("runs"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut command = project.command(&["run", "--vars", "{limit: 1, who: x}"]);
    command.env("REGION", "us");
    let ran = crate::run::support::Ran::of(command.output().expect("runs"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(project.rows("select r, l, w, e from shop.m"), "1|1|x|us");
}

#[test]
fn types_come_from_the_catalog_then_from_descriptions() {
    let yaml = format!(
        "
sources:
  - name: raw
    tables:
      - name: t
        columns: [{{name: day, data_type: date}}, {{name: big, data_type: bigint}}]
{}",
        test(
            "      - {input: \"source('raw', 't')\", rows: [{id: '7', word: abcdef, day: '2024-03-01'}]}",
            "{rows: [{half: 3, word: abcdef, weekday: 5, big: bigint}]}",
        )
    );
    let project = project(
        "select id / 2 as half, word, extract(dow from day)::int as weekday, \
         pg_typeof(big)::text as big from {{ source('raw', 't') }}",
        &yaml,
    );
    project.sql("create schema raw; create table raw.t (id int, word varchar(3), unused text)");
    project.ok(&["test"]);
}

#[test]
fn odd_names_are_names_like_others() {
    let long = "l".repeat(63);
    let model = format!(
        "select \"a b\" as \"Out \"\"x\"\"\", \"Upper\", lower_one from {{{{ ref('{long}') }}}} \
         cross join {{{{ source('raw', 'Select') }}}}"
    );
    let yaml = format!(
        "
sources: [{{name: raw, tables: [{{name: Select}}]}}]
{}",
        test(
            &format!(
                "      - {{input: \"ref('{long}')\", rows: [{{'a b': 1, Upper: 2}}]}}
      - {{input: \"source('raw', 'Select')\", rows: [{{Lower_One: 3}}]}}"
            ),
            "{rows: [{'Out \"x\"': 1, Upper: 2, LOWER_ONE: 3}]}",
        )
    );
    let project = project(&model, &yaml);
    project.write(&format!("models/{long}.sql"), "select 1 as a");
    project.ok(&["test"]);
}

#[test]
fn values_of_many_types_are_compared_by_value() {
    let project = reading_p(
        "select j, jb, arr, ts at time zone 'UTC' as ts, point(1, 2) as pt, 1.50::numeric(10,2) as n, \
         'ab'::char(5) as c, b'101' as bits, 'NaN'::float8 as f, xmlelement(name x) as x, m from {{ ref('p') }}",
        "      - input: ref('p')
        rows: [{j: {a: [1, 2]}, jb: {b: 1, a: 2}, arr: [1, 2], ts: '2024-01-01T10:00:00+02:00', m: null}]",
        "{rows: [{j: '{\"a\":[1,2]}', jb: '{\"a\": 2, \"b\": 1}', arr: [1, 2], ts: '2024-01-01 08:00', pt: '(1,2)', n: 1.5, c: ab, bits: '101', f: NaN, x: <x/>, m: null}]}",
    );
    project.write(
        "models/p.yml",
        "models: [{name: p, columns: [{name: j, data_type: json}, {name: jb, data_type: jsonb}, {name: m, data_type: int}]}]",
    );
    project.ok(&["test"]);
}

#[test]
fn macros_see_the_columns_of_what_is_given() {
    let project = reading_p(
        "select {% for c in adapter.get_columns_in_relation(ref('p')) %}{{ c.name }} * 2 as {{ c.name }}{{ ', ' \
         if not loop.last }}{% endfor %} from {{ ref('p') }}",
        "      - {input: ref('p'), rows: [{a: 1, b: 2}]}",
        "{rows: [{a: 2, b: 4}]}",
    );
    project.ok(&["test"]);
}

#[test]
fn an_ephemeral_parent_that_is_not_given_is_rendered_through() {
    let project = project(
        "with e as (select * from {{ ref('e') }}) select * from e",
        &test(
            "      - {input: ref('p'), rows: [{a: 4}]}",
            "{rows: [{a: 8}]}",
        ),
    );
    project.write("models/p.sql", "select 1 as a");
    project.write(
        "models/e.sql",
        "{{ config(materialized='ephemeral') }} with x as (select * from {{ ref('p') }}) select a * 2 as a from x",
    );
    project.ok(&["test"]);
    project.write(
        "models/schema.yml",
        &test(
            "      - {input: ref('e'), format: sql, rows: select 5 as a}",
            "{rows: [{a: 5}]}",
        ),
    );
    project.ok(&["test"]);
}

#[test]
fn what_is_read_and_not_given_is_told_with_the_yaml_to_add() {
    let project = project(
        "select * from {{ ref('p') }} join {{ source('raw', 'x') }} using (a)",
        &format!(
            "sources: [{{name: raw, tables: [{{name: x}}]}}]\n{}",
            test("      - {input: ref('p'), rows: [{a: 4}]}", "{rows: []}")
        ),
    );
    project.write("models/p.sql", "select 1 as a");
    project.fails(
        1,
        &["test"],
        &[
            "unit-test-input",
            "does not give source('raw', 'x'), which model `m` reads",
            "- {input: \"source('raw', 'x')\", rows: []}",
        ],
    );
}

#[test]
fn a_column_that_nothing_knows_is_told_with_where_to_put_it() {
    let project = reading_p(
        "select a, missing from {{ ref('p') }}",
        "      - {input: ref('p'), rows: [{a: 4}]}",
        "{rows: []}",
    );
    project.fails(
        1,
        &["test"],
        &[
            "column \"missing\" does not exist",
            "give `missing` in the rows of ref('p')",
            "a integer (guessed)",
        ],
    );
}

#[test]
fn a_value_that_does_not_fit_is_told_with_its_place() {
    let project = reading_p(
        "select a from {{ ref('p') }}",
        "      - input: ref('p')\n        rows:\n          - {a: 4}\n          - {a: many}",
        "{rows: []}",
    );
    project.write(
        "models/p.yml",
        "models: [{name: p, columns: [{name: a, data_type: integer}]}]",
    );
    project.fails(
        1,
        &["test"],
        &[
            "unit-test-rows",
            "models/schema.yml:9:13",
            "column `a` of ref('p') does not fit",
        ],
    );
    project.write(
        "models/schema.yml",
        &test(
            "      - {input: ref('p'), rows: [{a: 4}]}",
            "{rows: [{a: many}]}",
        ),
    );
    project.fails(
        1,
        &["test"],
        &["a value of column `a` of `expect` does not fit"],
    );
    project.write(
        "models/schema.yml",
        &test(
            "      - {input: ref('p'), rows: [{a: 4}]}",
            "{rows: [{aa: 1}]}",
        ),
    );
    project.fails(
        1,
        &["test"],
        &["`expect` names the column `aa`", "did you mean `a`?"],
    );
}

#[test]
fn a_thousand_rows_are_no_trouble() {
    let rows: Vec<String> = (0..2000).map(|i| format!("{{a: {i}}}")).collect();
    let rows = rows.join(", ");
    let project = reading_p(
        "select a from {{ ref('p') }}",
        &format!("      - {{input: ref('p'), rows: [{rows}]}}"),
        &format!("{{rows: [{rows}]}}"),
    );
    project.ok(&["test"]);
}
