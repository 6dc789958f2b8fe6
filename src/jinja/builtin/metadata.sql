{#- What exists: schemas, relations, freshness, previews. -#}

{% macro information_schema_name(database) %}{{ return(adapter.dispatch('information_schema_name', 'dbt')(database)) }}{% endmacro %}
{% macro default__information_schema_name(database) %}{{ return('information_schema') }}{% endmacro %}
{% macro postgres__information_schema_name(database) %}{{ return('information_schema') }}{% endmacro %}

{% macro list_schemas(database) %}{{ return(adapter.dispatch('list_schemas', 'dbt')(database)) }}{% endmacro %}
{% macro default__list_schemas(database) %}{{ return(adapter.list_schemas(database)) }}{% endmacro %}
{% macro postgres__list_schemas(database) %}{{ return(adapter.list_schemas(database)) }}{% endmacro %}

{% macro check_schema_exists(information_schema, schema) %}
    {{ return(adapter.dispatch('check_schema_exists', 'dbt')(information_schema, schema)) }}
{% endmacro %}
{% macro default__check_schema_exists(information_schema, schema) %}
    {{ return(adapter.check_schema_exists(information_schema.database, schema)) }}
{% endmacro %}

{% macro list_relations_without_caching(schema_relation) %}
    {{ return(adapter.dispatch('list_relations_without_caching', 'dbt')(schema_relation)) }}
{% endmacro %}
{% macro default__list_relations_without_caching(schema_relation) %}
    {{ return(adapter.list_relations_without_caching(schema_relation)) }}
{% endmacro %}
{% macro postgres__list_relations_without_caching(schema_relation) %}
    {{ return(adapter.list_relations_without_caching(schema_relation)) }}
{% endmacro %}

{% macro collect_freshness(source, loaded_at_field, filter) %}
    {{ return(adapter.dispatch('collect_freshness', 'dbt')(source, loaded_at_field, filter)) }}
{% endmacro %}
{% macro default__collect_freshness(source, loaded_at_field, filter) %}
    {%- call statement('collect_freshness', fetch_result=true, auto_begin=false) -%}
        {{ get_freshness_sql(source, loaded_at_field, filter) }}
    {%- endcall -%}
    {%- do return(load_result('collect_freshness')) -%}
{% endmacro %}

{% macro get_freshness_sql(source, loaded_at_field, filter=none) -%}
select
    max({{ loaded_at_field }}) as max_loaded_at,
    {{ current_timestamp() }} as snapshotted_at
from {{ source }}
{%- if filter %}
where {{ filter }}
{%- endif %}
{%- endmacro %}

{% macro get_limit_subquery_sql(sql, limit) %}
    {{ return(adapter.dispatch('get_limit_sql', 'dbt')(sql, limit)) }}
{% endmacro %}
{% macro default__get_limit_sql(sql, limit) -%}
{{ sql }}
{%- if limit is not none %}
limit {{ limit }}
{%- endif %}
{%- endmacro %}

{% macro get_show_sql(compiled_code, sql_header, limit) -%}
{%- if sql_header %}{{ sql_header }}
{% endif -%}
{{ get_limit_subquery_sql(compiled_code, limit) }}
{%- endmacro %}

{% macro validate_sql(sql) %}{{ return(adapter.dispatch('validate_sql', 'dbt')(sql)) }}{% endmacro %}
{% macro default__validate_sql(sql) %}
    {%- call statement('validate_sql') -%}
        explain {{ sql }}
    {%- endcall -%}
    {%- do return(load_result('validate_sql')) -%}
{% endmacro %}

{% macro resolve_model_name(input_model_name) %}{{ return(adapter.dispatch('resolve_model_name', 'dbt')(input_model_name)) }}{% endmacro %}
{% macro default__resolve_model_name(input_model_name) -%}
    {{ input_model_name | string | replace('"', '\\"') }}
{%- endmacro %}
