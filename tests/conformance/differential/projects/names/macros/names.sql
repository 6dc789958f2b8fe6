{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ (target.schema ~ '__' ~ custom_schema_name | trim) if custom_schema_name else target.schema ~ '_' ~ node.resource_type }}
{%- endmacro %}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
  {%- if custom_alias_name %}al_{{ custom_alias_name | trim }}{% else %}{{ node.name }}{% if node.version %}_{{ node.version }}{% endif %}{% endif -%}
{%- endmacro %}
{% macro postgres__concat(fields) %}concat({{ fields | join(', ') }}){% endmacro %}
{% macro my_own(x) %}{{ return(adapter.dispatch('my_own', 'names')(x)) }}{% endmacro %}
{% macro default__my_own(x) %}default {{ x }}{% endmacro %}
{% macro postgres__my_own(x) %}postgres {{ x }} {{ varargs | length }}{% endmacro %}
{% materialization kept, adapter='postgres' %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set existing = load_cached_relation(this) -%}
  {{ run_hooks(pre_hooks) }}
  {% if existing is none %}
    {% call statement('main') %}create table {{ target_relation }} as ({{ sql }}){% endcall %}
  {% else %}
    {% call statement('main') %}insert into {{ target_relation }} {{ sql }}{% endcall %}
  {% endif %}
  {{ run_hooks(post_hooks) }}
  {{ adapter.commit() }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
