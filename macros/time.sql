{# An instant as the calendar day, or first day of the month, of the reporting time zone. For staging only. #}
{% macro local_date(instant) -%}
    (({{ instant }}) at time zone '{{ var("reporting_timezone") }}')::date
{%- endmacro %}

{% macro local_month(instant) -%}
    date_trunc('month', ({{ instant }}) at time zone '{{ var("reporting_timezone") }}')::date
{%- endmacro %}

{# The other way: the instant at which a calendar day of the reporting time zone begins. #}
{% macro day_start(day) -%}
    (({{ day }})::timestamp at time zone '{{ var("reporting_timezone") }}')
{%- endmacro %}
