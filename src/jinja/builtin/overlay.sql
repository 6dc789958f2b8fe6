{#- What an incremental model or a snapshot will hold once its staged delta is applied, without applying it. Each macro here mirrors the statement of the same strategy in incremental.sql or snapshot.sql; a change there is a change here. -#}

{#- The delta as a table that outlives its session. -#}
{% macro marts_create_delta_as(relation, sql) -%}
{%- set contract = config.get('contract') -%}
{{ sql_header_text() -}}
{%- if contract and contract.enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif -%}
create unlogged table {{ relation }} as (
{{ sql }}
)
{%- endmacro %}

{#- The rows of one part: `all`; `kept` (live rows as they are), `incoming` (rows that the delta makes or changes), `replaced` (live rows that go or change). `columns` are of the result, each {name, quoted, live, delta, written}: its value in a live row and in a row of the delta, and whether the delta has it. `keys` are {source, target, text}; `exact` is the unique_key where the condition of the delete must be taken word by word, else none. -#}
{% macro marts_overlay_sql(strategy, part, target, source, keys, predicates, exact, columns) -%}
{%- if strategy == 'append' -%}
{{ marts_overlay_append(part, target, source, columns) }}
{%- elif strategy == 'merge' -%}
{{ marts_overlay_merge(part, target, source, keys, marts_merge_condition(keys, predicates), columns) }}
{%- elif strategy == 'snapshot' -%}
{{ marts_overlay_snapshot(part, target, source, columns) }}
{%- else -%}
{{ marts_overlay_delete(part, target, source, marts_deleted_condition(strategy, source, keys, predicates, exact), columns) }}
{%- endif -%}
{%- endmacro %}

{% macro marts_overlay_values(columns, side) -%}
{%- for column in columns %}
    {{ column[side] }} as {{ column.quoted }}{{ ',' if not loop.last }}
{%- endfor -%}
{%- endmacro %}

{% macro marts_overlay_append(part, target, source, columns) -%}
{%- if part in ['all', 'kept', 'replaced'] -%}
select {{ marts_overlay_values(columns, 'live') }}
from {{ target }} as DBT_INTERNAL_DEST
{%- if part == 'replaced' %}
where false
{%- endif %}
{%- endif -%}
{%- if part == 'all' %}
union all
{% endif -%}
{%- if part in ['all', 'incoming'] -%}
select {{ marts_overlay_values(columns, 'delta') }}
from {{ source }} as DBT_INTERNAL_SOURCE
{%- endif -%}
{%- endmacro %}

{#- Which live rows the delete of a strategy takes. As an anti-join where it can be one: `not in` over a large delta is a loop in a loop. Only the names of keys are in scope beside the live row, so a bare column in a predicate means what it means in the delete. -#}
{% macro marts_deleted_condition(strategy, source, keys, predicates, exact) -%}
{%- if strategy == 'insert_overwrite' -%}
{{ ('(' ~ (predicates | join(' and ')) ~ ') is true') if predicates else 'true' }}
{%- elif exact -%}
(({{ key_in_source(source, exact) }})
{%- for predicate in predicates %}
    and {{ predicate }}
{%- endfor %}) is true
{%- else -%}
{%- set names = [] -%}
{%- for key in keys -%}{%- do names.append('marts_key_' ~ loop.index) -%}{%- endfor -%}
exists (
    select 1
    from (
        select {% for key in keys %}{{ key.source }}{{ ', ' if not loop.last }}{% endfor %}
        from {{ source }} as DBT_INTERNAL_SOURCE
    ) as marts_keys ({{ names | join(', ') }})
    where {% for key in keys -%}
    {{ names[loop.index0] }} = {{ key.target }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
    {%- for predicate in predicates %}
    and {{ predicate }}
    {%- endfor %}
)
{%- endif -%}
{%- endmacro %}

{% macro marts_overlay_delete(part, target, source, deleted, columns) -%}
{%- if part in ['all', 'kept'] -%}
select {{ marts_overlay_values(columns, 'live') }}
from {{ target }} as DBT_INTERNAL_DEST
where not {{ deleted if deleted.startswith('exists') else '(' ~ deleted ~ ')' }}
{%- elif part == 'replaced' -%}
select {{ marts_overlay_values(columns, 'live') }}
from {{ target }} as DBT_INTERNAL_DEST
where {{ deleted }}
{%- endif -%}
{%- if part == 'all' %}
union all
{% endif -%}
{%- if part in ['all', 'incoming'] -%}
select {{ marts_overlay_values(columns, 'delta') }}
from {{ source }} as DBT_INTERNAL_SOURCE
{%- endif -%}
{%- endmacro %}

{#- The condition on which a merge matches. -#}
{% macro marts_merge_condition(keys, predicates) -%}
{%- set matches = [] + predicates -%}
{%- for key in keys -%}
    {%- do matches.append('DBT_INTERNAL_SOURCE.' ~ key.text ~ ' = DBT_INTERNAL_DEST.' ~ key.text) -%}
{%- endfor -%}
({{ matches | join(') and (') }})
{%- endmacro %}

{#- The names of the columns that a merge updates, unquoted. -#}
{% macro marts_merge_updated(columns) %}
    {%- set written = [] -%}
    {%- for column in columns if column.written -%}
        {%- do written.append(api.Column(column.name, 'text')) -%}
    {%- endfor -%}
    {%- set known = written | map(attribute='name') | list -%}
    {%- set names = [] -%}
    {%- for text in get_merge_update_columns(config.get('merge_update_columns'), config.get('merge_exclude_columns'), written) -%}
        {%- set name = text[1:-1] | replace('""', '"') if text.startswith('"') else text | lower -%}
        {%- if name not in known -%}
            {%- do exceptions.raise_compiler_error('merge_update_columns names `' ~ text ~ '`, which is no column of ' ~ this ~ '; it has ' ~ (known | join(', '))) -%}
        {%- endif -%}
        {%- do names.append(name) -%}
    {%- endfor -%}
    {%- do return(names) -%}
{% endmacro %}

{% macro marts_overlay_merge(part, target, source, keys, matches, columns) -%}
{%- set updated = marts_merge_updated(columns) -%}
{%- if part == 'duplicates' -%}
{%- if updated -%}
select {% for key in keys %}DBT_INTERNAL_DEST.{{ key.text }}::text{{ ', ' if not loop.last }}{% endfor %}
from {{ target }} as DBT_INTERNAL_DEST
join {{ source }} as DBT_INTERNAL_SOURCE on {{ matches }}
group by DBT_INTERNAL_DEST.tableoid, DBT_INTERNAL_DEST.ctid, {% for key in keys %}DBT_INTERNAL_DEST.{{ key.text }}{{ ', ' if not loop.last }}{% endfor %}
having count(*) > 1
limit 3
{%- else -%}
select 1 where false
{%- endif -%}
{%- elif part in ['kept', 'replaced'] -%}
select {{ marts_overlay_values(columns, 'live') }}
from {{ target }} as DBT_INTERNAL_DEST
{%- if updated %}
where {{ 'not ' if part == 'kept' }}exists (select 1 from {{ source }} as DBT_INTERNAL_SOURCE where {{ matches }})
{%- elif part == 'replaced' %}
where false
{%- endif -%}
{%- else -%}
{%- if updated -%}
select
{%- for column in columns %}
    {% if column.name not in updated -%}
    {{ column.live }}
    {%- elif part == 'incoming' -%}
    {{ column.delta }}
    {%- else -%}
    case when DBT_INTERNAL_SOURCE.ctid is null then {{ column.live }} else {{ column.delta }} end
    {%- endif %} as {{ column.quoted }}{{ ',' if not loop.last }}
{%- endfor %}
from {{ target }} as DBT_INTERNAL_DEST
{{ 'join' if part == 'incoming' else 'left join' }} {{ source }} as DBT_INTERNAL_SOURCE on {{ matches }}
union all
{% elif part == 'all' -%}
select {{ marts_overlay_values(columns, 'live') }}
from {{ target }} as DBT_INTERNAL_DEST
union all
{% endif -%}
select {{ marts_overlay_values(columns, 'delta') }}
from {{ source }} as DBT_INTERNAL_SOURCE
where not exists (select 1 from {{ target }} as DBT_INTERNAL_DEST where {{ matches }})
{%- endif -%}
{%- endmacro %}

{#- Versions end where the delta ends them, new ones come in. -#}
{% macro marts_overlay_snapshot(part, target, source, columns) -%}
{%- set names = snapshot_columns() -%}
{%- set valid_to = names.dbt_valid_to[1:-1] if names.dbt_valid_to.startswith('"') else names.dbt_valid_to | lower -%}
{%- set ends %}DBT_INTERNAL_SOURCE.{{ names.dbt_scd_id }}::text = DBT_INTERNAL_DEST.{{ names.dbt_scd_id }}::text
    and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update', 'delete')
    and {{ snapshot_is_current(names, 'DBT_INTERNAL_DEST') }}{% endset -%}
{%- if part in ['kept', 'replaced'] -%}
select {{ marts_overlay_values(columns, 'live') }}
from {{ target }} as DBT_INTERNAL_DEST
where {{ 'not ' if part == 'kept' }}exists (select 1 from {{ source }} as DBT_INTERNAL_SOURCE where {{ ends }})
{%- else -%}
select
{%- for column in columns %}
    {% if column.name != valid_to -%}
    {{ column.live }}
    {%- else -%}
    case when DBT_INTERNAL_SOURCE.ctid is null then {{ column.live }} else {{ column.delta }} end
    {%- endif %} as {{ column.quoted }}{{ ',' if not loop.last }}
{%- endfor %}
from {{ target }} as DBT_INTERNAL_DEST
{{ 'join' if part == 'incoming' else 'left join' }} {{ source }} as DBT_INTERNAL_SOURCE on {{ ends }}
union all
select {{ marts_overlay_values(columns, 'delta') }}
from {{ source }} as DBT_INTERNAL_SOURCE
where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'
{%- endif -%}
{%- endmacro %}

{#- A source with a key twice ends one version twice, of which the update takes any; keep the first, so that what is tested is what is published. -#}
{% macro marts_snapshot_end_once(source) -%}
{%- set id = snapshot_columns().dbt_scd_id -%}
delete from {{ source }} as later using {{ source }} as kept
where later.{{ id }}::text = kept.{{ id }}::text
    and later.dbt_change_type::text in ('update', 'delete')
    and kept.dbt_change_type::text in ('update', 'delete')
    and later.ctid > kept.ctid
{%- endmacro %}
