{#- Cross-database utilities: dates and series. -#}

{% macro current_timestamp() %}{{ return(adapter.dispatch('current_timestamp', 'dbt')()) }}{% endmacro %}
{% macro default__current_timestamp() %}now(){% endmacro %}
{% macro postgres__current_timestamp() %}now(){% endmacro %}

{% macro current_timestamp_backcompat() %}{{ return(adapter.dispatch('current_timestamp_backcompat', 'dbt')()) }}{% endmacro %}
{% macro default__current_timestamp_backcompat() %}current_timestamp::{{ type_timestamp() }}{% endmacro %}
{% macro postgres__current_timestamp_backcompat() %}current_timestamp::{{ type_timestamp() }}{% endmacro %}

{% macro current_timestamp_in_utc_backcompat() %}{{ return(adapter.dispatch('current_timestamp_in_utc_backcompat', 'dbt')()) }}{% endmacro %}
{% macro default__current_timestamp_in_utc_backcompat() %}{{ return(postgres__current_timestamp_in_utc_backcompat()) }}{% endmacro %}
{% macro postgres__current_timestamp_in_utc_backcompat() %}(current_timestamp at time zone 'utc')::{{ type_timestamp() }}{% endmacro %}

{% macro date_trunc(datepart, date) %}{{ return(adapter.dispatch('date_trunc', 'dbt')(datepart, date)) }}{% endmacro %}
{% macro default__date_trunc(datepart, date) -%}
    date_trunc('{{ datepart }}', {{ date }})
{%- endmacro %}

{% macro dateadd(datepart, interval, from_date_or_timestamp) %}
    {{ return(adapter.dispatch('dateadd', 'dbt')(datepart, interval, from_date_or_timestamp)) }}
{% endmacro %}
{% macro default__dateadd(datepart, interval, from_date_or_timestamp) %}
    {{ return(postgres__dateadd(datepart, interval, from_date_or_timestamp)) }}
{% endmacro %}
{% macro postgres__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {{ from_date_or_timestamp }} + ((interval '1 {{ datepart }}') * ({{ interval }}))
{%- endmacro %}

{#- How many boundaries of the unit lie between two moments. -#}
{% macro datediff(first_date, second_date, datepart) %}
    {{ return(adapter.dispatch('datediff', 'dbt')(first_date, second_date, datepart)) }}
{% endmacro %}
{% macro default__datediff(first_date, second_date, datepart) %}
    {{ return(postgres__datediff(first_date, second_date, datepart)) }}
{% endmacro %}
{% macro postgres__datediff(first_date, second_date, datepart) -%}
{%- set first = '(' ~ first_date ~ ')' -%}
{%- set second = '(' ~ second_date ~ ')' -%}
{%- if datepart == 'year' -%}
(date_part('year', {{ second }}::date) - date_part('year', {{ first }}::date))
{%- elif datepart == 'quarter' -%}
({{ datediff(first_date, second_date, 'year') }} * 4 + date_part('quarter', {{ second }}::date) - date_part('quarter', {{ first }}::date))
{%- elif datepart == 'month' -%}
({{ datediff(first_date, second_date, 'year') }} * 12 + date_part('month', {{ second }}::date) - date_part('month', {{ first }}::date))
{%- elif datepart == 'day' -%}
({{ second }}::date - {{ first }}::date)
{%- elif datepart == 'week' -%}
((date_trunc('week', {{ second }}::date + 1)::date - date_trunc('week', {{ first }}::date + 1)::date) / 7)
{%- elif datepart == 'hour' -%}
({{ datediff(first_date, second_date, 'day') }} * 24 + date_part('hour', {{ second }}::timestamp) - date_part('hour', {{ first }}::timestamp))
{%- elif datepart == 'minute' -%}
({{ datediff(first_date, second_date, 'hour') }} * 60 + date_part('minute', {{ second }}::timestamp) - date_part('minute', {{ first }}::timestamp))
{%- elif datepart == 'second' -%}
({{ datediff(first_date, second_date, 'minute') }} * 60 + floor(date_part('second', {{ second }}::timestamp)) - floor(date_part('second', {{ first }}::timestamp)))
{%- elif datepart == 'millisecond' -%}
({{ datediff(first_date, second_date, 'minute') }} * 60000 + floor(date_part('millisecond', {{ second }}::timestamp)) - floor(date_part('millisecond', {{ first }}::timestamp)))
{%- elif datepart == 'microsecond' -%}
({{ datediff(first_date, second_date, 'minute') }} * 60000000 + floor(date_part('microsecond', {{ second }}::timestamp)) - floor(date_part('microsecond', {{ first }}::timestamp)))
{%- else -%}
    {%- do exceptions.raise_compiler_error('datediff does not know the unit `' ~ datepart ~ '`') -%}
{%- endif -%}
{%- endmacro %}

{% macro last_day(date, datepart) %}{{ return(adapter.dispatch('last_day', 'dbt')(date, datepart)) }}{% endmacro %}
{% macro default_last_day(date, datepart) -%}
    cast(date_trunc('{{ datepart }}', {{ date }}) + interval '1 {{ datepart }}' - interval '1 day' as date)
{%- endmacro %}
{% macro default__last_day(date, datepart) %}{{ return(default_last_day(date, datepart)) }}{% endmacro %}
{#- Postgres has no interval of a quarter. -#}
{% macro postgres__last_day(date, datepart) -%}
{%- if datepart == 'quarter' -%}
cast(date_trunc('quarter', {{ date }}) + interval '3 month' - interval '1 day' as date)
{%- else -%}
{{ default_last_day(date, datepart) }}
{%- endif -%}
{%- endmacro %}

{% macro get_powers_of_two(upper_bound) %}{{ return(adapter.dispatch('get_powers_of_two', 'dbt')(upper_bound)) }}{% endmacro %}
{% macro default__get_powers_of_two(upper_bound) %}
    {%- if upper_bound <= 0 -%}
        {%- do exceptions.raise_compiler_error('the upper bound must be positive') -%}
    {%- endif -%}
    {%- for power in range(1, 100) if 2 ** power >= upper_bound -%}
        {%- do return(power) -%}
    {%- endfor -%}
{% endmacro %}

{#- The numbers from 1 to the bound. -#}
{% macro generate_series(upper_bound) %}{{ return(adapter.dispatch('generate_series', 'dbt')(upper_bound)) }}{% endmacro %}
{% macro default__generate_series(upper_bound) -%}
    select generated_number
    from generate_series(1, {{ upper_bound }}) as numbers (generated_number)
{%- endmacro %}

{% macro get_intervals_between(start_date, end_date, datepart) %}
    {{ return(adapter.dispatch('get_intervals_between', 'dbt')(start_date, end_date, datepart)) }}
{% endmacro %}
{% macro default__get_intervals_between(start_date, end_date, datepart) %}
    {%- call statement('get_intervals_between', fetch_result=true) -%}
        select {{ datediff(start_date, end_date, datepart) }}
    {%- endcall -%}
    {%- set result = load_result('get_intervals_between') -%}
    {%- if result -%}
        {%- do return(result['data'][0][0] | int) -%}
    {%- endif -%}
    {%- do return(1) -%}
{% endmacro %}

{#- Every step from the start up to, but without, the end. -#}
{% macro date_spine(datepart, start_date, end_date) %}
    {{ return(adapter.dispatch('date_spine', 'dbt')(datepart, start_date, end_date)) }}
{% endmacro %}
{% macro default__date_spine(datepart, start_date, end_date) -%}
    select date_{{ datepart }}
    from (
        select {{ dateadd(datepart, 'generated_number - 1', start_date) }} as date_{{ datepart }}
        from (
            {{ generate_series(get_intervals_between(start_date, end_date, datepart)) }}
        ) as steps
    ) as spine
    where date_{{ datepart }} <= {{ end_date }}
{%- endmacro %}

{% macro convert_datetime(date_str, date_fmt) %}
    {%- do return(modules.datetime.datetime.strptime(date_str, date_fmt)) -%}
{% endmacro %}

{% macro dates_in_range(start_date_str, end_date_str=none, in_fmt='%Y%m%d', out_fmt='%Y%m%d') %}
    {%- set first = convert_datetime(start_date_str, in_fmt) -%}
    {%- set last = convert_datetime(end_date_str or start_date_str, in_fmt) -%}
    {%- set dates = [] -%}
    {%- for offset in range((last - first).days + 1) -%}
        {%- do dates.append((first + modules.datetime.timedelta(days=offset)).strftime(out_fmt)) -%}
    {%- endfor -%}
    {%- do return(dates) -%}
{% endmacro %}
