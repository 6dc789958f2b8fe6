{#- Two relations compared by key: one row for each break, with its class and how long it has been seen. -#}
{% test reconciles(model, to, key, amount, currency=none, day=none, tolerance=0, timing_days=0, duplicate_keys='report', left_where=none, right_where=none, fail_after_days=none) %}
    {%- if fail_after_days is not none -%}
        {#- A fresh break warns: only those that gate count as an error. -#}
        {%- do config(error_if='<> 0 and count(*) filter (where gates) <> 0') -%}
    {%- endif -%}
    {{ return(adapter.dispatch('test_reconciles', 'dbt')(model, to, key, amount, currency, day, tolerance, timing_days, duplicate_keys, left_where, right_where, fail_after_days)) }}
{% endtest %}

{% macro default__test_reconciles(left, right, key, amount, currency, day, tolerance, timing_days, duplicate_keys, left_where, right_where, fail_after_days) -%}
{%- set keys = reconciles_keys(key) -%}
{%- set amounts = reconciles_pair('amount', amount) -%}
{%- set currencies = reconciles_pair('currency', currency) -%}
{%- set days = reconciles_pair('day', day) -%}
{%- if duplicate_keys not in ['report', 'sum'] -%}
    {%- do exceptions.raise_compiler_error('`duplicate_keys` of reconciles is `' ~ duplicate_keys ~ '`; it is report or sum') -%}
{%- endif -%}
{%- if timing_days and not days -%}
    {%- do exceptions.raise_compiler_error('`timing_days` of reconciles needs `day`, the column whose days may differ') -%}
{%- endif -%}
{%- if tolerance is mapping and not currencies -%}
    {%- do exceptions.raise_compiler_error('a `tolerance` of reconciles by currency needs `currency`, the column that holds it') -%}
{%- endif -%}
{%- do reconciles_check_types(left, right, keys, amounts) -%}
{%- set memory = reconciles_memory() -%}
{%- set due = reconciles_due(fail_after_days, memory) -%}
with both_sides as (
    {%- for side in [0, 1] %}
    select
        {%- for pair in keys %}
        {{ pair[side] }} as k{{ loop.index0 }},
        {%- endfor %}
        {{ amounts[side] }} as amount,
        {%- if currencies %}
        {{ currencies[side] }}::text as currency,
        {%- endif %}
        {%- if days %}
        {{ days[side] }}::date as day,
        {%- endif %}
        {{ side }} as side
    from {{ left if side == 0 else right }}
    {%- set filter = left_where if side == 0 else right_where %}
    {%- if filter %}
    where {{ filter }}
    {%- endif %}
    {%- if side == 0 %}
    union all
    {%- endif %}
    {%- endfor %}
),
{#- One hash aggregate over both sides: a key that is null meets a null, and one that is there twice multiplies nothing. #}
keyed as (
    select
        {%- for pair in keys %}
        k{{ loop.index0 }},
        {%- endfor %}
        {%- for name in ['left', 'right'] %}
        {%- set own = 'filter (where side = ' ~ loop.index0 ~ ')' %}
        {%- if currencies %}
        min(currency) {{ own }} as {{ name }}_currency,
        {%- if duplicate_keys == 'sum' %}
        max(currency) {{ own }} as {{ name }}_other_currency,
        {%- endif %}
        {%- endif %}
        {%- if days %}
        max(day) {{ own }} as {{ name }}_day,
        {%- endif %}
        sum(amount) {{ own }} as {{ name }}_amount,
        count(*) {{ own }} as {{ name }}_rows{{ ',' if not loop.last }}
        {%- endfor %}
    from both_sides
    group by {% for pair in keys %}k{{ loop.index0 }}{{ ', ' if not loop.last }}{% endfor %}
),
classified as (
    select
        case
            when right_rows = 0 then 'missing_right'
            when left_rows = 0 then 'missing_left'
            {%- if duplicate_keys == 'report' %}
            when left_rows > 1 or right_rows > 1 then 'duplicate_key'
            {%- endif %}
            {%- if currencies %}
            when left_currency is distinct from right_currency
            {%- if duplicate_keys == 'sum' %}
                or left_currency <> left_other_currency or right_currency <> right_other_currency
            {%- endif %} then 'currency'
            {%- endif %}
            when left_amount is distinct from right_amount
                and coalesce(abs(left_amount - right_amount) > {{ reconciles_tolerance(tolerance) }}, true) then 'amount'
            {%- if days %}
            when left_day is distinct from right_day
                and coalesce(abs(left_day - right_day) <= {{ timing_days }}, false) then 'timing'
            when left_day is distinct from right_day then 'day'
            {%- endif %}
        end as class,
        keyed.*
    from keyed
),
breaks as (
    select
        class,
        jsonb_build_object({% for pair in keys %}{{ dbt.string_literal(dbt.escape_single_quotes(reconciles_label(pair[0]))) }}, k{{ loop.index0 }}{{ ', ' if not loop.last }}{% endfor %}) as key,
        {%- if currencies %}
        coalesce(left_currency, right_currency) as currency,
        right_currency,
        {%- endif %}
        left_amount,
        right_amount,
        coalesce(left_amount, 0) - coalesce(right_amount, 0) as difference,
        {%- if days %}
        left_day,
        right_day,
        {%- endif %}
        left_rows,
        right_rows
    from classified
    where class is not null
),
aged as (
    select
        breaks.*,
        {%- if memory == 'kept' %}
        coalesce(seen.first_seen, now()) as first_seen
        {%- elif memory == 'new' %}
        now() as first_seen
        {%- else %}
        null::timestamptz as first_seen
        {%- endif %}
    from breaks
    {%- if memory == 'kept' %}
    left join marts_ledger.reconciliation_break as seen
        on seen.test_id = {{ dbt.string_literal(dbt.escape_single_quotes(model.unique_id)) }}
        and seen.resolved_at is null
        and seen.key = breaks.key
    {%- endif %}
)
select
    class,
    key,
    {%- if currencies %}
    currency,
    right_currency,
    {%- endif %}
    left_amount,
    right_amount,
    difference,
    {%- if days %}
    left_day,
    right_day,
    {%- endif %}
    first_seen,
    floor(extract(epoch from now() - first_seen) / 86400)::integer as age_days,
    {%- if due is not none %}
    {{ due }} as gates,
    {%- endif %}
    left_rows,
    right_rows
from aged
{%- endmacro %}

{#- `key` as a list of pairs, left and right. -#}
{% macro reconciles_keys(key) -%}
{%- set pairs = [] -%}
{%- for one in (key if key is sequence and key is not string and key is not mapping else [key]) -%}
    {%- if one is mapping -%}
        {%- for left, right in one.items() -%}{%- do pairs.append([left, right]) -%}{%- endfor -%}
    {%- else -%}
        {%- do pairs.append([one | string, one | string]) -%}
    {%- endif -%}
{%- endfor -%}
{%- if not pairs -%}
    {%- do exceptions.raise_compiler_error('the test reconciles needs `key`: a column, a list of columns, or a mapping of left to right') -%}
{%- endif -%}
{%- do return(pairs) -%}
{%- endmacro %}

{#- A column or expression for both sides, or one for each. -#}
{% macro reconciles_pair(name, value) -%}
{%- if value is none -%}
    {%- do return([]) -%}
{%- elif value is mapping -%}
    {%- if 'left' not in value or 'right' not in value -%}
        {%- do exceptions.raise_compiler_error('`' ~ name ~ '` of reconciles is a column, or a mapping with `left` and `right`') -%}
    {%- endif -%}
    {%- do return([value['left'], value['right']]) -%}
{%- endif -%}
{%- do return([value | string, value | string]) -%}
{%- endmacro %}

{#- How a key's column is called in reports: without its quotes. -#}
{% macro reconciles_label(column) -%}
{%- do return(column[1:-1] | replace('""', '"') if column.startswith('"') and column.endswith('"') else column) -%}
{%- endmacro %}

{% macro reconciles_tolerance(tolerance) -%}
{%- if tolerance is not mapping -%}
    {%- do return(tolerance | string) -%}
{%- endif -%}
{%- set cases = [] -%}
{%- for currency, amount in tolerance.items() if currency != 'default' -%}
    {%- do cases.append('when ' ~ dbt.string_literal(dbt.escape_single_quotes(currency)) ~ ' then ' ~ amount) -%}
{%- endfor -%}
{%- if not cases -%}
    {%- do return(tolerance.get('default', 0) | string) -%}
{%- endif -%}
{%- do return('case left_currency ' ~ cases | join(' ') ~ ' else ' ~ tolerance.get('default', 0) ~ ' end') -%}
{%- endmacro %}

{#- Whether breaks are remembered: `kept` (the table is there), `new` (it will be made), `no` (the role may not). -#}
{% macro reconciles_memory() -%}
{%- if not execute or flags.WHICH not in ['build', 'test', 'retry'] -%}
    {%- do return('new') -%}
{%- endif -%}
{%- do return(run_query(reconciles_memory_sql()).rows[0][0]) -%}
{%- endmacro %}

{% macro reconciles_memory_sql() -%}
with home as (
    select oid from pg_catalog.pg_namespace where nspname = 'marts_ledger'
),
kept as (
    select pg_class.oid
    from pg_catalog.pg_class
    inner join home on home.oid = pg_class.relnamespace
    where pg_class.relname = 'reconciliation_break'
)
select case
    when exists (select from kept) then (
        select case when has_schema_privilege(home.oid, 'usage') and has_table_privilege(kept.oid, 'select')
            and has_table_privilege(kept.oid, 'insert') and has_table_privilege(kept.oid, 'update') then 'kept' else 'no' end
        from kept, home
    )
    when exists (select from home) then (
        select case when has_schema_privilege(oid, 'usage') and has_schema_privilege(oid, 'create') then 'new' else 'no' end from home
    )
    when has_database_privilege(current_database(), 'create') then 'new'
    else 'no'
end as memory
{%- endmacro %}

{#- The condition under which a break gates; none where all do. -#}
{% macro reconciles_due(fail_after_days, memory) -%}
{%- if fail_after_days is none -%}
    {%- do return(none) -%}
{%- elif memory == 'no' -%}
    {%- do return('true') -%}
{%- endif -%}
{%- set limits = fail_after_days if fail_after_days is mapping else {'timing': fail_after_days} -%}
{%- set classes = ['missing_left', 'missing_right', 'duplicate_key', 'currency', 'amount', 'timing', 'day'] -%}
{%- set cases = [] -%}
{%- for class, days in limits.items() -%}
    {%- if class not in classes -%}
        {%- do exceptions.raise_compiler_error('`fail_after_days` of reconciles names the class `' ~ class ~ '`; the classes are ' ~ classes | join(', ')) -%}
    {%- endif -%}
    {%- do cases.append("when '" ~ class ~ "' then now() - first_seen >= interval '1 day' * " ~ days) -%}
{%- endfor -%}
{%- do return('case class ' ~ cases | join(' ') ~ ' else true end') -%}
{%- endmacro %}

{#- Refuses keys of different kinds and amounts that are no integer or numeric, before Postgres says it in its own words. -#}
{% macro reconciles_check_types(left, right, keys, amounts) -%}
{%- if not execute or flags.WHICH not in ['build', 'test', 'retry'] -%}
    {%- do return('') -%}
{%- endif -%}
{%- set columns = {'left': keys | map('first') | list + [amounts[0]], 'right': keys | map('last') | list + [amounts[1]]} -%}
{%- set types = {
    'left': run_query(money_types_sql(left, columns['left'])).rows,
    'right': run_query(money_types_sql(right, columns['right'])).rows
} -%}
{%- for pair in keys -%}
    {%- set one = types['left'][loop.index0] -%}
    {%- set other = types['right'][loop.index0] -%}
    {%- if one[2] != other[2] or (one[2] in ['E', 'U'] and one[1] != other[1]) -%}
        {%- do exceptions.raise_compiler_error('the key ' ~ pair[0] ~ ' of ' ~ left ~ ' is ' ~ one[1] ~ ', but ' ~ pair[1] ~ ' of ' ~ right ~ ' is ' ~ other[1] ~ '; cast one of them, for example key: {' ~ pair[0] ~ ': "cast(' ~ pair[1] ~ ' as ' ~ one[1] ~ ')"}') -%}
    {%- endif -%}
{%- endfor -%}
{%- for side, relation in [('left', left), ('right', right)] -%}
    {%- set type = types[side][-1][1] -%}
    {%- if type not in ['smallint', 'integer', 'bigint', 'numeric'] -%}
        {%- do exceptions.raise_compiler_error('the amount ' ~ columns[side][-1] ~ ' of ' ~ relation ~ ' is ' ~ type ~ ', not an integer or numeric; write cast(' ~ columns[side][-1] ~ ' as numeric(18, 2))') -%}
    {%- endif -%}
{%- endfor -%}
{%- endmacro %}
