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
            {%- do words.append(constraint_sql(constraint, none)) -%}
        {%- endfor -%}
        {%- do parts.append(words | select | join(' ')) -%}
    {%- endfor -%}
    {%- do return(parts) -%}
{% endmacro %}

{% macro contract_constraints() %}
    {%- set parts = [] -%}
    {%- for constraint in model['constraints'] or [] -%}
        {%- set sql = constraint_sql(constraint, constraint['columns'] or []) -%}
        {%- if sql -%}{%- do parts.append(sql) -%}{%- endif -%}
    {%- endfor -%}
    {%- do return(parts) -%}
{% endmacro %}

{% macro constraint_sql(constraint, columns) -%}
{%- set kind = constraint['type'] -%}
{%- set name = 'constraint ' ~ constraint['name'] ~ ' ' if constraint['name'] else '' -%}
{%- set on_columns = ' (' ~ (columns | join(', ')) ~ ')' if columns else '' -%}
{%- set expression = constraint['expression'] or '' -%}
{%- if kind == 'not_null' and columns is none -%}
{{ name }}not null{{ ' ' ~ expression if expression }}
{%- elif kind == 'unique' -%}
{{ name }}unique{{ on_columns }}{{ ' ' ~ expression if expression }}
{%- elif kind == 'primary_key' -%}
{{ name }}primary key{{ on_columns }}{{ ' ' ~ expression if expression }}
{%- elif kind == 'check' and expression -%}
{{ name }}check ({{ expression }})
{%- elif kind == 'foreign_key' -%}
{{ name }}{{ 'foreign key' ~ on_columns ~ ' ' if columns }}references {{ constraint['to'] ~ ' (' ~ (constraint['to_columns'] | join(', ')) ~ ')' if constraint['to'] else expression }}
{%- elif kind == 'custom' and expression -%}
{{ name }}{{ expression }}
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
    {%- for column in declared.values() if not column['data_type'] -%}
        {%- do exceptions.raise_compiler_error('the contract of ' ~ model.name ~ ' gives no data_type for the column `' ~ column['name'] ~ '`') -%}
    {%- endfor -%}
    {%- if execute and declared -%}
        {%- set wanted = {} -%}
        {%- for name, type in contract_query_types(get_empty_schema_sql(declared)) -%}
            {%- do wanted.update({name: type}) -%}
        {%- endfor -%}
        {%- set problems = [] -%}
        {%- set found = {} -%}
        {%- for name, type in contract_query_types(sql) -%}
            {%- do found.update({name: type}) -%}
            {%- if name not in wanted -%}
                {%- do problems.append('`' ~ name ~ '` is selected, but not in the contract') -%}
            {%- elif wanted[name] != type -%}
                {%- do problems.append('`' ~ name ~ '` is ' ~ type ~ ', the contract says ' ~ wanted[name]) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for name in wanted if name not in found -%}
            {%- do problems.append('`' ~ name ~ '` is in the contract, but not selected') -%}
        {%- endfor -%}
        {%- if problems -%}
            {%- do exceptions.raise_compiler_error('the columns of ' ~ model.name ~ ' break its contract: ' ~ (problems | join('; '))) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- Names and types of a query's columns. -#}
{% macro contract_query_types(sql) %}
    {%- set types = [] -%}
    {%- for column in adapter.get_column_schema_from_query(get_empty_subquery_sql(sql)) -%}
        {%- do types.append((column.name, column.data_type)) -%}
    {%- endfor -%}
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
