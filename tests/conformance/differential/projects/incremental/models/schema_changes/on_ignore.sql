{{ config(unique_key='id', on_schema_change='ignore') }}
select id, kind, amount::numeric(10,2) as amount, at from {{ ref('events') }}
