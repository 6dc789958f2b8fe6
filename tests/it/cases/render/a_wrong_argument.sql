{% macro cents(column, scale=2) %}{{ column }}{% endmacro %}
--- template ---
select {{ cents('a', digits=3) }}
