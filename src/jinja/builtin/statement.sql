{#- Queries while rendering. -#}

{% macro statement(name=none, fetch_result=false, auto_begin=true, language='sql') %}
    {%- if execute -%}
        {%- set code = caller() -%}
        {%- set response, table = adapter.execute(code, auto_begin=auto_begin, fetch=fetch_result) -%}
        {%- if name is not none -%}
            {{ store_result(name, response=response, agate_table=table) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{% macro noop_statement(name=none, message=none, code=none, rows_affected=none, res=none) %}
    {%- if name is not none -%}
        {{ store_raw_result(name, message=message, code=code, rows_affected=rows_affected, agate_table=res) }}
    {%- endif -%}
{% endmacro %}

{% macro run_query(sql) %}
    {%- call statement('run_query_statement', fetch_result=true, auto_begin=false) -%}
        {{ sql }}
    {%- endcall -%}
    {%- do return(load_result('run_query_statement').table) -%}
{% endmacro %}

{% macro is_incremental() %}
    {%- if not execute -%}
        {%- do return(false) -%}
    {%- endif -%}
    {%- set existing = load_relation(this) -%}
    {%- do return(
        existing is not none
        and existing.type == 'table'
        and config.get('materialized') == 'incremental'
        and not should_full_refresh()
    ) -%}
{% endmacro %}

{% macro should_full_refresh() %}
    {%- set configured = config.get('full_refresh') -%}
    {%- if configured is none or configured == '' -%}
        {%- do return(flags.FULL_REFRESH | default(false)) -%}
    {%- endif -%}
    {%- do return(configured) -%}
{% endmacro %}

{% macro load_relation(relation) %}
    {%- do return(load_cached_relation(relation)) -%}
{% endmacro %}

{% macro load_cached_relation(relation) %}
    {%- do return(adapter.get_relation(
        database=relation.database, schema=relation.schema, identifier=relation.identifier
    )) -%}
{% endmacro %}
