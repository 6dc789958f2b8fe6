{% for text in [
    dbt.type_string(), dbt.type_timestamp(), dbt.dateadd('day', 1, 'x'), dbt.datediff('a', 'b', 'week'), dbt.date_trunc('month', 'x'),
    dbt.safe_cast('x', 'int'), dbt.hash('x'), dbt.split_part('x', "','", -1), dbt.listagg('x', "','", 'order by y', 2), dbt.last_day('x', 'quarter'),
    dbt.any_value('x'), dbt.bool_or('x'), dbt.string_literal(dbt.escape_single_quotes("it's")), dbt.array_construct([1, 2]), dbt.array_construct([], 'int'),
    dbt.position("'a'", 'x'), dbt.replace('x', "'a'", "'b'"), dbt.right('x', 2), dbt.length('x'), dbt.cast_bool_to_text('x'),
    dbt.except(), dbt.intersect(), dbt.current_timestamp(), dbt.generate_series(5), dbt.equals('a', 'b'),
] -%}
-- {{ text | trim }}
{% endfor %}
