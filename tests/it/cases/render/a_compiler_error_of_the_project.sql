{% macro check(x) %}
    {% if x > 3 %}{{ exceptions.raise_compiler_error('x is ' ~ x ~ ', at most 3 is allowed') }}{% endif %}
{% endmacro %}
--- template ---
{{ check(4) }}
