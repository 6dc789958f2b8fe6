//! `materialized: logistic_regression`: a table of chances, made and published like any other.

use super::support::Project;

/// Ten rows of each group to learn from, of which three and six are labelled, and one of each to
/// score. The column with a quote and a capital goes through as it is.
const MODEL: &str = "{{ config(materialized='logistic_regression') }}
select
    g * 100 + n as id,
    'g' || g as \"Group's\",
    date '2025-01-01' as day,
    case when n < 10 then n < 3 * (g + 1) end as label,
    n < 10 as is_train,
    g = 1 as f_group,
    null::numeric as f_unknown
from generate_series(0, 1) as g
cross join generate_series(0, 10) as n
order by 1";

const SCHEMA: &str = "models: [{name: score, columns: [{name: id, data_tests: [unique, not_null]}, \
                      {name: probability, data_tests: [not_null, {value_between: {arguments: \
                      {min_value: 0, max_value: 1}}}]}]}]";

#[test]
fn a_regression_is_a_table_with_chances_in_each_publish_mode() {
    for mode in ["immediate", "audited", "together"] {
        let p = Project::published(
            mode,
            &[("models/score.sql", MODEL), ("models/schema.yml", SCHEMA)],
        );
        p.ok(&["build"]);
        p.ok(&["build"]);
        let scored = "select id, \"Group's\", probability between 0.3 and 0.4, reasons from \
                      shop.score where not is_train order by 1";
        assert_eq!(
            p.rows(scored).matches("|t|").count(),
            1,
            "{mode}: {}",
            p.rows(scored)
        );
        assert_eq!(
            p.rows("select count(*), count(label), count(distinct probability) from shop.score"),
            "22|20|2",
            "{mode}"
        );
        let types = "select string_agg(format_type(atttypid, atttypmod), ',' order by attnum) from \
                     pg_attribute where attrelid = 'shop.score'::regclass and attnum > 0";
        assert_eq!(
            p.rows(types),
            "integer,text,date,boolean,boolean,numeric,text"
        );
        // Higher in the group where more were labelled.
        assert!(
            p.rows("select reasons from shop.score where id = 110")
                .starts_with("group +")
        );
    }
}

#[test]
fn a_query_without_a_label_says_what_is_missing_and_one_without_rows_is_an_empty_table() {
    let p = Project::new(&[(
        "models/score.sql",
        "{{ config(materialized='logistic_regression') }} select 1 as id, true as is_train",
    )]);
    p.fails(1, &["run"], &["needs a column `label`"]);
    p.write("models/score.sql", &format!("{MODEL} limit 0"));
    p.ok(&["run"]);
    assert_eq!(p.rows("select count(*) from shop.score"), "0");
    // Nothing to learn from: rows without a chance.
    p.write(
        "models/score.sql",
        &MODEL.replace("n < 10 as is_train", "false as is_train"),
    );
    p.ok(&["run"]);
    assert_eq!(
        p.rows("select count(*), count(probability) from shop.score"),
        "22|0"
    );
}
