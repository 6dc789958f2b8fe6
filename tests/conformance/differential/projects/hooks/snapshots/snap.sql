{% snapshot snap %}{{ config(unique_key='id', strategy='check', check_cols='all', target_schema=target.schema, post_hook="{{ tell('snap') }}") }} select * from {{ ref('s') }}{% endsnapshot %}
