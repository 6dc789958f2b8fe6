{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name or 'base' }}{% endmacro %}
{% macro postgres__concat(fields) %}concat({{ fields | join(', ') }}){% endmacro %}
{% macro default__mine(x) %}default {{ x }}{% endmacro %}
{% macro mine(x) %}{{ return(adapter.dispatch('mine')(x)) }}{% endmacro %}
{% macro ref(name) %}{{ return(builtins.ref(name).include(database=false)) }}{% endmacro %}
--- template ---
-- {{ generate_schema_name('x', model) }} {{ generate_alias_name(none, model) }} {{ mine(1) }} {{ dbt.concat(['a', 'b']) }}
select * from {{ ref('orders') }}
