//! `model` in templates: the node as the manifest has it.

use crate::run::support::Project;

#[test]
fn a_config_has_its_defaults_and_a_test_knows_what_it_is_attached_to() {
    let project = Project::new(&[
        (
            "models/m.sql",
            "select '{{ model.config.materialized }} {{ model.config.persist_docs }} {{ model.config.access }}' as said",
        ),
        (
            "models/m.yml",
            "models:\n  - name: m\n    data_tests: [is_attached]\n    columns:\n      - name: said\n        data_tests: [not_null]\n",
        ),
        (
            "macros/is_attached.sql",
            "{% test is_attached(model) %}\n\
             {% set node = context['model'] %}\n\
             select 1 as wrong from {{ model }}\n\
             where '{{ node.attached_node }} {{ node.config.severity }} {{ node.config.fail_calc }}' <> 'model.shop.m ERROR count(*)'\n\
             {% endtest %}\n",
        ),
    ]);
    project.ok(&["build"]);
    assert_eq!(project.rows("select said from shop.m"), "view {} protected");
}
