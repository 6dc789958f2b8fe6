{{ config(materialized='ephemeral') }} with a as (select 1 as id) select * from a -- the end
