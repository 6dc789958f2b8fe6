{% macro get_incremental_only_new_sql(arg_dict) %}
  insert into {{ arg_dict['target_relation'] }} ({{ get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) }})
  select {{ get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) }} from {{ arg_dict['temp_relation'] }} t
  where not exists (select 1 from {{ arg_dict['target_relation'] }} o where o.{{ arg_dict['unique_key'] }} = t.{{ arg_dict['unique_key'] }})
{% endmacro %}
