{{ config(unique_key='id', on_schema_change='fail') }}
select id, amount::numeric(12,4) as amount, at, 'new'::varchar(20) as "New One" from {{ ref('events') }}
