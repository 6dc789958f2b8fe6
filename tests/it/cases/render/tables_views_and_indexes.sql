{% set to = api.Relation.create(database='shop', schema='main', identifier='m', type='table') %}
{{ create_table_as(false, to, 'select 1 as a') }}
{{ create_table_as(true, to, 'select 1 as a') }}
{{ create_view_as(to, 'select 1 as a') }}
{{ get_create_index_sql(to, {'columns': ['a', 'b'], 'unique': true, 'name': 'by_a'}) }}
{{ get_create_index_sql(to, {'columns': ['a'], 'type': 'hash'}) }}
{{ get_grant_sql(to, 'select', ['ann', 'bob']) }}
{{ alter_relation_comment(to, "it's a table") }}
{{ alter_column_comment(to, model.columns) }}
