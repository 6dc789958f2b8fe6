{{ config(materialized='table') }} select 1 as id, 1 as person, 'x'::varchar(5) as code
