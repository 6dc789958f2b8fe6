-- T11: GRR <= min(1, NRR), and GRR is the sum of min(open, close) of the customers, computed from them.
with by_customer as (

    select
        month_start,
        round(sum(least(opening_usd, closing_usd)) / nullif(sum(opening_usd), 0), 6) as grr_rate,
        round(sum(closing_usd) filter (where opening_usd > 0) / nullif(sum(opening_usd), 0), 6) as nrr_rate
    from {{ ref('fct_mrr_movement') }}
    group by month_start

)

select
    retention.month_start,
    retention.grr_rate,
    by_customer.grr_rate as grr_by_customer_rate,
    retention.nrr_rate,
    by_customer.nrr_rate as nrr_by_customer_rate
from {{ ref('mart_retention') }} as retention
left join by_customer on by_customer.month_start = retention.month_start
where
    retention.cut = 'all'
    and (
        retention.grr_rate is distinct from by_customer.grr_rate
        or retention.nrr_rate is distinct from by_customer.nrr_rate
        or retention.grr_rate > least(1, retention.nrr_rate)
    )
