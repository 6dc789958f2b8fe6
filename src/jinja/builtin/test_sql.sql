{#- What surrounds a test's own select: thresholds, `where`, unit tests. -#}

{% macro get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) %}
    {{ return(adapter.dispatch('get_test_sql', 'dbt')(main_sql, fail_calc, warn_if, error_if, limit)) }}
{% endmacro %}

{% macro default__get_test_sql(main_sql, fail_calc, warn_if, error_if, limit) -%}
select
    {{ fail_calc }} as failures,
    {{ fail_calc }} {{ warn_if }} as should_warn,
    {{ fail_calc }} {{ error_if }} as should_error
from (
{{ main_sql }}
{%- if limit is not none %}
limit {{ limit }}
{%- endif %}
) as dbt_internal_test
{%- endmacro %}

{% macro get_where_subquery(relation) %}
    {%- do return(adapter.dispatch('get_where_subquery', 'dbt')(relation)) -%}
{% endmacro %}

{% macro default__get_where_subquery(relation) %}
    {%- set where = config.get('where', '') -%}
    {%- if where -%}
        {%- do return('(select * from ' ~ relation ~ ' where ' ~ where ~ ') dbt_subquery') -%}
    {%- endif -%}
    {%- do return(relation) -%}
{% endmacro %}

{% macro should_store_failures() %}
    {%- set form = config.get('store_failures_as') -%}
    {%- if form -%}
        {%- do return(form | lower != 'ephemeral') -%}
    {%- endif -%}
    {%- set configured = config.get('store_failures') -%}
    {%- if configured is none or configured == '' -%}
        {%- do return(flags.STORE_FAILURES | default(false)) -%}
    {%- endif -%}
    {%- do return(configured) -%}
{% endmacro %}

{% macro get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) %}
    {{ return(adapter.dispatch('get_unit_test_sql', 'dbt')(main_sql, expected_fixture_sql, expected_column_names)) }}
{% endmacro %}

{% macro default__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
{%- set columns = expected_column_names | join(', ') -%}
with actual as (
    select {{ columns }}, {{ dbt.string_literal('actual') }} as {{ adapter.quote('actual_or_expected') }}
    from (
{{ main_sql }}
    ) as _dbt_internal_unit_test_actual
),
expected as (
    select {{ columns }}, {{ dbt.string_literal('expected') }} as {{ adapter.quote('actual_or_expected') }}
    from (
{{ expected_fixture_sql }}
    ) as _dbt_internal_unit_test_expected
)
select * from actual
union all
select * from expected
{%- endmacro %}

{% macro get_fixture_sql(rows, column_name_to_data_types) -%}
{%- set types = column_name_to_data_types if column_name_to_data_types else {} -%}
{%- if not types -%}
    {%- for column in adapter.get_columns_in_relation(this) -%}
        {%- do types.update({column.name | lower: column.data_type}) -%}
    {%- endfor -%}
{%- endif -%}
{%- if not types -%}
    {%- do exceptions.raise_compiler_error('cannot make a fixture of ' ~ model.name ~ ': its relation does not exist yet') -%}
{%- endif -%}
{%- for row in rows -%}
    {%- set given = {} -%}
    {%- for name, value in row.items() -%}
        {%- do given.update({name | lower: value}) -%}
    {%- endfor -%}
    {%- do validate_fixture_rows([given], loop.index) -%}
    {%- for name in given if name not in types -%}
        {%- do exceptions.raise_compiler_error('a fixture of ' ~ model.name ~ ' has the column `' ~ name ~ '`, the relation has not; it has ' ~ (types | list | join(', '))) -%}
    {%- endfor %}
select
    {%- for name, type in types.items() %}
    {{ fixture_value(given.get(name), type) }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{% if not loop.last %}union all{% endif %}
{%- else %}
select
    {%- for name, type in types.items() %}
    cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
limit 0
{%- endfor -%}
{%- endmacro %}

{% macro fixture_value(value, type) -%}
{%- if value is none -%}
cast(null as {{ type }})
{%- elif value is string -%}
cast({{ dbt.string_literal(dbt.escape_single_quotes(value)) }} as {{ type }})
{%- elif value is boolean -%}
cast({{ value | lower }} as {{ type }})
{%- else -%}
cast({{ value }} as {{ type }})
{%- endif -%}
{%- endmacro %}

{% macro get_expected_sql(rows, column_name_to_data_types, column_name_quoted=none) -%}
{%- if not rows -%}
select * from dbt_internal_unit_test_actual limit 0
{%- else -%}
{{ get_fixture_sql(rows, column_name_to_data_types) }}
{%- endif -%}
{%- endmacro %}

{% macro validate_fixture_rows(rows, row_number) %}
    {{ return(adapter.dispatch('validate_fixture_rows', 'dbt')(rows, row_number)) }}
{% endmacro %}

{% macro default__validate_fixture_rows(rows, row_number) %}{% endmacro %}
