{% snapshot by_time %}
{{ config(strategy='timestamp', updated_at='updated_at') }}
select * from {{ ref('people') }}
{% endsnapshot %}

{% snapshot by_columns %}
{{ config(strategy='check', check_cols=['name', 'email'], invalidate_hard_deletes=true) }}
select * from {{ ref('people') }}
{% endsnapshot %}

{% snapshot by_all %}
{{ config(strategy='check', check_cols='all', hard_deletes='new_record', alias='everything', target_schema='elsewhere') }}
select id, name, email from {{ ref('people') }}
{% endsnapshot %}

{% snapshot by_expression %}
{{ config(unique_key="id || '-' || name", strategy='timestamp', updated_at='updated_at::timestamptz', hard_deletes='invalidate') }}
select * from {{ ref('people') }}
{% endsnapshot %}
