{% macro cents_to_usd(column) %}{{ column }} / 100{% endmacro %}
--- template ---
select {{ cent_to_usd('a') }}
