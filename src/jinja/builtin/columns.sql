{#- Columns: of relations, of queries, and of contracts. -#}

{% macro get_columns_in_relation(relation) %}
    {{ return(adapter.dispatch('get_columns_in_relation', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__get_columns_in_relation(relation) %}
    {%- do return(adapter.get_columns_in_relation(relation)) -%}
{% endmacro %}

{% macro postgres__get_columns_in_relation(relation) %}
    {%- do return(adapter.get_columns_in_relation(relation)) -%}
{% endmacro %}

{% macro sql_convert_columns_in_relation(table) %}
    {%- set columns = [] -%}
    {%- for row in table -%}
        {%- do columns.append(api.Column(row[0], row[1], row[2], row[3], row[4])) -%}
    {%- endfor -%}
    {%- do return(columns) -%}
{% endmacro %}

{#- A query without rows, which still has its columns. -#}
{% macro get_empty_subquery_sql(select_sql, select_sql_header=none) %}
    {{ return(adapter.dispatch('get_empty_subquery_sql', 'dbt')(select_sql, select_sql_header)) }}
{% endmacro %}

{% macro default__get_empty_subquery_sql(select_sql, select_sql_header=none) -%}
{%- if select_sql_header %}{{ select_sql_header }}
{% endif -%}
select * from (
{{ select_sql }}
) as __dbt_sbq
where false
limit 0
{%- endmacro %}

{% macro get_empty_schema_sql(columns) %}
    {{ return(adapter.dispatch('get_empty_schema_sql', 'dbt')(columns)) }}
{% endmacro %}

{% macro default__get_empty_schema_sql(columns) -%}
select
    {%- for column in columns.values() %}
    cast(null as {{ column.data_type }}) as {{ adapter.quote(column.name) if column.quote else column.name }}{{ ', ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro get_columns_in_query(select_sql) %}
    {{ return(adapter.dispatch('get_columns_in_query', 'dbt')(select_sql)) }}
{% endmacro %}

{% macro default__get_columns_in_query(select_sql) %}
    {%- set table = run_query(get_empty_subquery_sql(select_sql)) -%}
    {%- do return((table.column_names | list) if table else []) -%}
{% endmacro %}

{% macro alter_column_type(relation, column_name, new_column_type) %}
    {{ return(adapter.dispatch('alter_column_type', 'dbt')(relation, column_name, new_column_type)) }}
{% endmacro %}

{% macro default__alter_column_type(relation, column_name, new_column_type) %}
    {%- call statement('alter_column_type') -%}
        {{ get_alter_column_type_sql(relation, column_name, new_column_type) }}
    {%- endcall -%}
{% endmacro %}

{% macro get_alter_column_type_sql(relation, column_name, new_column_type) -%}
{%- set column = adapter.quote(column_name) -%}
alter table {{ relation }} alter column {{ column }} type {{ new_column_type }} using {{ column }}::{{ new_column_type }}
{%- endmacro %}

{% macro alter_relation_add_remove_columns(relation, add_columns=none, remove_columns=none) %}
    {{ return(adapter.dispatch('alter_relation_add_remove_columns', 'dbt')(relation, add_columns, remove_columns)) }}
{% endmacro %}

{% macro default__alter_relation_add_remove_columns(relation, add_columns, remove_columns) %}
    {%- set changes = [] -%}
    {%- for column in add_columns or [] -%}
        {%- do changes.append('add column ' ~ column.quoted ~ ' ' ~ column.data_type) -%}
    {%- endfor -%}
    {%- for column in remove_columns or [] -%}
        {%- do changes.append('drop column ' ~ column.quoted) -%}
    {%- endfor -%}
    {%- if changes -%}
        {%- do run_query('alter table ' ~ relation ~ ' ' ~ (changes | join(', '))) -%}
    {%- endif -%}
{% endmacro %}

{#- Contracts. -#}

{% macro get_table_columns_and_constraints() %}
    {{ return(adapter.dispatch('get_table_columns_and_constraints', 'dbt')()) }}
{% endmacro %}

{% macro default__get_table_columns_and_constraints() -%}
{{ table_columns_and_constraints() }}
{%- endmacro %}

{% macro table_columns_and_constraints() -%}
(
    {%- for part in contract_columns() + contract_constraints() %}
    {{ part }}{{ ',' if not loop.last }}
    {%- endfor %}
)
{%- endmacro %}

{% macro contract_columns() %}
    {%- set parts = [] -%}
    {%- for column in model['columns'].values() -%}
        {%- set name = adapter.quote(column['name']) if column['quote'] else column['name'] -%}
        {%- set words = [name, column['data_type']] -%}
        {%- for constraint in column['constraints'] or [] -%}
            {%- do words.append(constraint_sql(constraint, none) | trim) -%}
        {%- endfor -%}
        {%- do parts.append(words | select | join(' ')) -%}
    {%- endfor -%}
    {%- do return(parts) -%}
{% endmacro %}

{% macro contract_constraints() %}
    {%- set parts = [] -%}
    {%- for constraint in model['constraints'] or [] -%}
        {%- set sql = constraint_sql(constraint, constraint['columns'] or []) | trim -%}
        {%- if sql -%}{%- do parts.append(sql) -%}{%- endif -%}
    {%- endfor -%}
    {%- do return(parts) -%}
{% endmacro %}

{#- A constraint of a column (columns is none) or of the table; empty where it is not created. -#}
{% macro constraint_sql(constraint, columns) -%}
{%- set kind = constraint['type'] -%}
{%- set name = 'constraint ' ~ constraint['name'] ~ ' ' if constraint['name'] else '' -%}
{%- set list = contract_names(columns or []) -%}
{%- set expression = ' ' ~ constraint['expression'] if constraint['expression'] else '' -%}
{%- if constraint['not_created'] -%}
    {%- if constraint['warn_unenforced'] is not false -%}
        {%- do exceptions.warn('the foreign key of ' ~ model.name ~ ' to ' ~ constraint['to'] ~ ' is not created: ' ~ constraint['not_created']) -%}
    {%- endif -%}
{%- elif kind == 'not_null' -%}
    {%- if columns is none -%}
{{ name }}not null{{ expression }}
    {%- else -%}
        {%- set tests = [] -%}
        {%- for column in columns -%}
            {%- do tests.append(contract_names([column]) ~ ' is not null') -%}
        {%- endfor -%}
{{ name }}check ({{ tests | join(' and ') }})
    {%- endif -%}
{%- elif kind in ['unique', 'primary_key'] -%}
{{ name }}{{ 'primary key' if kind == 'primary_key' else 'unique' }}{{ expression }}{{ ' (' ~ list ~ ')' if list }}
{%- elif kind == 'check' and expression -%}
{{ name }}check ({{ constraint['expression'] }})
{%- elif kind == 'foreign_key' -%}
{{ name }}{{ 'foreign key (' ~ list ~ ') ' if list }}references {{ constraint['to'] ~ ' (' ~ (constraint['to_columns'] | join(', ')) ~ ')' if constraint['to'] else constraint['expression'] }}
{%- elif kind == 'custom' and expression -%}
{{ name }}{{ constraint['expression'] }}
{%- endif -%}
{%- endmacro %}

{#- Names of columns as SQL: quoted where the contract says so. -#}
{% macro contract_names(names) -%}
{%- set list = [] -%}
{%- for name in names -%}
    {%- set column = model['columns'].get(name) -%}
    {%- do list.append(adapter.quote(name) if column and column['quote'] else name) -%}
{%- endfor -%}
{%- do return(list | join(', ')) -%}
{%- endmacro %}

{#- Constraints of a view, which Postgres has none of. -#}
{% macro warn_of_view_constraints() -%}
{%- set kinds = [] -%}
{%- for owner in [model] + (model['columns'].values() | list) -%}
    {%- for constraint in owner['constraints'] or [] if constraint['warn_unsupported'] is not false and constraint['type'] not in kinds -%}
        {%- do kinds.append(constraint['type']) -%}
    {%- endfor -%}
{%- endfor -%}
{%- if kinds -%}
    {%- do exceptions.warn('constraints of ' ~ model.name ~ ' are not created, since it is a view: ' ~ (kinds | join(', '))) -%}
{%- endif -%}
{%- endmacro %}

{% macro get_assert_columns_equivalent(sql) %}
    {{ return(adapter.dispatch('get_assert_columns_equivalent', 'dbt')(sql)) }}
{% endmacro %}

{% macro default__get_assert_columns_equivalent(sql) -%}
{{ assert_columns_equivalent(sql) }}
{%- endmacro %}

{#- Fails unless the query's columns have the names and types that the contract declares, in any order. -#}
{% macro assert_columns_equivalent(sql) %}
    {%- set declared = model['columns'] -%}
    {%- if not declared -%}
        {%- do exceptions.raise_contract_error([], []) -%}
    {%- endif -%}
    {%- if execute -%}
        {%- set wanted = contract_query_types(get_empty_schema_sql(declared), none) -%}
        {%- set found = contract_query_types(sql, config.get('sql_header', none)) -%}
        {%- set types = {} -%}
        {%- for column in wanted -%}
            {%- do types.update({column['name']: column['data_type']}) -%}
        {%- endfor -%}
        {%- if wanted | length != found | length -%}
            {%- do exceptions.raise_contract_error(wanted, found) -%}
        {%- endif -%}
        {%- for column in found if types.get(column['name']) != column['data_type'] -%}
            {%- do exceptions.raise_contract_error(wanted, found) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- Names and types of a query's columns, the types as Postgres calls them; precisions and lengths do not count. -#}
{% macro contract_query_types(sql, header) %}
    {%- set names = run_query(get_empty_subquery_sql(sql, header)).column_names | list -%}
    {%- set types = [] -%}
    {%- if names -%}
        {%- set asked = [] -%}
        {%- for name in names -%}
            {%- do asked.append('pg_catalog.pg_typeof(q.' ~ adapter.quote(name) ~ ')::text') -%}
        {%- endfor -%}
        {%- set answer = run_query('select ' ~ (asked | join(', ')) ~ ' from (select 1) as one left join (' ~ get_empty_subquery_sql(sql) ~ ') as q on true') -%}
        {%- for name in names -%}
            {%- do types.append({'name': name, 'data_type': answer.rows[0][loop.index0]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(types) -%}
{% endmacro %}

{% macro get_column_schema_from_query(select_sql, select_sql_header=none) %}
    {%- do return(adapter.get_column_schema_from_query(get_empty_subquery_sql(select_sql, select_sql_header))) -%}
{% endmacro %}

{#- The query with its columns in the order of the contract. -#}
{% macro get_select_subquery(sql) %}
    {{ return(adapter.dispatch('get_select_subquery', 'dbt')(sql)) }}
{% endmacro %}

{% macro default__get_select_subquery(sql) -%}
select {{ adapter.dispatch('get_column_names', 'dbt')() }}
from (
{{ sql }}
) as model_subq
{%- endmacro %}

{% macro default__get_column_names() -%}
{%- for column in model['columns'].values() -%}
{{ adapter.quote(column['name']) if column['quote'] else column['name'] }}{{ ', ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}
