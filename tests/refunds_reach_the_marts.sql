-- Every refund that went through is taken off once: by cohort in refunded and collected net, by month in cash.
with fact as (

    select
        coalesce(sum(amount_usd), 0) as refunded_usd
    from {{ ref('fct_refund') }}
    where is_succeeded

),

mart as (

    select
        sum(refunded_usd) as refunded_usd,
        sum(collected_usd - collected_net_usd) as taken_off_usd,
        sum(cash_refunded_usd) as cash_refunded_usd,
        sum(cash_collected_usd - cash_net_usd) as cash_taken_off_usd
    from {{ ref('mart_revenue_monthly') }}
    where plan_id = 'ALL'

)

select
    fact.refunded_usd as expected_usd,
    mart.*
from fact
cross join mart
where
    fact.refunded_usd <> mart.refunded_usd
    or fact.refunded_usd <> mart.taken_off_usd
    or fact.refunded_usd <> mart.cash_refunded_usd
    or fact.refunded_usd <> mart.cash_taken_off_usd
