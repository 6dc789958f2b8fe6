{{ config(materialized='table') }} select 1::bigint as order_id, 2.5 as amuont
