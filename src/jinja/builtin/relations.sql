{#- Relations: their names while something is built, and the statements that make, rename and drop them. -#}

{% macro make_intermediate_relation(base_relation, suffix='__dbt_tmp') %}
    {{ return(adapter.dispatch('make_intermediate_relation', 'dbt')(base_relation, suffix)) }}
{% endmacro %}

{% macro default__make_intermediate_relation(base_relation, suffix) %}
    {%- do return(postgres__make_relation_with_suffix(base_relation, suffix, dstring=false)) -%}
{% endmacro %}

{% macro postgres__make_intermediate_relation(base_relation, suffix) %}
    {%- do return(postgres__make_relation_with_suffix(base_relation, suffix, dstring=false)) -%}
{% endmacro %}

{% macro make_temp_relation(base_relation, suffix='__dbt_tmp') %}
    {%- do return(adapter.dispatch('make_temp_relation', 'dbt')(base_relation, suffix)) -%}
{% endmacro %}

{% macro default__make_temp_relation(base_relation, suffix) %}
    {%- do return(postgres__make_temp_relation(base_relation, suffix)) -%}
{% endmacro %}

{#- A temporary table lives in a schema of the session's own, so its name has none. -#}
{% macro postgres__make_temp_relation(base_relation, suffix) %}
    {%- set temp = postgres__make_relation_with_suffix(base_relation, suffix, dstring=true) -%}
    {%- do return(temp.incorporate(path={'database': none, 'schema': none, 'identifier': temp.identifier})) -%}
{% endmacro %}

{% macro make_backup_relation(base_relation, backup_relation_type, suffix='__dbt_backup') %}
    {{ return(adapter.dispatch('make_backup_relation', 'dbt')(base_relation, backup_relation_type, suffix)) }}
{% endmacro %}

{% macro default__make_backup_relation(base_relation, backup_relation_type, suffix) %}
    {%- do return(postgres__make_backup_relation(base_relation, backup_relation_type, suffix)) -%}
{% endmacro %}

{% macro postgres__make_backup_relation(base_relation, backup_relation_type, suffix) %}
    {%- set backup = postgres__make_relation_with_suffix(base_relation, suffix, dstring=false) -%}
    {%- do return(backup.incorporate(type=backup_relation_type)) -%}
{% endmacro %}

{#- Postgres cuts names at 63 characters, so the base gives way to the suffix. -#}
{% macro postgres__make_relation_with_suffix(base_relation, suffix, dstring) %}
    {%- set ending = suffix -%}
    {%- if dstring -%}
        {%- set ending = suffix ~ modules.datetime.datetime.now().strftime('%H%M%S%f') -%}
    {%- endif -%}
    {%- set room = 63 - (ending | length) -%}
    {%- do return(base_relation.incorporate(path={'identifier': base_relation.identifier[:room] ~ ending})) -%}
{% endmacro %}

{% macro get_or_create_relation(database, schema, identifier, type) %}
    {{ return(adapter.dispatch('get_or_create_relation', 'dbt')(database, schema, identifier, type)) }}
{% endmacro %}

{% macro default__get_or_create_relation(database, schema, identifier, type) %}
    {%- set found = adapter.get_relation(database=database, schema=schema, identifier=identifier) -%}
    {%- if found -%}
        {%- do return([true, found]) -%}
    {%- endif -%}
    {%- do return([false, api.Relation.create(database=database, schema=schema, identifier=identifier, type=type)]) -%}
{% endmacro %}

{% macro drop_relation(relation) %}
    {{ return(adapter.dispatch('drop_relation', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__drop_relation(relation) %}
    {%- call statement('drop_relation', auto_begin=false) -%}
        {{ get_drop_sql(relation) }}
    {%- endcall -%}
{% endmacro %}

{% macro drop_relation_if_exists(relation) %}
    {%- if relation is not none -%}
        {%- do adapter.drop_relation(relation) -%}
    {%- endif -%}
{% endmacro %}

{% macro get_drop_sql(relation) %}
    {{ return(adapter.dispatch('get_drop_sql', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__get_drop_sql(relation) %}
    {%- if relation.is_view -%}
        {%- do return(drop_view(relation)) -%}
    {%- elif relation.is_materialized_view -%}
        {%- do return(drop_materialized_view(relation)) -%}
    {%- endif -%}
    {%- do return(drop_table(relation)) -%}
{% endmacro %}

{% macro drop_table(relation) %}
    {{ return(adapter.dispatch('drop_table', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__drop_table(relation) -%}
    drop table if exists {{ relation }} cascade
{%- endmacro %}

{% macro postgres__drop_table(relation) -%}
    drop table if exists {{ relation }} cascade
{%- endmacro %}

{% macro drop_view(relation) %}
    {{ return(adapter.dispatch('drop_view', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__drop_view(relation) -%}
    drop view if exists {{ relation }} cascade
{%- endmacro %}

{% macro postgres__drop_view(relation) -%}
    drop view if exists {{ relation }} cascade
{%- endmacro %}

{% macro drop_materialized_view(relation) %}
    {{ return(adapter.dispatch('drop_materialized_view', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__drop_materialized_view(relation) -%}
    drop materialized view if exists {{ relation }} cascade
{%- endmacro %}

{% macro postgres__drop_materialized_view(relation) -%}
    drop materialized view if exists {{ relation }} cascade
{%- endmacro %}

{% macro truncate_relation(relation) %}
    {{ return(adapter.dispatch('truncate_relation', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__truncate_relation(relation) %}
    {%- call statement('truncate_relation') -%}
        truncate table {{ relation }}
    {%- endcall -%}
{% endmacro %}

{% macro rename_relation(from_relation, to_relation) %}
    {{ return(adapter.dispatch('rename_relation', 'dbt')(from_relation, to_relation)) }}
{% endmacro %}

{% macro default__rename_relation(from_relation, to_relation) %}
    {%- call statement('rename_relation') -%}
        {{ get_rename_sql(from_relation, to_relation.identifier) }}
    {%- endcall -%}
{% endmacro %}

{% macro get_rename_sql(relation, new_name) %}
    {{ return(adapter.dispatch('get_rename_sql', 'dbt')(relation, new_name)) }}
{% endmacro %}

{% macro default__get_rename_sql(relation, new_name) %}
    {%- if relation.is_view -%}
        {%- do return(get_rename_view_sql(relation, new_name)) -%}
    {%- elif relation.is_materialized_view -%}
        {%- do return(get_rename_materialized_view_sql(relation, new_name)) -%}
    {%- endif -%}
    {%- do return(get_rename_table_sql(relation, new_name)) -%}
{% endmacro %}

{% macro get_rename_table_sql(relation, new_name) %}
    {{ return(adapter.dispatch('get_rename_table_sql', 'dbt')(relation, new_name)) }}
{% endmacro %}

{% macro default__get_rename_table_sql(relation, new_name) -%}
    alter table {{ relation }} rename to {{ adapter.quote(new_name) }}
{%- endmacro %}

{% macro postgres__get_rename_table_sql(relation, new_name) -%}
    alter table {{ relation }} rename to {{ adapter.quote(new_name) }}
{%- endmacro %}

{% macro get_rename_view_sql(relation, new_name) %}
    {{ return(adapter.dispatch('get_rename_view_sql', 'dbt')(relation, new_name)) }}
{% endmacro %}

{% macro default__get_rename_view_sql(relation, new_name) -%}
    alter view {{ relation }} rename to {{ adapter.quote(new_name) }}
{%- endmacro %}

{% macro postgres__get_rename_view_sql(relation, new_name) -%}
    alter view {{ relation }} rename to {{ adapter.quote(new_name) }}
{%- endmacro %}

{% macro get_rename_materialized_view_sql(relation, new_name) %}
    {{ return(adapter.dispatch('get_rename_materialized_view_sql', 'dbt')(relation, new_name)) }}
{% endmacro %}

{% macro default__get_rename_materialized_view_sql(relation, new_name) -%}
    alter materialized view {{ relation }} rename to {{ adapter.quote(new_name) }}
{%- endmacro %}

{% macro postgres__get_rename_materialized_view_sql(relation, new_name) -%}
    alter materialized view {{ relation }} rename to {{ adapter.quote(new_name) }}
{%- endmacro %}

{% macro create_schema(relation) %}
    {{ return(adapter.dispatch('create_schema', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__create_schema(relation) %}
    {%- call statement('create_schema') -%}
        create schema if not exists {{ relation.without_identifier() }}
    {%- endcall -%}
{% endmacro %}

{#- A schema is named without its database. `if not exists` asks for the right to create schemas even where there is
    nothing to create, so one that is there is left alone. -#}
{% macro postgres__create_schema(relation) %}
    {%- if not adapter.check_schema_exists(relation.database, relation.schema) -%}
        {%- call statement('create_schema') -%}
            create schema if not exists {{ relation.without_identifier().include(database=false) }}
        {%- endcall -%}
    {%- endif -%}
{% endmacro %}

{% macro drop_schema(relation) %}
    {{ return(adapter.dispatch('drop_schema', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__drop_schema(relation) %}
    {{ return(postgres__drop_schema(relation)) }}
{% endmacro %}

{% macro postgres__drop_schema(relation) %}
    {%- call statement('drop_schema') -%}
        drop schema if exists {{ relation.without_identifier().include(database=false) }} cascade
    {%- endcall -%}
{% endmacro %}

{% macro drop_schema_named(schema_name) %}
    {{ return(adapter.dispatch('drop_schema_named', 'dbt')(schema_name)) }}
{% endmacro %}

{% macro default__drop_schema_named(schema_name) %}
    {%- do adapter.drop_schema(api.Relation.create(database=target.database, schema=schema_name)) -%}
{% endmacro %}

{#- Materialized views. -#}

{% macro get_create_materialized_view_as_sql(relation, sql) %}
    {{ return(adapter.dispatch('get_create_materialized_view_as_sql', 'dbt')(relation, sql)) }}
{% endmacro %}

{% macro default__get_create_materialized_view_as_sql(relation, sql) %}
    {{ return(postgres__get_create_materialized_view_as_sql(relation, sql)) }}
{% endmacro %}

{% macro postgres__get_create_materialized_view_as_sql(relation, sql) -%}
create materialized view if not exists {{ relation }} as {{ sql }};
{% for index in config.get('indexes', []) -%}
{{ get_create_index_sql(relation, index) }};
{% endfor -%}
{%- endmacro %}

{% macro refresh_materialized_view(relation) %}
    {{ return(adapter.dispatch('refresh_materialized_view', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__refresh_materialized_view(relation) -%}
    refresh materialized view {{ relation }}
{%- endmacro %}

{% macro postgres__refresh_materialized_view(relation) -%}
    refresh materialized view {{ relation }}
{%- endmacro %}
