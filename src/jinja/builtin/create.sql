{#- Statements that make tables, views and indexes. -#}

{% macro create_table_as(temporary, relation, compiled_code, language='sql') %}
    {{ return(adapter.dispatch('create_table_as', 'dbt')(temporary, relation, compiled_code)) }}
{% endmacro %}

{% macro get_create_table_as_sql(temporary, relation, sql) %}
    {{ return(adapter.dispatch('get_create_table_as_sql', 'dbt')(temporary, relation, sql)) }}
{% endmacro %}

{% macro default__get_create_table_as_sql(temporary, relation, sql) %}
    {{ return(create_table_as(temporary, relation, sql)) }}
{% endmacro %}

{% macro default__create_table_as(temporary, relation, sql) %}
    {{ return(postgres__create_table_as(temporary, relation, sql)) }}
{% endmacro %}

{% macro postgres__create_table_as(temporary, relation, sql) -%}
{%- set kind = 'temporary ' if temporary else 'unlogged ' if config.get('unlogged', default=false) else '' -%}
{%- set name = relation.include(database=false, schema=false) if temporary else relation -%}
{%- set contract = config.get('contract') -%}
{{ sql_header_text() -}}
create {{ kind }}table {{ name }}
{%- if contract and contract.enforced %}
{%- do get_assert_columns_equivalent(sql) %}
{%- endif %}
{%- if contract and contract.enforced and not temporary %}
{{ get_table_columns_and_constraints() }};
insert into {{ name }} (
    {{ adapter.dispatch('get_column_names', 'dbt')() }}
) (
{{ get_select_subquery(sql) }}
);
{%- else %} as (
{{ sql }}
);
{%- endif -%}
{%- endmacro %}

{% macro sql_header_text() -%}
{%- set header = config.get('sql_header', none) -%}
{%- if header %}{{ header }}
{% endif -%}
{%- endmacro %}

{% macro set_sql_header(config) -%}
    {{ config.set('sql_header', caller()) }}
{%- endmacro %}

{% macro create_view_as(relation, sql) %}
    {{ return(adapter.dispatch('create_view_as', 'dbt')(relation, sql)) }}
{% endmacro %}

{% macro get_create_view_as_sql(relation, sql) %}
    {{ return(adapter.dispatch('get_create_view_as_sql', 'dbt')(relation, sql)) }}
{% endmacro %}

{% macro default__get_create_view_as_sql(relation, sql) %}
    {{ return(create_view_as(relation, sql)) }}
{% endmacro %}

{% macro default__create_view_as(relation, sql) -%}
{%- set contract = config.get('contract') -%}
{{ sql_header_text() -}}
create view {{ relation }}
{%- if contract and contract.enforced %}
{%- do get_assert_columns_equivalent(sql) %}
{%- do warn_of_view_constraints() %}
{%- endif %} as (
{{ sql }}
);
{%- endmacro %}

{% macro create_or_replace_view() %}
    {{ exceptions.raise_not_implemented('create_or_replace_view: views are replaced by marts itself') }}
{% endmacro %}

{% macro get_create_index_sql(relation, index_dict) %}
    {{ return(adapter.dispatch('get_create_index_sql', 'dbt')(relation, index_dict)) }}
{% endmacro %}

{% macro default__get_create_index_sql(relation, index_dict) %}
    {{ return(postgres__get_create_index_sql(relation, index_dict)) }}
{% endmacro %}

{#- An index gets its name from what it is, unless the config names it; names are unique in a schema, so the invocation is part of it. -#}
{% macro postgres__get_create_index_sql(relation, index_dict) -%}
{%- set index = adapter.parse_index(index_dict) -%}
{%- set name = index_dict.name if index_dict.name else local_md5(
    relation.render() ~ '|' ~ (index.columns | join(',')) ~ '|' ~ index.unique ~ '|' ~ index.type ~ '|' ~ invocation_id
) -%}
create {{ 'unique ' if index.unique }}index if not exists {{ adapter.quote(name) }}
on {{ relation }} {{ 'using ' ~ index.type ~ ' ' if index.type }}({{ index.columns | join(', ') }})
{%- endmacro %}

{% macro create_indexes(relation) %}
    {{ adapter.dispatch('create_indexes', 'dbt')(relation) }}
{% endmacro %}

{% macro default__create_indexes(relation) %}
    {%- for index in config.get('indexes', default=[]) -%}
        {%- set sql = get_create_index_sql(relation, index) -%}
        {%- if sql -%}{%- do run_query(sql) -%}{%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro get_drop_index_sql(relation, index_name) %}
    {{ return(adapter.dispatch('get_drop_index_sql', 'dbt')(relation, index_name)) }}
{% endmacro %}

{% macro default__get_drop_index_sql(relation, index_name) %}
    {{ return(postgres__get_drop_index_sql(relation, index_name)) }}
{% endmacro %}

{% macro postgres__get_drop_index_sql(relation, index_name) -%}
drop index if exists {{ adapter.quote(relation.schema) }}.{{ adapter.quote(index_name) }}
{%- endmacro %}

{% macro get_show_indexes_sql(relation) %}
    {{ return(adapter.dispatch('get_show_indexes_sql', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__get_show_indexes_sql(relation) %}
    {{ return(postgres__get_show_indexes_sql(relation)) }}
{% endmacro %}

{% macro postgres__get_show_indexes_sql(relation) -%}
select
    index_class.relname as name,
    access_method.amname as method,
    i.indisunique as "unique",
    string_agg(a.attname, ',' order by key.position) as column_names
from pg_catalog.pg_index as i
join pg_catalog.pg_class as index_class on index_class.oid = i.indexrelid
join pg_catalog.pg_am as access_method on access_method.oid = index_class.relam
join pg_catalog.pg_class as table_class on table_class.oid = i.indrelid
join pg_catalog.pg_namespace as n on n.oid = table_class.relnamespace
cross join lateral unnest(i.indkey) with ordinality as key (attnum, position)
join pg_catalog.pg_attribute as a on a.attrelid = table_class.oid and a.attnum = key.attnum
where table_class.relname = '{{ relation.identifier }}'
    and n.nspname = '{{ relation.schema }}'
    and table_class.relkind in ('r', 'p', 'm')
group by 1, 2, 3
order by 1, 2, 3
{%- endmacro %}
