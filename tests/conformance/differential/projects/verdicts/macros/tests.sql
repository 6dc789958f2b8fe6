{% test positive(model, column_name) %}
select * from {{ model }} where {{ column_name }} <= 0
{% endtest %}

{% test at_least(model, rows) %}
{{ config(fail_calc='coalesce(max(missing), 0)') }}
select {{ rows }} - count(*) as missing from {{ model }} having count(*) < {{ rows }}
{% endtest %}
