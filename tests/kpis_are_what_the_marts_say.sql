-- Each of the five KPIs is there once, for the latest month that is known, and equals its mart.
with expected as (

    select 'total_revenue' as kpi, revenue.month_start, revenue.cash_net_usd as value
    from {{ ref('mart_revenue_monthly') }} as revenue
    where revenue.plan_id = 'ALL' and revenue.is_closed
    union all
    select 'paying_customers', revenue.month_start, revenue.paying_customers
    from {{ ref('mart_revenue_monthly') }} as revenue
    where revenue.plan_id = 'ALL' and revenue.is_closed
    union all
    select 'payment_failure_rate', month_start, first_attempt_failure_rate
    from {{ ref('mart_payment_reliability') }}
    where is_closed
    union all
    select 'average_payment_attempts', month_start, avg_attempts
    from {{ ref('mart_payment_reliability') }}
    where is_mature
    union all
    select 'cancel_intent_rate', month_start, cancel_intent_rate
    from {{ ref('mart_engagement_monthly') }}
    where is_closed

),

latest as (

    select distinct on (kpi)
        kpi,
        month_start,
        value
    from expected
    order by kpi, month_start desc

)

select
    latest.kpi,
    latest.value as expected_value,
    kpis.value,
    kpis.period_month
from latest
full join {{ ref('mart_executive_kpis') }} as kpis on kpis.kpi = latest.kpi
where
    latest.value is distinct from kpis.value
    or latest.month_start is distinct from kpis.period_month
