{% macro cents(c) %}{{ c }}{% endmacro %}
