{{ config(
    materialized='table',
    statement_timeout='50ms'
) }}
select 1 as id from pg_sleep(60)
