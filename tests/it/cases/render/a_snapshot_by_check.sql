{{ config(strategy='check', unique_key=['id', 'name'], check_cols=['amount'], hard_deletes='new_record') }}
{% if execute %}
{{ get_snapshot_staging_sql('select * from src', this) }}
{% endif %}
