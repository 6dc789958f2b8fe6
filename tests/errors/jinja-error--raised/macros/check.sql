{% macro only(kind) %}
    {% if kind not in ['daily', 'monthly'] %}
        {{ exceptions.raise_compiler_error("only() takes daily or monthly, not " ~ kind) }}
    {% endif %}
{% endmacro %}
