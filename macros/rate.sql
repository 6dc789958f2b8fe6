{# A rate between 0 and 1, or whatever else one count is to another: NULL where there is nothing to divide by. #}
{% macro rate(numerator, denominator, digits=6) -%}
    round(({{ numerator }})::numeric / nullif({{ denominator }}, 0), {{ digits }})
{%- endmacro %}
