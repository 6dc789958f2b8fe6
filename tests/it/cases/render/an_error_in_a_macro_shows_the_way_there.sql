{% macro outer(name) %}
    {{ inner(name) }}
{% endmacro %}

{% macro inner(name) %}
    select * from {{ ref(name) }}
{% endmacro %}
--- template ---
with a as (
    {{ outer('missing') }}
)
select * from a
