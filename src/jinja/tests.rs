//! The engine end to end, without a database.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::*;
use crate::diag::{Diagnostic, SourceMap};
use crate::names::{NodeId, Relation};

/// Answers every name with a relation of the same name.
struct Echo;

impl Names for Echo {
    fn resolve_ref(&self, _: &NodeContext, call: &RefCall) -> Result<Relation, LookupError> {
        if call.name == "missing" {
            return Err(LookupError {
                message: "there is no model `missing`".to_owned(),
                hint: None,
            });
        }
        Ok(Relation::new("db", "main", &call.name))
    }

    fn resolve_source(&self, _: &NodeContext, call: &SourceCall) -> Result<Relation, LookupError> {
        Ok(Relation::new("db", &call.source, &call.table))
    }
}

fn engine(macros: &str) -> (Engine, SourceMap) {
    let sources = SourceMap::default();
    let file = sources.add("macros/all.sql", macros);
    let settings = Settings {
        project_name: "shop".to_owned(),
        target: json!({"schema": "main", "dbname": "db", "name": "dev"}),
        vars: IndexMap::from([(
            "shop".to_owned(),
            IndexMap::from([
                ("days".to_owned(), json!(3)),
                (
                    "events".to_owned(),
                    json!("{{ source('raw', var('table')) }}"),
                ),
                ("table".to_owned(), json!("e{{ var('days') }}")),
                ("itself".to_owned(), json!("{{ var('itself') }}")),
                ("shop".to_owned(), json!({"own": [1]})),
            ]),
        )]),
        ..Settings::default()
    };
    let files = [MacroFile {
        package: "shop".to_owned(),
        file,
    }];
    let engine = Engine::new(settings, &files, sources.clone()).expect("the macros load");
    (engine, sources)
}

fn node(execute: bool) -> NodeContext {
    NodeContext {
        id: NodeId::new("model.shop.m"),
        package: "shop".to_owned(),
        this: Some(Relation::new("db", "main", "m")),
        model: json!({"name": "m"}),
        config: IndexMap::from([("materialized".to_owned(), json!("table"))]),
        extra: IndexMap::new(),
        execute,
    }
}

fn try_render(macros: &str, text: &str) -> Result<String, (Diagnostic, SourceMap)> {
    let (engine, sources) = engine(macros);
    let file = sources.add("models/m.sql", text);
    let template = Template {
        file,
        text: Arc::from(text),
        first_line: 1,
    };
    match engine.render(node(true), &template, Arc::new(Echo), None) {
        Ok(rendered) => Ok(rendered.text),
        Err(diagnostic) => Err((diagnostic, sources)),
    }
}

#[track_caller]
fn render(macros: &str, text: &str) -> String {
    try_render(macros, text).unwrap_or_else(|(d, _)| panic!("{d:#?}"))
}

/// The path and line of a diagnostic's first label.
fn first_place((diagnostic, sources): &(Diagnostic, SourceMap)) -> (String, usize) {
    let span = diagnostic.labels[0].span;
    let file = sources.file(span.file);
    (
        file.path.display().to_string(),
        file.line_column(span.start).0,
    )
}

#[test]
fn a_model_renders_its_refs_sources_vars_and_config() {
    let text = "{{ config(materialized='table') }}\nselect {{ var('days') }} from {{ ref('a') }}\n\
                join {{ source('raw', 'b') }} on {{ config.get('materialized') }}";
    assert_eq!(
        render("", text),
        "\nselect 3 from \"db\".\"main\".\"a\"\njoin \"db\".\"raw\".\"b\" on table"
    );
}

#[test]
fn macros_call_each_other_with_defaults_and_return_values() {
    let macros = "{% macro cents(c, scale=2) %}({{ c }} / 100)::numeric(16, {{ scale }}){% endmacro %}\n\
                  {% macro items(n) %}{% set out = [] %}{% for i in range(n) %}{% do out.append(i * 2) %}{% endfor %}{{ return(out) }}{% endmacro %}";
    assert_eq!(
        render(macros, "{{ cents('x') }}"),
        "(x / 100)::numeric(16, 2)"
    );
    assert_eq!(
        render(macros, "{{ items(3) }} {{ shop.items(2) | length }}"),
        "[0, 2, 4] 2"
    );
}

#[test]
fn a_call_block_reaches_a_macro_of_another_file() {
    let macros = "{% macro wrap(n) %}<{{ caller(n) }}>{% endmacro %}";
    assert_eq!(
        render(macros, "{% call(x) wrap(7) %}{{ x + 1 }}{% endcall %}"),
        "<8>"
    );
}

#[test]
fn varargs_and_kwargs_collect_the_rest() {
    let macros = "{% macro f(a) %}{{ a }} {{ varargs }} {{ kwargs }}{% endmacro %}";
    assert_eq!(render(macros, "{{ f(1, 2, 3, b=4) }}"), "1 (2, 3) {'b': 4}");
}

#[test]
fn dispatch_finds_a_projects_version_before_the_default() {
    let macros =
        "{% macro postgres__generate_alias_name(a, node) %}mine_{{ node.name }}{% endmacro %}";
    assert_eq!(
        render(macros, "{{ generate_alias_name(none, model) }}"),
        "mine_m"
    );
}

#[test]
fn an_error_inside_a_macro_points_at_both_places() {
    let macros = "\n{% macro bad() %}\n  {{ ref('missing') }}\n{% endmacro %}";
    let error = try_render(macros, "select 1\nfrom {{ bad() }}").expect_err("the ref is missing");
    assert_eq!(error.0.message, "there is no model `missing`");
    assert_eq!(first_place(&error), ("macros/all.sql".to_owned(), 3));
    let second = error.0.labels[1].span;
    let file = error.1.file(second.file);
    assert_eq!(file.path.display().to_string(), "models/m.sql");
    assert_eq!(file.line_column(second.start).0, 2);
}

#[test]
fn an_unknown_macro_is_named_with_the_nearest_one() {
    let error = try_render("{% macro cents(x) %}{% endmacro %}", "\n{{ cent(1) }}")
        .expect_err("it is unknown");
    assert_eq!(error.0.message, "`cent` is not defined");
    assert_eq!(error.0.hint.as_deref(), Some("did you mean `cents`?"));
    assert_eq!(first_place(&error), ("models/m.sql".to_owned(), 2));
}

#[test]
fn an_unknown_macro_of_a_package_is_named() {
    let error = try_render("{% macro cents(x) %}{% endmacro %}", "{{ shop.cent(1) }}")
        .expect_err("it is unknown");
    assert_eq!(error.0.message, "package `shop` has no macro `cent`");
}

#[test]
fn a_syntax_error_points_at_its_line() {
    let error = try_render("", "select 1\n{{ ref('a' }}").expect_err("it is not closed");
    assert_eq!(first_place(&error), ("models/m.sql".to_owned(), 2));
}

#[test]
fn endless_recursion_is_an_error() {
    let macros = "{% macro f() %}{{ f() }}{% endmacro %}";
    assert!(try_render(macros, "{{ f() }}").is_err());
}

#[test]
fn a_scan_collects_configs_refs_sources_and_macros() {
    let (engine, sources) = engine("{% macro up() %}{{ ref('b') }}{% endmacro %}");
    let text = "{{ config(materialized='view', tags=['x']) }}\nselect * from {{ ref('a') }}\n\
                join {{ source('raw', 't') }} {{ up() }} {{ ref('pkg', 'c', v=2) }}";
    let file = sources.add("models/m.sql", text);
    let scan = engine.scan(node(false), file).expect("it scans");
    let refs: Vec<(&str, usize)> = scan
        .refs
        .iter()
        .map(|(r, l)| (r.name.as_str(), *l))
        .collect();
    assert_eq!(refs, [("a", 2), ("b", 2), ("c", 3)]);
    assert_eq!(scan.refs[2].0.version.as_deref(), Some("2"));
    assert_eq!(scan.sources[0].1, 3);
    assert_eq!(scan.configs[0]["tags"], json!(["x"]));
    assert_eq!(scan.macros, ["macro.shop.up"]);
}

#[test]
fn at_parse_time_what_is_undefined_has_undefined_attributes() {
    let (engine, sources) = engine("");
    let text = "{% set r = run_query('select 1') %}{{ r.columns[0].values() }}{{ nothing.at.all }}";
    let file = sources.add("models/m.sql", text);
    engine.scan(node(false), file).expect("it scans");
}

#[test]
fn a_macro_is_called_from_outside_with_its_value() {
    let (engine, _) = engine("{% macro f(a, b=2) %}{{ return({'x': a + b}) }}{% endmacro %}");
    let args = [
        (None, Arg::Json(json!(1))),
        (Some("b"), Arg::Json(json!(5))),
    ];
    let output = engine
        .call_macro(node(true), "shop.f", &args, Arc::new(Echo), None)
        .expect("it is called");
    assert_eq!(output.value, json!({"x": 6}));
    let args = [
        (None, Arg::Json(Json::from("stage"))),
        (None, Arg::Json(json!({}))),
    ];
    let output = engine
        .call_macro(
            node(true),
            "generate_schema_name",
            &args,
            Arc::new(Echo),
            None,
        )
        .expect("it is called");
    assert_eq!(output.text.trim(), "main_stage");
}

#[test]
fn two_macros_of_one_name_are_refused() {
    let sources = SourceMap::default();
    let file = sources.add(
        "a.sql",
        "{% macro a() %}{% endmacro %}\n{% macro a() %}{% endmacro %}",
    );
    let files = [MacroFile {
        package: "shop".to_owned(),
        file,
    }];
    let errors = Engine::new(Settings::default(), &files, sources).expect_err("there are two");
    assert_eq!(errors[0].labels.len(), 2);
}

#[test]
fn the_line_map_follows_the_literal_text() {
    let (engine, sources) = engine("");
    let text: Arc<str> =
        Arc::from("{% set x = 1 %}\nselect a\n{% if x %}\nfrom t\n{% endif %}\nwhere b");
    let file = sources.add("models/m.sql", Arc::clone(&text));
    let template = Template {
        file,
        text,
        first_line: 1,
    };
    let rendered = engine
        .render(node(true), &template, Arc::new(Echo), None)
        .expect("it renders");
    let where_line = rendered
        .text
        .lines()
        .position(|l| l == "where b")
        .expect("it is there");
    assert_eq!(rendered.lines[where_line], 6);
}

#[test]
fn every_built_in_macro_compiles() {
    let (engine, _) = engine("");
    assert_eq!(engine.check_macros(), []);
    assert!(engine.macros().len() > 200);
}

#[test]
fn a_broken_macro_is_reported_at_its_line_when_it_is_used() {
    let macros = "\n{% macro bad() %}\n{{ [1 2] }}\n{% endmacro %}";
    let error = try_render(macros, "{{ bad() }}").expect_err("it is broken");
    assert_eq!(first_place(&error), ("macros/all.sql".to_owned(), 3));
}

#[test]
fn dates_are_calculated_and_printed_as_in_python() {
    let text = "{% set d = modules.datetime.datetime.strptime('2024-02-28', '%Y-%m-%d') %}\
                {{ d + modules.datetime.timedelta(days=2, hours=1) }}|{{ d.strftime('%d.%m.%y %H:%M:%S.%f%z') }}|\
                {{ (modules.datetime.date(2024, 3, 1) - modules.datetime.date(2024, 2, 1)).days }}|\
                {{ d < modules.datetime.datetime(2025, 1, 1) }}|{{ d.date() }}|\
                {{ modules.pytz.timezone('Europe/Berlin').localize(d).isoformat() }}|\
                {{ modules.datetime.timedelta(days=1, seconds=61) }}";
    assert_eq!(
        render("", text),
        "2024-03-01 01:00:00|28.02.24 00:00:00.000000|29|True|2024-02-28|\
         2024-02-28T00:00:00+01:00|1 day, 0:01:01"
    );
}

#[test]
fn regular_expressions_work_as_in_python() {
    let text = r"{% set m = modules.re.match('(?P<a>\w+)-(\d+)', 'ab-12 x') %}{{ m.group(1) }} {{ m.group('a') }} {{ m.groups() }}
{{ modules.re.sub('(\d)', '<\\1>', 'a1b2') }} {{ modules.re.findall('[a-z]', 'a1b2') }} {{ modules.re.search('z', 'a') is none }} {{ modules.re.match('B', 'b', modules.re.IGNORECASE) is not none }}";
    assert_eq!(
        render("", text),
        "ab ab ('ab', '12')\na<1>b<2> ['a', 'b'] True True"
    );
}

#[test]
fn pythons_lists_and_dicts_are_shared_and_mutable() {
    let text = "{% set a = [3, 1] %}{% set b = a %}{% do b.append(2) %}{{ a }} {{ a | sort }} {{ a[1:] + ['x'] }}\
                {% set d = {'k': []} %}{% do d['k'].append(1) %}{% do d.update({'z': none}) %} {{ d }} {{ d.pop('z') }} {{ d.items() | list }}";
    assert_eq!(
        render("", text),
        "[3, 1, 2] [1, 2, 3] [1, 2, 'x'] {'k': [1], 'z': None} None [('k', [1])]"
    );
}

#[test]
fn json_and_yaml_are_written_as_python_writes_them() {
    let text = r#"{{ tojson({'a': [1, none], 'b': 'é'}) }} {{ fromjson('{"x": 1}').x }} {{ fromyaml('a: [1]').a }} {{ set([1, 1, 2]) }} {{ zip([1, 2], ['a', 'b']) }} {{ local_md5('x') }}"#;
    assert_eq!(
        render("", text),
        "{\"a\": [1, null], \"b\": \"\\u00e9\"} 1 [1] {1, 2} [(1, 'a'), (2, 'b')] 9dd4e461268c8034f5c8564e155c67a6"
    );
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn template() -> impl Strategy<Value = String> {
        let parts = prop::sample::select(vec![
            "{{ x }}",
            "{{ [1, 'a'][0] }}",
            "{{ {'k': [1]}['k'] + [2] }}",
            "{% set x = 1 + 2 * 3 %}",
            "{% for i in range(3) %}",
            "{% endfor %}",
            "{% if x is defined and x > 2 %}",
            "{% else %}",
            "{% endif %}",
            "{{ ref('a') }}",
            "{{ nope.at.all }}",
            "{{ 'a,b'.split(',')[1:] }}",
            "{% do x.append(1) %}",
            "{{ f(1, b=2) }}",
            "{{ x | map('upper') | list }}",
            "{{ modules.re.match('a', 'b') }}",
            "select 1\n",
        ]);
        prop::collection::vec(parts, 0..20).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn no_template_makes_a_scan_panic(text in template()) {
            let (engine, sources) = engine("{% macro f(a) %}{{ kwargs }}{% endmacro %}");
            let file = sources.add("models/m.sql", text);
            let _ = engine.scan(node(false), file);
        }
    }
}

#[test]
fn sets_are_equal_whatever_the_order() {
    assert_eq!(
        render(
            "",
            "{{ set(['a', 'b']) == set(['b', 'a']) }} {{ set([1]) == set([2]) }}"
        ),
        "True False"
    );
}

#[test]
fn what_is_undefined_at_parsing_has_no_length_after_a_return() {
    let macros = "{% macro inner() %}{% if execute %}{% set v = [1] %}{% endif %}{{ return(v) }}{% endmacro %}\
                  {% macro outer() %}{{ return(inner()) }}{% endmacro %}";
    let (engine, sources) = engine(macros);
    let file = sources.add("models/m.sql", "{{ ref('m' ~ (outer() | length)) }}");
    let scan = engine.scan(node(false), file).expect("it scans");
    assert_eq!(scan.refs[0].0.name, "m0");
}

#[test]
fn the_last_day_of_pythons_calendar_has_a_timestamp() {
    let text =
        "{{ modules.datetime.datetime(9999, 12, 31, 23, 59, 59).timestamp() > 253402207200 }}";
    assert_eq!(render("", text), "True");
}

#[test]
fn a_var_is_itself_a_template_and_says_whether_it_is_there() {
    assert_eq!(
        render("", "select * from {{ var('events') }}"),
        "select * from \"db\".\"raw\".\"e3\""
    );
    // What a project says under a package's name counts for that package, its own name included.
    assert_eq!(render("", "{{ var('own') }}"), "[1]");
    assert_eq!(
        render("", "{{ var.has_var('own') }} {{ var.has_var('none') }}"),
        "True False"
    );
    let (wrong, _) = try_render("", "{{ var('itself') }}").expect_err("it never ends");
    assert!(
        wrong.message.contains("asks for itself"),
        "{}",
        wrong.message
    );
}

#[test]
fn what_a_template_puts_into_its_context_is_there_for_macros() {
    let macros = "{% macro keep(v) %}{% do context.update({'kept': v}) %}{% endmacro %}\n\
                  {% macro look() %}{{ context.get('kept', 'nothing') }}{% endmacro %}";
    assert_eq!(render(macros, "{{ keep(7) }}{{ look() }}"), "7");
    assert_eq!(
        render(macros, "{{ context.get('kept', 'nothing') }}"),
        "nothing"
    );
}

#[test]
fn blanks_beyond_ascii_are_blanks_inside_of_tags() {
    let text = "{%\u{a0}set x\u{a0}= 1 %}{{ x\u{2003}~\u{a0}'a\u{a0}b' }}";
    assert_eq!(render("", text), "1a\u{a0}b");
}

#[test]
fn packages_look_into_the_project_at_run_time() {
    assert_eq!(
        render(
            "",
            "{{ builtins.ref.config.dependencies['shop'].project_name }}"
        ),
        "shop"
    );
    let macros = "{% macro a() %}1{% endmacro %}";
    assert_eq!(
        render(
            macros,
            "{{ context.get('shop', {}).get('a')() }} {{ shop.get('b') }}"
        ),
        "1 None"
    );
}
