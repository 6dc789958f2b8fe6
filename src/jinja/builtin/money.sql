{#- Money: what a column that holds amounts must be. A declaration in `meta.money` of a column becomes these tests; they can be declared by hand too. -#}

{#- Rows whose amount is no money: without a currency, in one that does not exist, not a number, of the wrong sign. A wrong type is one row that names it, whatever the rows are. -#}
{% test money(model, column_name, currency_column=none, currency=none, currencies=none, sign='any', unit=none) %}
    {{ return(adapter.dispatch('test_money', 'dbt')(model, column_name, currency_column, currency, currencies, sign, unit)) }}
{% endtest %}

{% macro default__test_money(relation, column_name, currency_column, currency, currencies, sign, unit) -%}
{%- if (currency_column is none) == (currency is none) -%}
    {%- do exceptions.raise_compiler_error('the test money needs `currency_column`, the column that holds the currency, or `currency`, the one of all rows') -%}
{%- endif -%}
{%- set codes = currencies if currencies is not none else iso_4217() | list -%}
{%- if codes is string -%}{%- set codes = [codes] -%}{%- endif -%}
{%- if currency is not none and currency not in codes -%}
    {%- do exceptions.raise_compiler_error('the currency `' ~ currency ~ '` is no active code of ISO 4217') -%}
{%- endif -%}
{%- set signs = {'any': none, 'positive': '<= 0', 'non_negative': '< 0', 'negative': '>= 0'} -%}
{%- if sign not in signs -%}
    {%- do exceptions.raise_compiler_error('the sign `' ~ sign ~ '` of the test money is none of positive, non_negative, negative, any') -%}
{%- endif -%}
{%- set type = money_type(relation, column_name) -%}
{%- if type and type not in ['smallint', 'integer', 'bigint', 'numeric'] -%}
{{ money_of_wrong_type(column_name, type, unit) }}
{%- else -%}
{%- set wrong = [] -%}
{%- if currency_column is not none -%}
    {%- do wrong.append(['no currency', currency_column ~ ' is null']) -%}
    {%- do wrong.append(['unknown currency', "not (" ~ currency_column ~ "::text = any (array['" ~ codes | map('replace', "'", "''") | join("', '") ~ "']))"]) -%}
{%- endif -%}
{%- if type in [none, 'numeric'] -%}
    {%- do wrong.append(['not a number', column_name ~ "::numeric in ('NaN', 'Infinity', '-Infinity')"]) -%}
{%- endif -%}
{%- if signs[sign] is not none -%}
    {%- do wrong.append(['not ' ~ sign, column_name ~ ' ' ~ signs[sign]]) -%}
{%- endif -%}
{%- if not wrong -%}
    {%- do wrong.append(['', 'false']) -%}
{%- endif -%}
select
    case
    {%- for name, rule in wrong %}
        when {{ rule }} then '{{ name }}'
    {%- endfor %}
    end as money_problem,
    *
from {{ relation }}
where {{ column_name }} is not null
    and (
    {%- for name, rule in wrong %}
        {{ 'or ' if not loop.first }}{{ rule }}
    {%- endfor %}
    )
{%- endif -%}
{%- endmacro %}

{#- The type of a column, domains followed down to what they are made of; none while nothing may be asked. -#}
{% macro money_type(relation, column_name) -%}
{%- if not execute or flags.WHICH not in ['build', 'test', 'retry'] -%}
    {%- do return(none) -%}
{%- endif -%}
{%- set found = run_query(money_types_sql(relation, [column_name])) -%}
{%- do return(found.rows[0][1]) -%}
{%- endmacro %}

{#- One row for each expression over the relation: its place from 0, its base type and the category of that. The relation's rows are not read. -#}
{% macro money_types_sql(relation, expressions) -%}
with recursive types as (
    select place, oid
    from (
        select
            {%- for expression in expressions %}
            pg_typeof(given.e{{ loop.index0 }})::oid as e{{ loop.index0 }}{{ ',' if not loop.last }}
            {%- endfor %}
        from (select 1) as one
        left join (
            select
                {%- for expression in expressions %}
                {{ expression }} as e{{ loop.index0 }}{{ ',' if not loop.last }}
                {%- endfor %}
            from {{ relation }}
            limit 0
        ) as given
            on true
    ) as asked
    cross join lateral (
        values
        {%- for expression in expressions %}
            ({{ loop.index0 }}, asked.e{{ loop.index0 }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as listed (place, oid)
    union all
    select types.place, pg_type.typbasetype
    from types
    inner join pg_catalog.pg_type
        on pg_type.oid = types.oid
    where pg_type.typtype = 'd'
)
select types.place, format_type(types.oid, null) as type, pg_type.typcategory::text as category
from types
inner join pg_catalog.pg_type
    on pg_type.oid = types.oid
where pg_type.typtype <> 'd'
order by types.place
{%- endmacro %}

{% macro money_of_wrong_type(column_name, type, unit) -%}
{%- if unit == 'minor' -%}
    {%- set write = 'cast(round(cast(' ~ column_name ~ ' as numeric)) as bigint)' -%}
{%- else -%}
    {%- set write = 'cast(' ~ column_name ~ ' as numeric(18, 2))' -%}
{%- endif -%}
select
    {{ dbt.string_literal(dbt.escape_single_quotes(column_name ~ ' is ' ~ type ~ ', not an integer or numeric')) }} as money_problem,
    {{ dbt.string_literal(dbt.escape_single_quotes(write)) }} as write_instead
{%- endmacro %}

{#- Rows whose amount, in major units, has more decimals than its currency. -#}
{% test money_decimals(model, column_name, currency_column=none, currency=none) %}
    {{ return(adapter.dispatch('test_money_decimals', 'dbt')(model, column_name, currency_column, currency)) }}
{% endtest %}

{% macro default__test_money_decimals(relation, column_name, currency_column, currency) -%}
{%- set decimals = iso_4217() -%}
select *
from {{ relation }}
where scale(trim_scale({{ column_name }}::numeric)) >
{%- if currency_column is none %} {{ decimals.get(currency, 2) if decimals.get(currency, 2) is not none else 'null' }}
{%- else %} case
        {%- for count in [0, 2, 3, 4] %}
        {%- set codes = [] -%}
        {%- for code, number in decimals.items() if number == count -%}{%- do codes.append(code) -%}{%- endfor %}
        when {{ currency_column }}::text in ('{{ codes | join("', '") }}') then {{ count }}
        {%- endfor %}
    end
{%- endif -%}
{%- endmacro %}
