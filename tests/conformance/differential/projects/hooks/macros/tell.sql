{% macro tell(what) %}insert into {{ target.schema }}.told values ('{{ what }}'){% endmacro %}
{% macro operate(word='none') %}
  {% do run_query("insert into " ~ target.schema ~ ".told values ('op " ~ word ~ " " ~ selected_resources | length ~ "')") %}
  {% if execute %}{% do log('done', info=true) %}{% endif %}
{% endmacro %}
