//! Sums that mix currencies are warned of where they stand in the model's own file.

use crate::run::support::Project;

#[test]
fn a_sum_over_several_currencies_warns_at_its_line_and_stops_nothing() {
    let p = Project::new(&[
        (
            "models/payments.sql",
            "select 1 as amount, 'USD' as currency, 7 as customer",
        ),
        (
            "models/inner.sql",
            "{{ config(materialized='ephemeral') }}\nselect * from {{ ref('payments') }}",
        ),
        (
            "models/total.sql",
            "{% set x = 1 %}\n{{ config(materialized='table') }}\nselect\n  customer,\n  \
             sum(amount) as total\nfrom {{ ref('inner') }}\ngroup by customer",
        ),
        (
            "models/fine.sql",
            "select currency, sum(amount) as total from {{ ref('payments') }} group by 1",
        ),
        (
            "models/schema.yml",
            "models: [{name: payments, columns: [{name: amount, meta: {money: {currency_column: \
             currency}}}]}]",
        ),
    ]);
    for command in ["run", "build", "compile"] {
        let ran = p.ok(&[command]);
        let said = &ran.stderr;
        assert_eq!(
            said.matches("mixes currencies").count(),
            1,
            "{command}:\n{said}"
        );
        assert!(said.contains("models/total.sql:5"), "{command}:\n{said}");
    }
    p.ok(&["build", "--publish", "together"]);
    p.write(
        "models/schema.yml",
        "models: [{name: payments, columns: [{name: amount, meta: {money: {currency: USD}}}]}]",
    );
    let ran = p.ok(&["run"]);
    assert!(!ran.stderr.contains("mixes currencies"), "{}", ran.stderr);
}
