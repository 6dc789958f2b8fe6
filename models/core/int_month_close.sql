-- Grain: one row per month that has been closed for the look-back of late rows, and metric that no later event may change: what
-- the snapshot snap_month_close keeps, so that a restated month is noticed (T23).
with closed as (

    select
        month.month_start
    from {{ ref('dim_month') }} as month
    cross join {{ ref('as_of') }} as as_of
    where month.month_end + {{ var('lookback_days') }} <= as_of.as_of_date

)

select
    closed.month_start || ' ' || measured.metric as month_metric,
    closed.month_start,
    measured.metric,
    measured.value
from closed
inner join {{ ref('mart_revenue_monthly') }} as revenue
    on revenue.month_start = closed.month_start and revenue.plan_id = 'ALL'
inner join {{ ref('mart_mrr_movements') }} as movements
    on movements.month_start = closed.month_start and movements.cut = 'all'
cross join lateral (
    values
        ('cash_collected_usd', revenue.cash_collected_usd),
        ('cash_refunded_usd', revenue.cash_refunded_usd),
        ('closing_usd', movements.closing_usd),
        ('new_usd', movements.new_usd),
        ('reactivation_usd', movements.reactivation_usd),
        ('expansion_usd', movements.expansion_usd),
        ('contraction_usd', movements.contraction_usd),
        ('churn_usd', movements.churn_usd)
) as measured (metric, value)
