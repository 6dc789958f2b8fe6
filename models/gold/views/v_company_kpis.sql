{{ config(materialized='view') }}

-- Grain: one row: the company's figures of the last closed month, each as its mart says.
with last_month as (

    select max(month_start) as month_start
    from {{ ref('dim_month') }}
    where is_closed

),

active as (

    select
        active.dau,
        active.wau,
        active.mau,
        active.stickiness_rate
    from {{ ref('mart_active_users') }} as active
    cross join last_month
    where active.cut = 'all' and active.activity_date = (last_month.month_start + interval '1 month - 1 day')::date

)

select
    last_month.month_start,
    movements.closing_usd as mrr_net_usd,
    movements.closing_arr_usd as arr_usd,
    movements.closing_customers as paying_customers,
    revenue.cash_net_usd as total_revenue_usd,
    economics.arpa_usd,
    economics.arpu_usd,
    retention.logo_churn_rate,
    retention.grr_rate,
    retention.nrr_rate,
    economics.ltv_simple_usd,
    economics.ltv_margin_usd,
    reliability.first_attempt_failure_rate,
    active.dau,
    active.wau,
    active.mau,
    active.stickiness_rate
from last_month
inner join {{ ref('mart_mrr_movements') }} as movements
    on movements.month_start = last_month.month_start and movements.cut = 'all'
inner join {{ ref('mart_retention') }} as retention
    on retention.month_start = last_month.month_start and retention.cut = 'all'
inner join {{ ref('mart_unit_economics') }} as economics
    on economics.month_start = last_month.month_start and economics.cut = 'all'
inner join {{ ref('mart_revenue_monthly') }} as revenue
    on revenue.month_start = last_month.month_start and revenue.plan_id = 'ALL'
left join {{ ref('mart_payment_reliability') }} as reliability on reliability.month_start = last_month.month_start
left join active on true
