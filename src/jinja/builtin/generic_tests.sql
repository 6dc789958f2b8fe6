{#- Generic tests: each selects the rows that break the rule. The column names of the first four are dbt's. -#}

{% test not_null(model, column_name) %}
    {{ return(adapter.dispatch('test_not_null', 'dbt')(model, column_name)) }}
{% endtest %}

{% macro default__test_not_null(model, column_name) -%}
select {{ '*' if should_store_failures() else column_name }}
from {{ model }}
where {{ column_name }} is null
{%- endmacro %}

{% test unique(model, column_name) %}
    {{ return(adapter.dispatch('test_unique', 'dbt')(model, column_name)) }}
{% endtest %}

{% macro default__test_unique(model, column_name) -%}
select
    {{ column_name }} as unique_field,
    count(*) as n_records
from {{ model }}
where {{ column_name }} is not null
group by {{ column_name }}
having count(*) > 1
{%- endmacro %}

{% test accepted_values(model, column_name, values, quote=True) %}
    {{ return(adapter.dispatch('test_accepted_values', 'dbt')(model, column_name, values, quote)) }}
{% endtest %}

{% macro default__test_accepted_values(model, column_name, values, quote=True) -%}
select value_field, n_records
from (
    select
        {{ column_name }} as value_field,
        count(*) as n_records
    from {{ model }}
    group by {{ column_name }}
) as found
where value_field not in (
    {%- for value in values %}
    {{ "'" ~ (value | string | replace("'", "''")) ~ "'" if quote else value }}{{ ',' if not loop.last }}
    {%- endfor %}
)
{%- endmacro %}

{% test relationships(model, column_name, to, field) %}
    {{ return(adapter.dispatch('test_relationships', 'dbt')(model, column_name, to, field)) }}
{% endtest %}

{% macro default__test_relationships(model, column_name, to, field) -%}
select child.from_field
from (
    select {{ column_name }} as from_field
    from {{ model }}
    where {{ column_name }} is not null
) as child
left join (
    select {{ field }} as to_field
    from {{ to }}
) as parent
    on child.from_field = parent.to_field
where parent.to_field is null
{%- endmacro %}

{#- One row for each combination of the columns that occurs more than once; null counts as a value, so that the grain is total. -#}
{% test grain_unique(model, columns=none, column_name=none) %}
    {{ return(adapter.dispatch('test_grain_unique', 'dbt')(model, columns, column_name)) }}
{% endtest %}

{% macro default__test_grain_unique(model, columns, column_name) -%}
{%- set grain = columns if columns is not none else [column_name] if column_name is not none else [] -%}
{%- if grain is string -%}{%- set grain = [grain] -%}{%- endif -%}
{%- if not grain -%}
    {%- do exceptions.raise_compiler_error('the test grain_unique needs `columns`, a list of the columns that make the grain') -%}
{%- endif -%}
select
    {% for column in grain -%}
    {{ column }},
    {% endfor -%}
    count(*) as n_records
from {{ model }}
group by {{ grain | join(', ') }}
having count(*) > 1
{%- endmacro %}

{#- Rows whose value lies outside of the bounds; an open end is `none`. A null value passes: not_null is a test of its own. -#}
{% test value_between(model, column_name, min_value=none, max_value=none, inclusive=true) %}
    {{ return(adapter.dispatch('test_value_between', 'dbt')(model, column_name, min_value, max_value, inclusive)) }}
{% endtest %}

{% macro default__test_value_between(model, column_name, min_value, max_value, inclusive) -%}
{%- if min_value is none and max_value is none -%}
    {%- do exceptions.raise_compiler_error('the test value_between needs `min_value`, `max_value` or both') -%}
{%- endif -%}
{%- set broken = [] -%}
{%- if min_value is not none -%}
    {%- do broken.append(column_name ~ (' < ' if inclusive else ' <= ') ~ min_value) -%}
{%- endif -%}
{%- if max_value is not none -%}
    {%- do broken.append(column_name ~ (' > ' if inclusive else ' >= ') ~ max_value) -%}
{%- endif -%}
select *
from {{ model }}
where {{ broken | join(' or ') }}
{%- endmacro %}

{#- Rows for which the expression is false or null. With a column, the expression continues it: `column_name expression`. -#}
{% test expression_is_true(model, expression, column_name=none) %}
    {{ return(adapter.dispatch('test_expression_is_true', 'dbt')(model, expression, column_name)) }}
{% endtest %}

{% macro default__test_expression_is_true(model, expression, column_name) -%}
{%- set subject = column_name ~ ' ' if column_name is not none else '' -%}
select *
from {{ model }}
where not coalesce(({{ subject }}{{ expression }}), false)
{%- endmacro %}
