{{ config(strategy='timestamp', unique_key='id', updated_at='updated_at', hard_deletes='invalidate') }}
{% if execute %}
{{ get_snapshot_initial_sql('select * from src') }};
{{ get_snapshot_staging_sql('select * from src', this) }};
{{ snapshot_merge_sql(this, api.Relation.create(identifier='staging'), ['id', 'dbt_scd_id']) }};
{% endif %}
