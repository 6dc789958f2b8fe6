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

#[test]
fn what_is_no_boolean_and_what_is_no_number_is_refused() {
    let p = Project::new(&[(
        "models/score.sql",
        "{{ config(materialized='logistic_regression') }}
         select 1 as label, true as is_train, 1 as f_one",
    )]);
    p.fails(1, &["run"], &["`label`", "of type integer", "boolean"]);
    p.write(
        "models/score.sql",
        "{{ config(materialized='logistic_regression') }}
         select true as label, true as is_train, 'x'::text as f_one",
    );
    p.fails(1, &["run"], &["the feature `f_one`", "of type text"]);
}

#[test]
fn the_contract_of_a_regression_is_kept() {
    let contract = |kind: &str| {
        format!(
            "models: [{{name: score, config: {{contract: {{enforced: true}}}}, columns: [\
             {{name: id, data_type: integer}}, {{name: \"Group's\", data_type: text, quote: true}}, \
             {{name: day, data_type: date}}, {{name: label, data_type: boolean}}, \
             {{name: is_train, data_type: boolean}}, {{name: probability, data_type: {kind}}}, \
             {{name: reasons, data_type: text}}]}}]"
        )
    };
    let p = Project::new(&[
        ("models/score.sql", MODEL),
        ("models/schema.yml", &contract("numeric")),
    ]);
    p.ok(&["build"]);
    p.write("models/schema.yml", &contract("text"));
    p.fails(1, &["build"], &["contract", "probability"]);
}

#[test]
fn odd_numbers_and_many_rows_go_through() {
    let p = Project::new(&[(
        "models/score.sql",
        "{{ config(materialized='logistic_regression') }}
         select n as id, n % 3 = 0 as label, n < 9000 as is_train, n % 3 = 0 as \"f_of \"\"three\"\"\",
                case n % 5 when 0 then null when 1 then 'NaN' when 2 then 'Infinity'
                     when 3 then 1e400 else 1 end::numeric as f_odd,
                (case n % 2 when 0 then 'Infinity' else '1' end)::real as f_real
         from generate_series(1, 10000) as n order by n",
    )]);
    p.ok(&["run"]);
    assert_eq!(
        p.rows(
            "select count(*), count(*) filter (where (probability > 0.5) = label), \
             count(*) filter (where reasons = 'of \"three\" +' || split_part(reasons, '+', 2)) \
             from shop.score"
        ),
        "10000|10000|3333"
    );
}
