{% set args = {
    'target_relation': this,
    'temp_relation': api.Relation.create(identifier='delta'),
    'unique_key': 'id',
    'dest_columns': adapter.get_columns_in_relation(this),
    'incremental_predicates': none,
} %}
{{ get_incremental_append_sql(args) }};
{{ get_incremental_delete_insert_sql(args) }};
{{ get_incremental_merge_sql(args) }};
{% do args.update({'unique_key': ['id', 'name'], 'incremental_predicates': ["DBT_INTERNAL_DEST.id > 5"]}) %}
{{ get_incremental_delete_insert_sql(args) }};
{{ get_incremental_merge_sql(args) }};
