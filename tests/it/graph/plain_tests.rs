//! Tests whose scans are kept know the same as those that are scanned.

use marts::graph::ResourceKind;

use super::{Resolved, resolve};
use crate::project::support::Scratch;

/// A project with many tests that are alike.
fn many_alike(macros: &str) -> Scratch {
    let mut scratch = Scratch::new();
    let yaml = "
models:
  - name: a
    columns: [{name: id, data_tests: [not_null, unique, accepted_values: {arguments: {values: [1]}}]}]
  - name: b
    columns:
      - name: id
        data_tests:
          - not_null
          - unique
          - accepted_values: {arguments: {values: [2]}}
          - accepted_values: {name: reads, arguments: {values: \"{{ ref('a') }}\"}}
          - not_null: {name: some, config: {where: id > 1}}
sources:
  - name: raw
    tables:
      - {name: s, columns: [{name: id, data_tests: [not_null]}]}
      - {name: t, columns: [{name: id, data_tests: [not_null]}]}
";
    for (path, text) in [
        ("models/a.sql", "select 1 as id"),
        ("models/b.sql", "select 1 as id"),
        ("models/c.sql", "select 1 as id"),
        ("models/s.yml", yaml),
        ("macros/own.sql", macros),
    ] {
        scratch = scratch.file(path, text);
    }
    scratch
}

/// The name, parents and macros of each generic test.
fn known_of_tests(resolved: &Resolved) -> Vec<(String, Vec<String>, Vec<String>)> {
    let tests = resolved.graph().nodes().map(|(_, node)| node);
    let tests = tests.filter(|node| node.kind == ResourceKind::Test);
    let mut known: Vec<_> = tests
        .map(|node| {
            let parents = resolved.parents(node.id.as_str());
            let parents = parents.into_iter().map(str::to_owned).collect();
            (node.name.clone(), parents, node.macros.clone())
        })
        .collect();
    known.sort();
    known
}

#[test]
fn tests_that_are_alike_know_what_each_tests() {
    let resolved = resolve(&many_alike("")).expect("resolves");
    let known = known_of_tests(&resolved);
    assert_eq!(known.len(), 10);
    for (name, parents, macros) in &known {
        let tested = match name.as_str() {
            "reads" => vec!["model.shop.b", "model.shop.a"],
            "some" => vec!["model.shop.b"],
            "source_not_null_raw_s_id" => vec!["source.shop.raw.s"],
            "source_not_null_raw_t_id" => vec!["source.shop.raw.t"],
            name if name.contains("_a_") => vec!["model.shop.a"],
            _ => vec!["model.shop.b"],
        };
        let sorted = |mut list: Vec<String>| {
            list.sort();
            list
        };
        let tested = tested.into_iter().map(str::to_owned).collect();
        assert_eq!(sorted(parents.clone()), sorted(tested), "{name}");
        let subquery = |id: &String| id.ends_with("get_where_subquery");
        assert!(macros.iter().any(subquery), "{name}: {macros:?}");
    }
}

#[test]
fn tests_that_a_project_has_changed_know_what_the_change_reads() {
    let own = "{% macro default__get_where_subquery(relation) %}\
               {% do ref('c') %}{{ return(relation) }}{% endmacro %}";
    let resolved = resolve(&many_alike(own)).expect("resolves");
    for (name, parents, _) in known_of_tests(&resolved) {
        assert!(
            parents.contains(&"model.shop.c".to_owned()),
            "{name}: {parents:?}"
        );
    }
    let own = "{% test not_null(model, column_name) %}\
               select 1 from {{ model }}, {{ ref('c') }}{% endtest %}";
    let resolved = resolve(&many_alike(own)).expect("resolves");
    for (name, parents, _) in known_of_tests(&resolved) {
        let expected = name.contains("not_null") || name == "some";
        assert_eq!(
            parents.contains(&"model.shop.c".to_owned()),
            expected,
            "{name}"
        );
    }
}
