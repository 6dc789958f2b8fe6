{#- User-defined functions. -#}

{% macro scalar_function_sql(target_relation) %}
    {{ return(adapter.dispatch('scalar_function_sql', 'dbt')(target_relation)) }}
{% endmacro %}

{% macro default__scalar_function_sql(target_relation) -%}
{{ scalar_function_create_replace_signature_sql(target_relation) }}
{{ scalar_function_body_sql() }};
{%- endmacro %}

{% macro scalar_function_create_replace_signature_sql(target_relation) %}
    {{ return(adapter.dispatch('scalar_function_create_replace_signature_sql', 'dbt')(target_relation)) }}
{% endmacro %}

{#- A function is named without its database. -#}
{% macro default__scalar_function_create_replace_signature_sql(target_relation) -%}
create or replace function {{ target_relation.include(database=false) }} ({{ formatted_scalar_function_args_sql() | trim }})
returns {{ model.returns.data_type }}
{{ scalar_function_volatility_sql() | trim }} as
{%- endmacro %}

{% macro formatted_scalar_function_args_sql() %}
    {{ return(adapter.dispatch('formatted_scalar_function_args_sql', 'dbt')()) }}
{% endmacro %}

{% macro default__formatted_scalar_function_args_sql() -%}
{%- for argument in model.arguments -%}
    {{ argument.name }} {{ argument.data_type }}
    {%- if argument.default_value is defined and argument.default_value is not none %} default {{ argument.default_value }}{% endif -%}
    {{ ', ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}

{% macro scalar_function_body_sql() %}
    {{ return(adapter.dispatch('scalar_function_body_sql', 'dbt')()) }}
{% endmacro %}

{% macro default__scalar_function_body_sql() -%}
{%- set quote = '$marts$' if '$$' in model.compiled_code else '$$' -%}
{{ quote }}
{{ model.compiled_code }}
{{ quote }} language sql
{%- endmacro %}

{% macro scalar_function_volatility_sql() %}
    {{ return(adapter.dispatch('scalar_function_volatility_sql', 'dbt')()) }}
{% endmacro %}

{% macro default__scalar_function_volatility_sql() -%}
{%- set volatility = model.config.get('volatility') -%}
{%- if volatility == 'deterministic' -%}
immutable
{%- elif volatility == 'stable' -%}
stable
{%- elif volatility == 'non-deterministic' -%}
volatile
{%- elif volatility -%}
{%- do unsupported_volatility_warning(volatility) -%}
{%- endif -%}
{%- endmacro %}

{% macro unsupported_volatility_warning(volatility) %}
    {{ return(adapter.dispatch('unsupported_volatility_warning', 'dbt')(volatility)) }}
{% endmacro %}

{% macro default__unsupported_volatility_warning(volatility) %}
    {%- do exceptions.warn('function `' ~ model.name ~ '` has the volatility `' ~ volatility ~ '`, which Postgres does not have; write deterministic, stable or non-deterministic') -%}
{% endmacro %}
