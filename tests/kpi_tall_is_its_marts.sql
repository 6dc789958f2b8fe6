-- The tall table pivoted back equals the marts that it was made from.
with pivoted as (

    select
        month_start,
        max(value) filter (where metric = 'cash_net_usd') as cash_net_usd,
        max(value) filter (where metric = 'mrr_net_usd') as mrr_net_usd,
        max(value) filter (where metric = 'first_attempt_failure_rate') as first_attempt_failure_rate,
        max(value) filter (where metric = 'logo_churn_rate') as logo_churn_rate,
        max(value) filter (where metric = 'ltv_simple_usd') as ltv_simple_usd
    from {{ ref('mart_kpi_tall') }}
    group by month_start

)

select
    revenue.month_start,
    pivoted.*
from {{ ref('mart_revenue_monthly') }} as revenue
left join pivoted on pivoted.month_start = revenue.month_start
left join {{ ref('mart_payment_reliability') }} as reliability on reliability.month_start = revenue.month_start
left join {{ ref('mart_retention') }} as retention on retention.month_start = revenue.month_start and retention.cut = 'all'
left join {{ ref('mart_unit_economics') }} as economics
    on economics.month_start = revenue.month_start and economics.cut = 'all'
where
    revenue.plan_id = 'ALL'
    and (
        pivoted.cash_net_usd, pivoted.mrr_net_usd, pivoted.first_attempt_failure_rate, pivoted.logo_churn_rate,
        pivoted.ltv_simple_usd
    ) is distinct from (
        revenue.cash_net_usd, revenue.mrr_net_usd, reliability.first_attempt_failure_rate, retention.logo_churn_rate,
        economics.ltv_simple_usd
    )
