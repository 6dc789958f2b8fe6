{{ config(unique_key='id') }}
select id, (kind || ' is longer')::varchar(30) as kind from {{ ref('events') }}
