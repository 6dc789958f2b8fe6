{{ config(unique_key='id') }}
select id, kind::varchar(3) as kind from {{ ref('events') }}
