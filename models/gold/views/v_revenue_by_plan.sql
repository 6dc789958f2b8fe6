{{ config(materialized='view') }}

-- Grain: one row per month and plan.
select
    revenue.month_start,
    revenue.plan_id,
    plan.plan_name,
    revenue.paying_customers,
    revenue.billed_usd,
    revenue.collected_net_usd,
    revenue.mrr_net_usd
from {{ ref('mart_revenue_monthly') }} as revenue
inner join {{ ref('dim_plan') }} as plan on plan.plan_id = revenue.plan_id
