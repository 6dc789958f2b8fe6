-- Every refund that went through and every dispute that was lost is taken off once: by cohort in collected net, by month in cash.
with fact as (

    select
        (select coalesce(sum(amount_usd), 0) from {{ ref('fct_refund') }} where is_succeeded) as refunded_usd,
        (select coalesce(sum(amount_usd), 0) from {{ ref('fct_dispute') }} where is_lost) as lost_disputes_usd

),

mart as (

    select
        sum(refunded_usd) as refunded_usd,
        sum(lost_disputes_usd) as lost_disputes_usd,
        sum(collected_usd - collected_net_usd) as taken_off_usd,
        sum(cash_refunded_usd) as cash_refunded_usd,
        sum(cash_lost_disputes_usd) as cash_lost_disputes_usd,
        sum(cash_collected_usd - cash_net_usd) as cash_taken_off_usd
    from {{ ref('mart_revenue_monthly') }}
    where plan_id = 'ALL'

)

select
    fact.refunded_usd as expected_refunds_usd,
    fact.lost_disputes_usd as expected_disputes_usd,
    mart.*
from fact
cross join mart
where
    fact.refunded_usd <> mart.refunded_usd
    or fact.lost_disputes_usd <> mart.lost_disputes_usd
    or fact.refunded_usd + fact.lost_disputes_usd <> mart.taken_off_usd
    or fact.refunded_usd <> mart.cash_refunded_usd
    or fact.lost_disputes_usd <> mart.cash_lost_disputes_usd
    or fact.refunded_usd + fact.lost_disputes_usd <> mart.cash_taken_off_usd
