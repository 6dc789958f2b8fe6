{{ config(materialized="table", require_audit=true) }}
select 1 as id
