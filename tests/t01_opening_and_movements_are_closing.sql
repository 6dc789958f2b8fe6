-- T1: the closing MRR that the movements come to is the MRR of the month's subscriptions, by another path, for all and by plan.
with subscribed as (

    select
        month_start,
        'plan' as cut,
        plan_id as cut_value,
        sum(mrr_net_usd) as mrr_net_usd
    from {{ ref('fct_mrr_subscription_month') }}
    group by month_start, plan_id
    union all
    select
        month_start,
        'all' as cut,
        'ALL' as cut_value,
        sum(mrr_net_usd) as mrr_net_usd
    from {{ ref('fct_mrr_subscription_month') }}
    group by month_start

)

select
    month_start,
    cut,
    cut_value,
    movements.closing_usd,
    subscribed.mrr_net_usd
from subscribed
full join (
    select * from {{ ref('mart_mrr_movements') }} where cut in ('all', 'plan')
) as movements using (month_start, cut, cut_value)
where
    coalesce(subscribed.mrr_net_usd, 0) <> coalesce(movements.closing_usd, 0)
