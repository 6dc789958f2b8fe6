{% macro is_odd() %}(e.id % 2 = 1){% endmacro %}
