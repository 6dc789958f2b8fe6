{{ config(strategy='timestamp', unique_key='id', updated_at='updated_at', hard_deletes='invalidate') }}
{% if execute %}
{{ marts_snapshot_sql('timestamp', 'select * from src', this, false) }};
{{ marts_snapshot_sql('timestamp', 'select * from src', this, true) }};
{{ snapshot_merge_sql(this, api.Relation.create(identifier='staging'), ['id', 'dbt_scd_id']) }};
{% endif %}
