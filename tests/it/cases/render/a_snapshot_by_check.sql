{{ config(strategy='check', unique_key=['id', 'name'], check_cols=['amount'], hard_deletes='new_record') }}
{% if execute %}
{{ marts_snapshot_sql('check', 'select * from src', this, true) }}
{% endif %}
