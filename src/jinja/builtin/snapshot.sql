{#- Snapshots: how a change is recognised, the rows of a change, and how they enter the table. -#}

{% macro get_snapshot_table_column_names() %}
    {%- do return({
        'dbt_valid_to': 'dbt_valid_to',
        'dbt_valid_from': 'dbt_valid_from',
        'dbt_scd_id': 'dbt_scd_id',
        'dbt_updated_at': 'dbt_updated_at',
        'dbt_is_deleted': 'dbt_is_deleted',
    }) -%}
{% endmacro %}

{#- The names in use: the defaults and what `snapshot_meta_column_names` says. -#}
{% macro snapshot_columns() %}
    {%- set names = get_snapshot_table_column_names() -%}
    {%- do names.update(config.get('snapshot_meta_column_names') or {}) -%}
    {%- do return(names) -%}
{% endmacro %}

{% macro strategy_dispatch(name) %}
    {%- set package = none -%}
    {%- set bare = name -%}
    {%- if '.' in name -%}
        {%- set package, bare = name.split('.', 1) -%}
    {%- endif -%}
    {%- set scope = context[package] if package is not none else context -%}
    {%- set found = scope['snapshot_' ~ bare ~ '_strategy'] if scope else none -%}
    {%- if not found -%}
        {%- do exceptions.raise_compiler_error('there is no snapshot strategy `' ~ name ~ '`: define a macro snapshot_' ~ bare ~ '_strategy, or use timestamp or check') -%}
    {%- endif -%}
    {%- do return(found) -%}
{% endmacro %}

{% macro snapshot_hash_arguments(args) %}
    {{ return(adapter.dispatch('snapshot_hash_arguments', 'dbt')(args)) }}
{% endmacro %}

{% macro default__snapshot_hash_arguments(args) -%}
md5(
{%- for arg in args -%}
coalesce(cast({{ arg }} as varchar), ''){{ " || '|' || " if not loop.last }}
{%- endfor -%}
)
{%- endmacro %}

{% macro snapshot_get_time() %}
    {{ return(adapter.dispatch('snapshot_get_time', 'dbt')()) }}
{% endmacro %}

{% macro default__snapshot_get_time() %}{{ current_timestamp() }}{% endmacro %}

{% macro postgres__snapshot_get_time() -%}
{{ current_timestamp() }}::timestamp without time zone
{%- endmacro %}

{% macro snapshot_string_as_time(timestamp) %}
    {{ return(adapter.dispatch('snapshot_string_as_time', 'dbt')(timestamp)) }}
{% endmacro %}

{% macro default__snapshot_string_as_time(timestamp) %}
    {%- do return(postgres__snapshot_string_as_time(timestamp)) -%}
{% endmacro %}

{% macro postgres__snapshot_string_as_time(timestamp) %}
    {%- do return("'" ~ timestamp ~ "'::timestamp without time zone") -%}
{% endmacro %}

{% macro unique_key_fields(unique_key) -%}
{%- if unique_key is string -%}
{{ unique_key }} as dbt_unique_key
{%- else -%}
{%- for key in unique_key -%}
{{ key }} as dbt_unique_key_{{ loop.index }}{{ ', ' if not loop.last }}
{%- endfor -%}
{%- endif -%}
{%- endmacro %}

{% macro unique_key_join_on(unique_key, identifier, from_identifier) -%}
{%- if unique_key is string -%}
{{ identifier }}.dbt_unique_key = {{ from_identifier }}.dbt_unique_key
{%- else -%}
{%- for key in unique_key -%}
{{ identifier }}.dbt_unique_key_{{ loop.index }} = {{ from_identifier }}.dbt_unique_key_{{ loop.index }}{{ ' and ' if not loop.last }}
{%- endfor -%}
{%- endif -%}
{%- endmacro %}

{% macro unique_key_is_null(unique_key, identifier) -%}
{{ identifier }}.{{ 'dbt_unique_key' if unique_key is string else 'dbt_unique_key_1' }} is null
{%- endmacro %}

{% macro unique_key_is_not_null(unique_key, identifier) -%}
{{ identifier }}.{{ 'dbt_unique_key' if unique_key is string else 'dbt_unique_key_1' }} is not null
{%- endmacro %}

{#- A row changed if its own time is newer than the version that is kept. -#}
{% macro snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {%- set unique_key = model_config.unique_key -%}
    {%- set updated_at = model_config.updated_at -%}
    {%- if not updated_at -%}
        {%- do exceptions.raise_compiler_error('the snapshot strategy timestamp needs the config `updated_at`') -%}
    {%- endif -%}
    {%- set columns = snapshot_columns() -%}
    {%- set keys = [unique_key] if unique_key is string else unique_key -%}
    {%- do return({
        'unique_key': unique_key,
        'updated_at': updated_at,
        'row_changed': '(' ~ snapshotted_rel ~ '.' ~ columns.dbt_valid_from ~ ' < ' ~ current_rel ~ '.' ~ updated_at ~ ')',
        'scd_id': snapshot_hash_arguments(keys + [updated_at]),
        'invalidate_hard_deletes': model_config.invalidate_hard_deletes or false,
        'hard_deletes': snapshot_hard_deletes(model_config),
    }) -%}
{% endmacro %}

{#- A row changed if one of the columns to check differs, null counted as a value. -#}
{% macro snapshot_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {%- set check_cols = model_config.check_cols -%}
    {%- if not check_cols or (check_cols is string and check_cols != 'all') -%}
        {%- do exceptions.raise_compiler_error("the snapshot strategy check needs the config `check_cols`: a list of columns, or 'all'") -%}
    {%- endif -%}
    {%- set unique_key = model_config.unique_key -%}
    {%- set updated_at = model_config.updated_at or snapshot_get_time() -%}
    {%- set column_added = false -%}
    {%- set columns = check_cols -%}
    {%- if target_exists or check_cols == 'all' -%}
        {%- set column_added, columns = snapshot_check_all_get_existing_columns(node, target_exists, check_cols) -%}
    {%- endif -%}
    {%- set differs = [] -%}
    {%- for column in columns -%}
        {%- set old = snapshotted_rel ~ '.' ~ column -%}
        {%- set new = current_rel ~ '.' ~ column -%}
        {%- do differs.append('(' ~ old ~ ' != ' ~ new ~ ' or ((' ~ old ~ ' is null) != (' ~ new ~ ' is null)))') -%}
    {%- endfor -%}
    {%- set keys = [unique_key] if unique_key is string else unique_key -%}
    {%- do return({
        'unique_key': unique_key,
        'updated_at': updated_at,
        'row_changed': '(true)' if column_added else '(' ~ ((differs | join(' or ')) or 'false') ~ ')',
        'scd_id': snapshot_hash_arguments(keys + [updated_at]),
        'invalidate_hard_deletes': model_config.invalidate_hard_deletes or false,
        'hard_deletes': snapshot_hard_deletes(model_config),
    }) -%}
{% endmacro %}

{% macro snapshot_hard_deletes(model_config) %}
    {%- if model_config.hard_deletes -%}
        {%- do return(model_config.hard_deletes) -%}
    {%- endif -%}
    {%- do return('invalidate' if model_config.invalidate_hard_deletes else 'ignore') -%}
{% endmacro %}

{#- Whether the query has a column that the table lacks, and the columns to compare. -#}
{% macro snapshot_check_all_get_existing_columns(node, target_exists, check_cols_config) %}
    {%- set query_columns = get_columns_in_query(node['compiled_code'] or node['compiled_sql']) -%}
    {%- if check_cols_config == 'all' -%}
        {%- set wanted = query_columns -%}
    {%- else -%}
        {%- set lowered = query_columns | map('lower') | list -%}
        {%- for column in check_cols_config if column | lower not in lowered -%}
            {%- do exceptions.raise_compiler_error('check_cols names `' ~ column ~ '`, which the snapshot does not select') -%}
        {%- endfor -%}
        {%- set wanted = check_cols_config -%}
    {%- endif -%}
    {%- if not target_exists -%}
        {%- do return((false, snapshot_quoted(wanted))) -%}
    {%- endif -%}
    {%- set target = load_relation(this) or this -%}
    {%- set existing = adapter.get_columns_in_relation(target) | map(attribute='name') | map('lower') | list -%}
    {%- set found = [] -%}
    {%- set state = namespace(added=false) -%}
    {%- for column in wanted -%}
        {%- if column | lower in existing -%}
            {%- do found.append(column) -%}
        {%- else -%}
            {%- set state.added = true -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return((state.added, snapshot_quoted(found))) -%}
{% endmacro %}

{% macro snapshot_quoted(columns) %}
    {%- set quoted = [] -%}
    {%- for column in columns -%}
        {%- do quoted.append(adapter.quote(column)) -%}
    {%- endfor -%}
    {%- do return(quoted) -%}
{% endmacro %}

{% macro get_dbt_valid_to_current(strategy, columns) -%}
{%- set current = config.get('dbt_valid_to_current') or 'null' -%}
coalesce(nullif({{ strategy.updated_at }}, {{ strategy.updated_at }}), {{ current }}) as {{ columns.dbt_valid_to }}
{%- endmacro %}

{% macro snapshot_is_current(columns, relation=none) -%}
{%- set column = (relation ~ '.' if relation else '') ~ columns.dbt_valid_to -%}
{%- set current = config.get('dbt_valid_to_current') -%}
{%- if current -%}
({{ column }} = {{ current }} or {{ column }} is null)
{%- else -%}
{{ column }} is null
{%- endif -%}
{%- endmacro %}

{#- The first build: every row is a version that is valid from now on. -#}
{% macro build_snapshot_table(strategy, sql) %}
    {{ return(adapter.dispatch('build_snapshot_table', 'dbt')(strategy, sql)) }}
{% endmacro %}

{% macro default__build_snapshot_table(strategy, sql) -%}
{%- set columns = snapshot_columns() -%}
select
    *,
    {{ strategy.scd_id }} as {{ columns.dbt_scd_id }},
    {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
    {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
    {{ get_dbt_valid_to_current(strategy, columns) }}
    {%- if strategy.hard_deletes == 'new_record' %},
    'False' as {{ columns.dbt_is_deleted }}
    {%- endif %}
from (
{{ sql }}
) as sbq
{%- endmacro %}

{#- The rows of a run: versions to insert, versions that end. -#}
{% macro snapshot_staging_table(strategy, source_sql, target_relation) %}
    {{ return(adapter.dispatch('snapshot_staging_table', 'dbt')(strategy, source_sql, target_relation)) }}
{% endmacro %}

{% macro default__snapshot_staging_table(strategy, source_sql, target_relation) -%}
{%- set columns = snapshot_columns() -%}
{%- set key = strategy.unique_key -%}
{%- set deletes = strategy.hard_deletes if strategy.hard_deletes else ('invalidate' if strategy.invalidate_hard_deletes else 'ignore') -%}
{%- set records = deletes == 'new_record' -%}
{%- set now = snapshot_get_time() -%}
{%- set changed = '(' ~ strategy.row_changed ~ (" or snapshotted_data." ~ columns.dbt_is_deleted ~ " = 'True'" if records else '') ~ ')' -%}
with snapshot_query as (
{{ source_sql }}
),
snapshotted_data as (
    select *, {{ unique_key_fields(key) }}
    from {{ target_relation }}
    where {{ snapshot_is_current(columns) }}
),
new_versions as (
    select
        *,
        {{ unique_key_fields(key) }},
        {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
        {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
        {{ get_dbt_valid_to_current(strategy, columns) }},
        {{ strategy.scd_id }} as {{ columns.dbt_scd_id }}
    from snapshot_query
),
ended_versions as (
    select
        *,
        {{ unique_key_fields(key) }},
        {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
        {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
        {{ strategy.updated_at }} as {{ columns.dbt_valid_to }}
    from snapshot_query
),
insertions as (
    select
        'insert' as dbt_change_type,
        source_data.*
        {%- if records %},
        'False' as {{ columns.dbt_is_deleted }}
        {%- endif %}
    from new_versions as source_data
    left join snapshotted_data on {{ unique_key_join_on(key, 'snapshotted_data', 'source_data') }}
    where {{ unique_key_is_null(key, 'snapshotted_data') }} or {{ changed }}
),
updates as (
    select
        'update' as dbt_change_type,
        source_data.*,
        snapshotted_data.{{ columns.dbt_scd_id }}
        {%- if records %},
        snapshotted_data.{{ columns.dbt_is_deleted }}
        {%- endif %}
    from ended_versions as source_data
    join snapshotted_data on {{ unique_key_join_on(key, 'snapshotted_data', 'source_data') }}
    where {{ changed }}
)
{%- if deletes in ['invalidate', 'new_record'] %},
present_rows as (
    select *, {{ unique_key_fields(key) }}
    from snapshot_query
),
deletes as (
    select
        'delete' as dbt_change_type,
        source_data.*,
        {{ now }} as {{ columns.dbt_updated_at }},
        {{ now }} as {{ columns.dbt_valid_from }},
        {{ now }} as {{ columns.dbt_valid_to }},
        snapshotted_data.{{ columns.dbt_scd_id }}
        {%- if records %},
        snapshotted_data.{{ columns.dbt_is_deleted }}
        {%- endif %}
    from snapshotted_data
    left join present_rows as source_data on {{ unique_key_join_on(key, 'snapshotted_data', 'source_data') }}
    where {{ unique_key_is_null(key, 'source_data') }}
        {%- if records %}
        and snapshotted_data.{{ columns.dbt_is_deleted }} = 'False'
        {%- endif %}
)
{%- endif %}
{%- if records %},
deletion_records as (
    select
        'insert' as dbt_change_type,
        {% for column in snapshot_source_columns(source_sql, target_relation) -%}
        {{ column }},
        {% endfor -%}
        {%- for field in snapshot_key_names(key) -%}
        snapshotted_data.{{ field }},
        {% endfor -%}
        {{ now }} as {{ columns.dbt_updated_at }},
        {{ now }} as {{ columns.dbt_valid_from }},
        snapshotted_data.{{ columns.dbt_valid_to }} as {{ columns.dbt_valid_to }},
        {{ snapshot_hash_arguments(snapshot_key_names(key, 'snapshotted_data') + [now]) }} as {{ columns.dbt_scd_id }},
        'True' as {{ columns.dbt_is_deleted }}
    from snapshotted_data
    left join present_rows as source_data on {{ unique_key_join_on(key, 'snapshotted_data', 'source_data') }}
    where {{ unique_key_is_null(key, 'source_data') }}
        and snapshotted_data.{{ columns.dbt_is_deleted }} = 'False'
)
{%- endif %}
select * from insertions
union all
select * from updates
{%- if deletes in ['invalidate', 'new_record'] %}
union all
select * from deletes
{%- endif %}
{%- if records %}
union all
select * from deletion_records
{%- endif %}
{%- endmacro %}

{% macro snapshot_key_names(unique_key, relation=none) %}
    {%- set prefix = relation ~ '.' if relation else '' -%}
    {%- if unique_key is string -%}
        {%- do return([prefix ~ 'dbt_unique_key']) -%}
    {%- endif -%}
    {%- set names = [] -%}
    {%- for key in unique_key -%}
        {%- do names.append(prefix ~ 'dbt_unique_key_' ~ loop.index) -%}
    {%- endfor -%}
    {%- do return(names) -%}
{% endmacro %}

{#- The columns of the query as the table has them. Those that it lacks come from the row of the query that is not there, so they are null and have their type. -#}
{% macro snapshot_source_columns(source_sql, target_relation) %}
    {%- set existing = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | list -%}
    {%- set selected = [] -%}
    {%- for column in get_columns_in_query(source_sql) -%}
        {%- set quoted = adapter.quote(column) -%}
        {%- do selected.append('snapshotted_data.' ~ quoted if column in existing else 'source_data.' ~ quoted) -%}
    {%- endfor -%}
    {%- do return(selected) -%}
{% endmacro %}

{#- Ends the versions that changed or went, then inserts the new ones. -#}
{% macro snapshot_merge_sql(target, source, insert_cols) %}
    {{ return(adapter.dispatch('snapshot_merge_sql', 'dbt')(target, source, insert_cols)) }}
{% endmacro %}

{% macro default__snapshot_merge_sql(target, source, insert_cols) %}
    {{ return(postgres__snapshot_merge_sql(target, source, insert_cols)) }}
{% endmacro %}

{% macro postgres__snapshot_merge_sql(target, source, insert_cols) -%}
{%- set columns = snapshot_columns() -%}
{%- set names = get_quoted_csv(insert_cols) -%}
update {{ target }}
set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
from {{ source }} as DBT_INTERNAL_SOURCE
where DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }}::text = {{ target }}.{{ columns.dbt_scd_id }}::text
    and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update', 'delete')
    and {{ snapshot_is_current(columns, target) }};

insert into {{ target }} ({{ names }})
select {{ names }}
from {{ source }} as DBT_INTERNAL_SOURCE
where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'
{%- endmacro %}

{% macro post_snapshot(staging_relation) %}
    {{ adapter.dispatch('post_snapshot', 'dbt')(staging_relation) }}
{% endmacro %}

{% macro default__post_snapshot(staging_relation) %}{% endmacro %}

{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
    {%- set temp = make_temp_relation(target_relation) -%}
    {%- do run_query(create_table_as(true, temp, snapshot_staging_table(strategy, sql, target_relation))) -%}
    {%- do return(temp) -%}
{% endmacro %}

{#- What marts itself asks for: the query of a snapshot's table, or, where that exists, of what changed since. -#}
{% macro marts_snapshot_sql(strategy_name, sql, target, target_exists) %}
    {%- set node = dict(model) -%}
    {%- do node.update({'compiled_code': sql}) -%}
    {%- set make = strategy_dispatch(strategy_name) -%}
    {%- set strategy = make(node, 'snapshotted_data', 'source_data', snapshot_config(), target_exists) -%}
    {%- if target_exists -%}
        {%- do return(snapshot_staging_table(strategy, sql, target)) -%}
    {%- endif -%}
    {%- do return(build_snapshot_table(strategy, sql)) -%}
{% endmacro %}

{#- The node's config as strategies read it, those of other people too. -#}
{% macro snapshot_config() %}
    {%- set found = dict(model.config or {}) -%}
    {%- for name in ['unique_key', 'updated_at', 'check_cols', 'invalidate_hard_deletes', 'hard_deletes', 'dbt_valid_to_current'] -%}
        {%- do found.update({name: config.get(name)}) -%}
    {%- endfor -%}
    {%- do return(found) -%}
{% endmacro %}
