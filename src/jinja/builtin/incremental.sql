{#- Statements that bring a delta into an existing table. -#}

{% macro get_incremental_append_sql(arg_dict) %}
    {{ return(adapter.dispatch('get_incremental_append_sql', 'dbt')(arg_dict)) }}
{% endmacro %}

{% macro default__get_incremental_append_sql(arg_dict) %}
    {%- do return(get_insert_into_sql(arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['dest_columns'])) -%}
{% endmacro %}

{% macro get_incremental_delete_insert_sql(arg_dict) %}
    {{ return(adapter.dispatch('get_incremental_delete_insert_sql', 'dbt')(arg_dict)) }}
{% endmacro %}

{% macro default__get_incremental_delete_insert_sql(arg_dict) %}
    {%- do return(get_delete_insert_merge_sql(
        arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['unique_key'],
        arg_dict['dest_columns'], arg_dict['incremental_predicates']
    )) -%}
{% endmacro %}

{% macro get_incremental_merge_sql(arg_dict) %}
    {{ return(adapter.dispatch('get_incremental_merge_sql', 'dbt')(arg_dict)) }}
{% endmacro %}

{% macro default__get_incremental_merge_sql(arg_dict) %}
    {%- do return(get_merge_sql(
        arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['unique_key'],
        arg_dict['dest_columns'], arg_dict['incremental_predicates']
    )) -%}
{% endmacro %}

{% macro get_incremental_insert_overwrite_sql(arg_dict) %}
    {{ return(adapter.dispatch('get_incremental_insert_overwrite_sql', 'dbt')(arg_dict)) }}
{% endmacro %}

{% macro default__get_incremental_insert_overwrite_sql(arg_dict) %}
    {%- do return(get_insert_overwrite_merge_sql(
        arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['dest_columns'], arg_dict['incremental_predicates']
    )) -%}
{% endmacro %}

{#- Without a strategy: delete+insert where there is a key, else append. -#}
{% macro get_incremental_default_sql(arg_dict) %}
    {{ return(adapter.dispatch('get_incremental_default_sql', 'dbt')(arg_dict)) }}
{% endmacro %}

{% macro default__get_incremental_default_sql(arg_dict) %}
    {{ return(postgres__get_incremental_default_sql(arg_dict)) }}
{% endmacro %}

{% macro postgres__get_incremental_default_sql(arg_dict) %}
    {%- if arg_dict['unique_key'] -%}
        {%- do return(get_incremental_delete_insert_sql(arg_dict)) -%}
    {%- endif -%}
    {%- do return(get_incremental_append_sql(arg_dict)) -%}
{% endmacro %}

{#- A batch replaces its span of time: by key where there is one, otherwise by the bounds of the batch. -#}
{% macro get_incremental_microbatch_sql(arg_dict) %}
    {{ return(adapter.dispatch('get_incremental_microbatch_sql', 'dbt')(arg_dict)) }}
{% endmacro %}

{% macro default__get_incremental_microbatch_sql(arg_dict) %}
    {{ return(postgres__get_incremental_microbatch_sql(arg_dict)) }}
{% endmacro %}

{% macro postgres__get_incremental_microbatch_sql(arg_dict) %}
    {%- if arg_dict['unique_key'] -%}
        {%- do return(get_incremental_merge_sql(arg_dict)) -%}
    {%- elif arg_dict['incremental_predicates'] -%}
        {%- do return(get_incremental_insert_overwrite_sql(arg_dict)) -%}
    {%- endif -%}
    {%- do exceptions.raise_compiler_error('the strategy microbatch needs a `unique_key`, or predicates that bound the batch') -%}
{% endmacro %}

{% macro get_insert_into_sql(target_relation, temp_relation, dest_columns) -%}
{%- set columns = get_quoted_csv(dest_columns | map(attribute='name')) -%}
insert into {{ target_relation }} ({{ columns }})
(
    select {{ columns }}
    from {{ temp_relation }}
)
{%- endmacro %}

{% macro get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) %}
    {{ return(adapter.dispatch('get_delete_insert_merge_sql', 'dbt')(target, source, unique_key, dest_columns, incremental_predicates)) }}
{% endmacro %}

{% macro default__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
{%- set columns = get_quoted_csv(dest_columns | map(attribute='name')) -%}
{%- if unique_key -%}
delete from {{ target }} as DBT_INTERNAL_DEST
where {{ key_in_source(source, unique_key) }}
{%- for predicate in incremental_predicates or [] %}
    and {{ predicate }}
{%- endfor %};
{% endif -%}
insert into {{ target }} ({{ columns }})
(
    select {{ columns }}
    from {{ source }}
)
{%- endmacro %}

{#- Whether a row of the target has its key in the source. -#}
{% macro key_in_source(source, unique_key) -%}
{%- if unique_key is string -%}
({{ unique_key }}) in (select distinct {{ unique_key }} from {{ source }})
{%- else -%}
exists (
    select 1
    from {{ source }} as DBT_INTERNAL_SOURCE
    where {% for key in unique_key -%}
    DBT_INTERNAL_SOURCE.{{ key }} = DBT_INTERNAL_DEST.{{ key }}{{ ' and ' if not loop.last }}
    {%- endfor %}
)
{%- endif -%}
{%- endmacro %}

{% macro get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) %}
    {{ return(adapter.dispatch('get_merge_sql', 'dbt')(target, source, unique_key, dest_columns, incremental_predicates)) }}
{% endmacro %}

{% macro default__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
{%- set matches = [] + (incremental_predicates or []) -%}
{%- if unique_key -%}
    {%- for key in ([unique_key] if unique_key is string else unique_key) -%}
        {%- do matches.append('DBT_INTERNAL_SOURCE.' ~ key ~ ' = DBT_INTERNAL_DEST.' ~ key) -%}
    {%- endfor -%}
{%- else -%}
    {%- do matches.append('FALSE') -%}
{%- endif -%}
{%- set columns = get_quoted_csv(dest_columns | map(attribute='name')) -%}
{%- set updated = get_merge_update_columns(
    config.get('merge_update_columns'), config.get('merge_exclude_columns'), dest_columns
) -%}
{{ sql_header_text() -}}
merge into {{ target }} as DBT_INTERNAL_DEST
using {{ source }} as DBT_INTERNAL_SOURCE
on ({{ matches | join(') and (') }})
{% if unique_key and updated -%}
when matched then update set
    {%- for column in updated %}
    {{ column }} = DBT_INTERNAL_SOURCE.{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{% endif -%}
when not matched then insert ({{ columns }})
values (
    {%- for column in dest_columns %}
    DBT_INTERNAL_SOURCE.{{ adapter.quote(column.name) }}{{ ',' if not loop.last }}
    {%- endfor %}
)
{%- endmacro %}

{% macro get_merge_unique_key_match(unique_key) %}
    {%- do return('DBT_INTERNAL_SOURCE.' ~ unique_key ~ ' = DBT_INTERNAL_DEST.' ~ unique_key) -%}
{% endmacro %}

{% macro get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns) %}
    {{ return(adapter.dispatch('get_merge_update_columns', 'dbt')(merge_update_columns, merge_exclude_columns, dest_columns)) }}
{% endmacro %}

{% macro default__get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns) %}
    {%- if merge_update_columns and merge_exclude_columns -%}
        {%- do exceptions.raise_compiler_error('a model cannot have both merge_update_columns and merge_exclude_columns') -%}
    {%- elif merge_update_columns -%}
        {%- do return(merge_update_columns) -%}
    {%- endif -%}
    {%- set excluded = merge_exclude_columns or [] -%}
    {%- set excluded = ([excluded] if excluded is string else excluded) | map('lower') | list -%}
    {%- set kept = [] -%}
    {%- for column in dest_columns if column.column | lower not in excluded -%}
        {%- do kept.append(column.quoted) -%}
    {%- endfor -%}
    {%- do return(kept) -%}
{% endmacro %}

{% macro get_insert_overwrite_merge_sql(target, source, dest_columns, predicates, include_sql_header=false) %}
    {{ return(adapter.dispatch('get_insert_overwrite_merge_sql', 'dbt')(target, source, dest_columns, predicates, include_sql_header)) }}
{% endmacro %}

{% macro default__get_insert_overwrite_merge_sql(target, source, dest_columns, predicates, include_sql_header) -%}
{%- set columns = get_quoted_csv(dest_columns | map(attribute='name')) -%}
delete from {{ target }} as DBT_INTERNAL_DEST
{%- if predicates %}
where {{ predicates | join(' and ') }}
{%- endif %};
insert into {{ target }} ({{ columns }})
(
    select {{ columns }}
    from {{ source }}
)
{%- endmacro %}

{% macro get_quoted_csv(column_names) %}
    {%- set quoted = [] -%}
    {%- for name in column_names -%}
        {%- do quoted.append(adapter.quote(name)) -%}
    {%- endfor -%}
    {%- do return(quoted | join(', ')) -%}
{% endmacro %}

{% macro diff_columns(source_columns, target_columns) %}
    {%- set known = target_columns | map(attribute='column') | list -%}
    {%- set result = [] -%}
    {%- for column in source_columns if column.column not in known -%}
        {%- do result.append(column) -%}
    {%- endfor -%}
    {%- do return(result) -%}
{% endmacro %}

{% macro diff_column_data_types(source_columns, target_columns) %}
    {{ return(adapter.dispatch('diff_column_data_types', 'dbt')(source_columns, target_columns)) }}
{% endmacro %}

{% macro default__diff_column_data_types(source_columns, target_columns) %}
    {%- set result = [] -%}
    {%- for source in source_columns -%}
        {%- set target = (target_columns | selectattr('name', 'equalto', source.name) | list | first) -%}
        {%- if target and target.data_type != source.data_type and not target.can_expand_to(other_column=source) -%}
            {%- do result.append({'column_name': source.name, 'new_type': source.data_type}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(result) -%}
{% endmacro %}

{% macro incremental_validate_on_schema_change(on_schema_change, default='ignore') %}
    {%- if on_schema_change in ['sync_all_columns', 'append_new_columns', 'fail', 'ignore'] -%}
        {%- do return(on_schema_change) -%}
    {%- endif -%}
    {%- do exceptions.warn('on_schema_change is `' ~ on_schema_change ~ '`, which is none of sync_all_columns, append_new_columns, fail, ignore; `' ~ default ~ '` is used') -%}
    {%- do return(default) -%}
{% endmacro %}

{% macro check_for_schema_changes(source_relation, target_relation) %}
    {{ return(adapter.dispatch('check_for_schema_changes', 'dbt')(source_relation, target_relation)) }}
{% endmacro %}

{% macro default__check_for_schema_changes(source_relation, target_relation) %}
    {%- set source_columns = adapter.get_columns_in_relation(source_relation) -%}
    {%- set target_columns = adapter.get_columns_in_relation(target_relation) -%}
    {%- set added = diff_columns(source_columns, target_columns) -%}
    {%- set removed = diff_columns(target_columns, source_columns) -%}
    {%- set retyped = diff_column_data_types(source_columns, target_columns) -%}
    {%- do return({
        'schema_changed': (added or removed or retyped) | length > 0,
        'source_not_in_target': added,
        'target_not_in_source': removed,
        'source_columns': source_columns,
        'target_columns': target_columns,
        'new_target_types': retyped,
    }) -%}
{% endmacro %}

{% macro process_schema_changes(on_schema_change, source_relation, target_relation) %}
    {{ return(adapter.dispatch('process_schema_changes', 'dbt')(on_schema_change, source_relation, target_relation)) }}
{% endmacro %}

{% macro default__process_schema_changes(on_schema_change, source_relation, target_relation) %}
    {%- if on_schema_change == 'ignore' -%}
        {%- do return([]) -%}
    {%- endif -%}
    {%- set changes = check_for_schema_changes(source_relation, target_relation) -%}
    {%- if changes['schema_changed'] -%}
        {%- if on_schema_change == 'fail' -%}
            {%- do exceptions.raise_compiler_error(
                'the columns of ' ~ target_relation ~ ' and of its new rows differ: new '
                ~ (changes['source_not_in_target'] | map(attribute='name') | list) ~ ', gone '
                ~ (changes['target_not_in_source'] | map(attribute='name') | list) ~ ', retyped '
                ~ (changes['new_target_types'] | map(attribute='column_name') | list)
                ~ '. Run once with --full-refresh, or set on_schema_change to append_new_columns or sync_all_columns'
            ) -%}
        {%- endif -%}
        {%- do sync_column_schemas(on_schema_change, target_relation, changes) -%}
    {%- endif -%}
    {%- do return(changes['source_columns']) -%}
{% endmacro %}

{% macro sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}
    {{ return(adapter.dispatch('sync_column_schemas', 'dbt')(on_schema_change, target_relation, schema_changes_dict)) }}
{% endmacro %}

{% macro default__sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}
    {%- set added = schema_changes_dict['source_not_in_target'] -%}
    {%- set removed = schema_changes_dict['target_not_in_source'] if on_schema_change == 'sync_all_columns' else [] -%}
    {%- if added or removed -%}
        {%- do alter_relation_add_remove_columns(target_relation, added, removed) -%}
    {%- endif -%}
    {%- if on_schema_change == 'sync_all_columns' -%}
        {%- for change in schema_changes_dict['new_target_types'] -%}
            {%- do alter_column_type(target_relation, change['column_name'], change['new_type']) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
