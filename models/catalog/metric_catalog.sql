{{ config(schema='gold', materialized='table', tags=['gold']) }}

-- Grain: one row per metric: what it is, how it may be added, where it comes from, and its latest known value.
select * from {{ ref('metrics_revenue') }}
union all
select * from {{ ref('metrics_mrr') }}
union all
select * from {{ ref('metrics_retention') }}
union all
select * from {{ ref('metrics_payments') }}
union all
select * from {{ ref('metrics_product') }}
union all
select * from {{ ref('metrics_economics') }}
