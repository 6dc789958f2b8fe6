{#
  Layers keep their own plain names (bronze, staging, core, gold, reference) beside `raw`, whatever the
  target's schema is; the var `schema_prefix` sets two builds in one database apart.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set plain = (custom_schema_name or target.schema) | trim -%}
    {%- set prefix = var('schema_prefix', '') | trim -%}
    {{- prefix ~ '_' ~ plain if prefix else plain -}}
{%- endmacro %}
