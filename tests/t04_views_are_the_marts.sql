-- T4: the views add up to the marts: plans and countries to all, ARR to twelve times MRR, for each month.
with by_plan as (

    select month_start, sum(billed_usd) as billed_usd, sum(mrr_net_usd) as mrr_net_usd
    from {{ ref('v_revenue_by_plan') }}
    group by month_start

),

by_country as (

    select month_start, sum(billed_usd) as billed_usd, sum(mrr_net_usd) as mrr_net_usd, sum(paying_customers) as paying_customers
    from {{ ref('v_revenue_by_country') }}
    group by month_start

),

by_month as (

    select month_start, mrr_net_usd, paying_customers
    from {{ ref('v_monthly_mrr') }}

)

select
    revenue.month_start,
    revenue.billed_usd,
    by_plan.billed_usd as billed_by_plan_usd,
    revenue.mrr_net_usd,
    by_plan.mrr_net_usd as mrr_by_plan_usd,
    by_country.mrr_net_usd as mrr_by_country_usd,
    by_month.mrr_net_usd as mrr_by_month_usd
from {{ ref('mart_revenue_monthly') }} as revenue
left join by_plan on by_plan.month_start = revenue.month_start
left join by_country on by_country.month_start = revenue.month_start
left join by_month on by_month.month_start = revenue.month_start
where
    revenue.plan_id = 'ALL'
    and (
        (revenue.billed_usd, revenue.mrr_net_usd)
        is distinct from (coalesce(by_plan.billed_usd, 0), coalesce(by_plan.mrr_net_usd, 0))
        or revenue.mrr_net_usd <> coalesce(by_country.mrr_net_usd, 0)
        or revenue.mrr_net_usd <> coalesce(by_month.mrr_net_usd, 0)
        or revenue.paying_customers <> coalesce(by_country.paying_customers, 0)
        or revenue.paying_customers <> coalesce(by_month.paying_customers, 0)
    )
